"""Accounts and sessions for tests of the app."""

from app.shared.resources import Resources
from core.domain.accounts import COMMAND_LINE, Role, User

PASSWORD = "three pores in 4 welds"


def add_user(held: Resources, name: str, role: Role = Role.INSPECTOR, *, must_change: bool = False) -> User:
    """An account, by default one that has chosen its own password."""
    user = held.services.accounts.add(COMMAND_LINE, name, name.title(), role, PASSWORD).user
    with held.services.store.write() as work:
        password_hash = work.users.password_hash(user.user_id)
        work.users.set_password(user.user_id, password_hash, must_change=must_change)
    return user


def session_token_of(held: Resources, name: str) -> str:
    """The token of a new session."""
    signing_in = held.services.signing_in
    return signing_in.exchange(signing_in.verify(name, PASSWORD, "192.0.2.7"), "Browser")
