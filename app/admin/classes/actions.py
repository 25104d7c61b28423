"""Changes an admin makes to own classes. Only from callbacks."""

from app.admin.classes import state
from app.shared.access import acting, current_identity
from app.shared.moments import done_words
from app.shared.resources import resources
from core.domain.own_classes import OwnClass


@acting
def add() -> None:
    """Add the class that the form describes."""
    own = state.typed()
    resources().services.workspace.own_classes.save(current_identity(), own, is_new=True)
    state.choose(None)
    _done(f"{own.name} ({own.code}) was added")


@acting
def change(seen: OwnClass) -> None:
    """Change the class as its form says."""
    own = state.changed(seen)
    resources().services.workspace.own_classes.save(current_identity(), own, is_new=False)
    _done(f"{own.name} ({own.code}) was changed" if own.is_offered else f"{own.name} is not offered any more")


def _done(words: str) -> None:
    remembered = state.classes_state()
    remembered.said = done_words(words)
    remembered.n_saved += 1
