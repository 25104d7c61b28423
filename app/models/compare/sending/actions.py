"""Callbacks of sending images to labelling."""

from collections.abc import Callable, Mapping, Sequence

from app.models.compare.sending import state
from app.models.compare.state import say
from app.shared.access import acting, current_identity
from app.shared.resources import resources
from core.domain.correction import FoundBox
from core.services.labels.sending import SentImages
from core.store.evaluations import EvaluationSet


def turn_tick(set_id: str, digest_of: Callable[[int], str]) -> Callable[[], None]:
    """A callback that turns the tick of the image of the place that the gallery reports."""

    @acting
    def turned() -> None:
        current_identity()
        if (key := state.reported_tick()).isdigit():
            state.turn_tick(set_id, digest_of(int(key)))

    return turned


@acting
def send(
    chosen: EvaluationSet,
    versions: Sequence[int],
    operating_probability: float,
    boxes: Callable[[], Mapping[str, Sequence[FoundBox]]],
) -> None:
    """Send the images on show, or those that are ticked, to the queue of corrections."""
    identity = current_identity()
    which, note = state.typed()
    found, ticked = boxes(), state.ticked(chosen.set_id)
    wanted = {key: one for key, one in found.items() if which == state.ALL or key in ticked}
    sent = resources().services.label_sending.send(
        identity,
        chosen,
        wanted,
        versions=versions,
        operating_probability=operating_probability,
        note=note,
    )
    state.was_sent()
    say(sent_words(sent))


def sent_words(sent: SentImages) -> str:
    """The outcome in words."""
    said = [f"{_images(sent.n_queued)} sent to labelling"]
    if sent.n_taken_in:
        said.append(f"{_images(sent.n_taken_in)} handed in from the set for it")
    if sent.n_open:
        said.append(f"{_images(sent.n_open)} left out, waiting in the queue already")
    if sent.n_failed:
        said.append(f"{_images(sent.n_failed)} could not be handed in: changed or unreadable")
    return "; ".join(said)


def _images(n: int) -> str:
    return "1 image" if n == 1 else f"{n:,} images"
