"""One radiograph twice, each with the boxes of one version: same window, same part, both with the truth."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from app.shared.components.radiograph_viewer.viewer import script

_FOLDER = Path(__file__).parent
#: Of the viewer: what shows pixels, boxes and maps.
_SHARED = (
    "element",
    "turns",
    "statistics",
    "noise",
    "filters",
    "picture",
    "pixels",
    "memory",
    "heat_map",
    "viewport",
    "boxes",
    "measures",
    "measure_layer",
    "stage",
    "film",
)


@cache
def _component() -> Callable[..., Any]:
    return st.components.v2.component(
        "radikal_radiograph_pair",
        html=(_FOLDER / "radiograph_pair.html").read_text(encoding="utf-8"),
        css=(_FOLDER / "radiograph_pair.css").read_text(encoding="utf-8"),
        js=script(_SHARED) + "\n" + (_FOLDER / "radiograph_pair.js").read_text(encoding="utf-8"),
    )


def radiograph_pair(data: Mapping[str, Any], *, key: str, on_step: Callable[[], None]) -> None:
    """Draw both.

    Args:
        data: see `app.models.compare.pair.pair_data`; identical data is not sent again.
        key: widget key.
        on_step: the visitor wants the next (1) or previous (-1) place; it is the event `step`.
    """
    _component()(data=dict(data), key=key, on_step_change=on_step)
