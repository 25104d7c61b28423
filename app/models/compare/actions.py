"""Callbacks of the page Compare."""

from collections.abc import Callable

from app.models.compare import state
from app.shared.access import acting, current_identity
from app.shared.resources import resources
from core.domain.errors import BadInputError, WorkbenchError
from core.store.evaluations import EvaluationSet


@acting
def measure(chosen: EvaluationSet, numbers: tuple[int, ...]) -> None:
    """Start measuring these versions on the set."""
    resources().services.evaluations.start(current_identity(), chosen, numbers)


@acting
def simulate(numbers: tuple[int, ...]) -> None:
    """Start making the built-in set and measuring these versions on it."""
    resources().services.evaluations.start_simulated(current_identity(), numbers)


@acting
def judge_clean(chosen: EvaluationSet, numbers: tuple[int, ...]) -> None:
    """Turn to the images of the set that none of these versions has seen."""
    clean = resources().services.clean_sets.judge(current_identity(), chosen, numbers)
    state.choose_set(clean)


@acting
def add_from_labels(model: str) -> None:
    """Make a set of the labelled images that the filter takes, and turn to it."""
    maker, name = resources().services.set_maker, state.new_name()
    _make(lambda: maker.from_labels(current_identity(), name, model, state.new_filter()))


@acting
def add_from_history(model: str) -> None:
    """Make a set of the signed inspections that the filter takes, and turn to it."""
    maker, name = resources().services.set_maker, state.new_name()
    wanted, bounds = state.new_filter("history"), state.history_bounds()
    _make(lambda: maker.from_history(current_identity(), name, model, wanted, bounds))


@acting
def add_archive(model: str) -> None:
    """Make a set of the archive that was handed in, and turn to it."""
    _make(lambda: _from_archive(model))


def _from_archive(model: str) -> EvaluationSet:
    data = state.new_file()
    if data is None:
        raise BadInputError("choose a ZIP file first")
    return resources().services.set_maker.from_archive(current_identity(), state.new_name(), model, data)


def _make(make: Callable[[], EvaluationSet]) -> None:
    """Turn to the set that this makes; what is refused stands in the form, which stays as it is."""
    try:
        added = make()
    except WorkbenchError as error:
        state.refuse_set(f"{str(error)[:1].upper()}{str(error)[1:]}.")
        return
    state.choose_set(added)
    state.was_made()
    images = "1 image" if added.n_images == 1 else f"{added.n_images:,} images"
    boxes = "1 box" if added.n_boxes == 1 else f"{added.n_boxes:,} boxes"
    state.say(f"{added.name}: {images}, {boxes}")


@acting
def change_kind() -> None:
    """Show places of the chosen kind."""
    state.take_kind()


@acting
def change_filter() -> None:
    """Show places that the filter lets through."""
    state.take_filter()


@acting
def clear_filter() -> None:
    """Show all places of the kind."""
    state.clear_filter()


@acting
def change_order() -> None:
    """Show places in the chosen order."""
    state.take_order()


@acting
def open_place() -> None:
    """Open the place that was chosen in the gallery."""
    state.open_place()


@acting
def step_place() -> None:
    """Go to the next place or the one before."""
    state.step_place()


@acting
def leave_one(asked: state.OneImage) -> None:
    """Leave the one image for the evaluation sets."""
    state.leave_image(asked)


def open_point(key: str) -> Callable[[], None]:
    """A callback that turns to the boxes behind the point selected in the plot of this key."""

    @acting
    def opened() -> None:
        current_identity()
        if (lead := state.selected_lead(key)) is not None:
            state.show_boxes(lead)

    return opened
