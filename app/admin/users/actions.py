"""Changes an admin makes to accounts. Only from callbacks."""

from dataclasses import replace

from app.admin.users import state
from app.shared.access import acting, current_identity
from app.shared.moments import done_words
from app.shared.resources import resources
from core.domain.accounts import User
from core.domain.certificates import Certificate
from core.services.accounts.accounts import AccountService, NewPassword
from core.services.accounts.certificates import CertificateService


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
def add_certificate(seen: User) -> None:
    """Add the certificate that the form describes."""
    added = _certificates().add(current_identity(), seen.user_id, **state.typed_certificate("new"))
    _certified(f"certificate of {seen.shown_name}: {added.words}")


@acting
def change_certificate(seen: User, certificate: Certificate) -> None:
    """Change the certificate to what its form says."""
    changed = replace(certificate, **state.typed_certificate(certificate.certificate_id))
    _certificates().change(current_identity(), seen.user_id, changed)
    _certified(f"certificate of {seen.shown_name}: {changed.words}")


@acting
def remove_certificate(seen: User, certificate: Certificate) -> None:
    """Remove the certificate."""
    _certificates().remove(current_identity(), seen.user_id, certificate.certificate_id)
    _certified(f"removed from {seen.shown_name}: {certificate.words}")


@acting
def set_film_first() -> None:
    """Let everybody look at the film first, or not, as the widget says."""
    is_on = state.wants_film_first()
    resources().services.workspace.film_first.set_default(current_identity(), is_on)
    _done("The model stays hidden until the first look is done" if is_on else "The model is shown at once")


@acting
def set_required() -> None:
    """Let signing need a valid certificate, or not, as the widget says."""
    is_required = state.wants_required()
    _certificates().set_required(current_identity(), is_required)
    _done(f"signing needs {'a valid' if is_required else 'no'} certificate")


@acting
def erase(seen: User, widget: str) -> None:
    """Erase the person, when the widget holds the name."""
    _service().erase(current_identity(), seen.user_id, confirmation=state.typed_name(widget))
    _done("the person was erased; records keep the id of the account")


def _certificates() -> CertificateService:
    return resources().services.certificates


def _certified(what: str) -> None:
    state.users_state().n_certified += 1
    _done(what)


def _service() -> AccountService:
    return resources().services.accounts


def _done(what: str, issued: NewPassword | None = None) -> None:
    """Remember what to say about the action."""
    remembered = state.users_state()
    remembered.said, remembered.issued = done_words(what), issued
