"""One radiograph twice, with the boxes of one version or one reader each: same window, same part."""

from collections.abc import Callable, Mapping
from typing import Any

from app.shared.components.scripts import component


def radiograph_pair(data: Mapping[str, Any], *, key: str, on_step: Callable[[], None]) -> None:
    """Draw both.

    Args:
        data: see `app.models.compare.pair.pair_data`; with `places` (`app.review.comparison.pair_data`) they
            are listed beside it, and a row shows its place on both. Identical data is not sent again.
        key: widget key.
        on_step: the visitor wants the next (1) or previous (-1) place; it is the event `step`, which
            comes only without `places`.
    """
    component("radiograph_pair", "radiograph/radiograph.css")(
        data=dict(data), key=key, on_step_change=on_step
    )
