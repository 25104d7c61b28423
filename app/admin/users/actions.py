"""Changes an admin makes to accounts. Only from callbacks."""

from app.admin.users import state
from app.shared.access import acting, current_identity
from app.shared.moments import done_words
from app.shared.resources import resources
from core.domain.accounts import User
from core.services.accounts.accounts import AccountService, NewPassword


@acting
def add() -> None:
    """Add the account that the form describes."""
    added = _service().add(current_identity(), *state.added())
    state.users_state().n_added += 1
    state.choose(added.user.user_id)
    _done(f"{added.user.name} was added as {added.user.role.label}", added)


@acting
def set_role(seen: User, widget: str) -> None:
    """Give the account the role that the widget says."""
    user = _service().set_role(current_identity(), seen.user_id, state.chosen_role(widget), seen=seen)
    _done(f"{user.name} is {user.role.label} now")


@acting
def disable(seen: User) -> None:
    """Disable the account."""
    user = _service().disable(current_identity(), seen.user_id, seen=seen)
    _done(f"{user.name} is disabled and signed out")


@acting
def enable(seen: User) -> None:
    """Enable the account."""
    user = _service().enable(current_identity(), seen.user_id, seen=seen)
    _done(f"{user.name} can sign in again")


@acting
def reset_password(seen: User) -> None:
    """Give the account a generated password."""
    reset = _service().reset_password(current_identity(), seen.user_id, seen=seen)
    _done(f"{reset.user.name} has a new password and is signed out", reset)


@acting
def end_sessions(seen: User) -> None:
    """End the sessions of the account."""
    signing_in = resources().services.signing_in
    n_ended = signing_in.end_sessions(current_identity(), seen.user_id, "ended by an admin")
    _done("1 session was ended" if n_ended == 1 else f"{n_ended} sessions were ended")


@acting
def erase(seen: User, widget: str) -> None:
    """Erase the person, when the widget holds the name."""
    _service().erase(current_identity(), seen.user_id, confirmation=state.typed_name(widget))
    _done("the person was erased; records keep the id of the account")


def _service() -> AccountService:
    return resources().services.accounts


def _done(what: str, issued: NewPassword | None = None) -> None:
    """Remember what to say about the action."""
    remembered = state.users_state()
    remembered.said, remembered.issued = done_words(what), issued
