"""The radiograph viewer: what Python tells it, and what it reports."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

_FOLDER = Path(__file__).parent
#: One script without a build step: the classes first, the module that exports last.
_SCRIPTS = ("pixels.js", "stage.js", "panel.js", "viewer.js")


@cache
def _component() -> Callable[..., Any]:
    return st.components.v2.component(
        "radikal_radiograph_viewer",
        html=(_FOLDER / "viewer.html").read_text(encoding="utf-8"),
        css=(_FOLDER / "viewer.css").read_text(encoding="utf-8"),
        js="\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in _SCRIPTS),
    )


def radiograph_viewer(
    data: Mapping[str, Any],
    *,
    key: str,
    on_open: Callable[[], None],
    on_remove: Callable[[], None],
    on_threshold: Callable[[], None],
) -> None:
    """Draw the viewer. It fetches pixels and maps itself and filters by the threshold without a rerun.

    Args:
        data: see `app.inspection_view.viewer_data`; identical data is not sent again.
        key: widget key.
        on_open: the visitor chose another image of the batch; its key is the event `open`.
        on_remove: the visitor took an image off the table; its key is the event `remove`.
        on_threshold: the threshold came to rest; it is the state `threshold`.
    """
    _component()(
        data=dict(data),
        key=key,
        on_open_change=on_open,
        on_remove_change=on_remove,
        on_threshold_change=on_threshold,
    )
