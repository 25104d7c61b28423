"""One radiograph twice, with the boxes of one version each and the recorded ones: same window, same part."""

from collections.abc import Callable, Mapping
from typing import Any

from app.shared.components.scripts import component


def radiograph_pair(data: Mapping[str, Any], *, key: str, on_step: Callable[[], None]) -> None:
    """Draw both.

    Args:
        data: see `app.models.compare.pair.pair_data`; identical data is not sent again.
        key: widget key.
        on_step: the visitor wants the next (1) or previous (-1) place; it is the event `step`.
    """
    component("radiograph_pair", "radiograph/radiograph.css")(
        data=dict(data), key=key, on_step_change=on_step
    )
