"""The radiograph viewer: the data that Python hands it, and the events that it reports."""

from collections.abc import Callable, Mapping
from typing import Any

from app.shared.components.scripts import component

#: Probabilities between which boxes can be shown from.
THRESHOLD_RANGE = (0.1, 0.9)


def _ignore() -> None:
    """Do nothing: nobody asked for the event."""


def radiograph_viewer(
    data: Mapping[str, Any],
    *,
    key: str,
    on_open: Callable[[], None],
    on_remove: Callable[[], None],
    on_threshold: Callable[[], None],
    on_scale: Callable[[], None] = _ignore,
    on_cancel: Callable[[], None] = _ignore,
    on_reading: Callable[[], None] = _ignore,
    on_decision: Callable[[], None] = _ignore,
    on_sign: Callable[[], None] = _ignore,
    on_revise: Callable[[], None] = _ignore,
    on_polarity: Callable[[], None] = _ignore,
    on_submit: Callable[[], None] = _ignore,
    on_skip: Callable[[], None] = _ignore,
    on_seen: Callable[[], None] = _ignore,
    on_zone: Callable[[], None] = _ignore,
    on_measures: Callable[[], None] = _ignore,
    on_unveil: Callable[[], None] = _ignore,
) -> None:
    """Draw the viewer. It fetches pixels and maps itself and filters by the threshold without a rerun.

    Args:
        data: see `app.inspection.rows.viewer_data`; identical data is not sent again.
        key: widget key.
        on_open: the visitor chose another image of the batch; its key is the event `open`.
        on_remove: the visitor took an image off the worklist; its key is the event `remove`.
        on_threshold: the threshold came to rest; it is the state `threshold`.
        on_scale: the user entered a known length, typed a pixel pitch, or forgot the length; the event
            `scale` holds `sha256`, `is_batch` (it counts for all that were handed in together), and either
            `mm_per_px`, `length_mm` and `length_px`, None when it was forgotten, or `typed`, a text.
        on_cancel: the visitor does not want to wait for the rest of the batch; the event is `cancel`.
        on_reading: the reading changed; the event `reading` holds `inspection_id`, `base` (the version that
            it rests on), `edit` (names the change) and `content`.
        on_decision: the decision changed; the event `decision` holds the same.
        on_sign: the event `sign` holds `inspection_id`, `version` and `reading_version` as they are on show.
        on_revise: a signed inspection is to be corrected; its id is the event `revise`.
        on_polarity: the visitor states whether the image is a film or digital; the event `polarity` holds
            `key` (of the image in the batch) and `polarity`.
        on_submit: where labels are made (`data["reading"]["is_labelling"]`, see `app.label.rows.label_data`):
            they are complete; the event `submit` holds `inspection_id` and `version`.
        on_seen: more of the radiograph has been on screen at 1:1 or more; the event `seen` holds
            `inspection_id` and `cells`, see `core.domain.seen`.
        on_zone: the zone that is judged changed; the event `zone` holds `inspection_id`, `points` (empty: no
            zone; None: find it again) and `is_band`, see `core.domain.zone`.
        on_measures: the measures changed; the event `measures` holds `inspection_id` and `content`.
        on_unveil: the first look is done; the event `unveil` holds `inspection_id` and `version`.
        on_skip: the image is left as it is; the event `skip` holds `inspection_id` and `why`.
    """
    component("radiograph_viewer", "radiograph/radiograph.css")(
        data=dict(data),
        key=key,
        on_open_change=on_open,
        on_remove_change=on_remove,
        on_threshold_change=on_threshold,
        on_scale_change=on_scale,
        on_cancel_change=on_cancel,
        on_reading_change=on_reading,
        on_decision_change=on_decision,
        on_sign_change=on_sign,
        on_revise_change=on_revise,
        on_polarity_change=on_polarity,
        on_submit_change=on_submit,
        on_skip_change=on_skip,
        on_seen_change=on_seen,
        on_zone_change=on_zone,
        on_measures_change=on_measures,
        on_unveil_change=on_unveil,
    )
