"""Actions of the import of labels: choose a file, say what its classes mean, import."""

from app.label.importing import state
from app.label.importing.rows import done_words
from app.shared.access import acting, current_identity
from app.shared.incident import incident
from app.shared.resources import resources
from app.shared.uploads import taken
from core.domain.accounts import Identity
from core.domain.errors import BadInputError, WorkbenchError
from core.domain.own_classes import OwnClass
from core.labelling.import_plan import ImportPlan
from core.services.labels.label_imports import LabelImports


def imports_of(identity: Identity) -> LabelImports:
    """The imports of this person's workspace."""
    return resources().services.workspace_of(identity).label_imports


def own_classes(identity: Identity) -> list[OwnClass]:
    """Classes that an admin added and that are offered."""
    found = resources().services.workspace_of(identity).own_classes.all(identity)
    return [one for one in found if one.is_offered]


def plan_on_show(identity: Identity) -> ImportPlan | None:
    """The plan of the chosen file, made anew when the file or an option changed; None where there is none."""
    remembered, asked = state.import_state(), state.options()
    if remembered.file is None:
        return None
    if remembered.options != asked:
        remembered.options, remembered.plan, remembered.problem = asked, None, ""
        try:
            with remembered.file.opened() as content:
                remembered.plan = imports_of(identity).plan(identity, content, remembered.file.name, asked)
        except WorkbenchError as error:
            remembered.problem = str(error)
        except Exception:  # noqa: BLE001 - the page's edge: logged, told
            remembered.problem = incident("Reading the labels", is_worth_repeating=False)
    return remembered.plan


@acting
def choose() -> None:
    """Take the file out of the chooser."""
    remembered = state.import_state()
    if (chosen := state.chosen_file()) is None:
        return
    remembered.file, remembered.done = taken(chosen), ""
    remembered.n_chosen += 1
    state.forget_targets()
    remembered.forget_plan()


@acting
def forget() -> None:
    """Let go of the file; nothing was stored of it."""
    remembered = state.import_state()
    remembered.file = None
    state.forget_targets()
    remembered.forget_plan()


@acting
def say_class(name: str) -> None:
    """Take what the visitor chose for a class of the file."""
    mapping = state.import_state().mapping
    target = state.chosen_target(name)
    if target is None:
        mapping.pop(name, None)
    else:
        mapping[name] = target


@acting
def run_import() -> None:
    """Store all that the plan on show says, or nothing."""
    remembered, identity = state.import_state(), current_identity()
    if remembered.file is None or remembered.plan is None:
        raise BadInputError("choose a file with labels first")
    try:
        with remembered.file.opened() as content:
            done = imports_of(identity).apply(identity, content, remembered.file.name, remembered.plan)
    finally:
        remembered.forget_plan()
    remembered.done = done_words(done, remembered.file.name)
    remembered.file = None
    state.forget_targets()
