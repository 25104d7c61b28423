"""What the page of users shows and does: the chosen account, what was done to it, a password to hand over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from app.admin.users.browser_names import browser_name
from app.shared.access import acting, current_identity
from app.shared.resources import resources
from core.domain.accounts import Role, User
from core.services.accounts.accounts import AccountService, NewPassword
from core.store.sessions import StoredSession

FIND, ROLE, STATE = "users.find", "users.role", "users.state"
STATES = ("active", "disabled", "erased")
_CHOSEN = "user"


@dataclass
class UsersState:
    """The page of users in this session.

    Attributes:
        issued: an account with the password that was generated for it, until it was handed over.
        said: what the last action did.
        n_added: counts up to empty the form after somebody was added.
        selections: by table, what was selected when it was first drawn; a new default would empty it.
    """

    issued: NewPassword | None = None
    said: str = ""
    n_added: int = 0
    selections: dict[str, Any] = field(default_factory=dict)


def users_state() -> UsersState:
    """The state of the page of users in this session."""
    if "users" not in st.session_state:
        st.session_state["users"] = UsersState()
    state: UsersState = st.session_state["users"]
    return state


def found(users: Sequence[User]) -> list[User]:
    """The accounts that the filter asks for."""
    words = str(st.session_state.get(FIND) or "").lower().split()
    role, state = st.session_state.get(ROLE), st.session_state.get(STATE)
    return [
        user
        for user in users
        if (role is None or user.role is role)
        and (state is None or user.state == state)
        and all(word in f"{user.shown_name} {user.full_name or ''}".lower() for word in words)
    ]


def user_rows(users: Sequence[User], n_sessions: Mapping[str, int]) -> list[dict[str, Any]]:
    """One row of the table for each account."""
    return [
        {
            "Name": user.shown_name,
            "Full name": user.full_name or "",
            "Role": user.role.label,
            "State": state_text(user),
            "Last sign-in": moment(user.signed_in_at),
            "Sessions": n_sessions.get(user.user_id, 0),
        }
        for user in users
    ]


def state_text(user: User) -> str:
    """Whether the account can be used, and what stands in the way."""
    return "active, password to be changed" if user.is_active and user.must_change_password else user.state


def session_rows(sessions: Sequence[StoredSession], own: str | None) -> list[dict[str, Any]]:
    """One row of a table for each session; `own` is the id of this one."""
    return [
        {
            "Browser": browser_name(stored.agent) + (" · this one" if stored.session_id == own else ""),
            "Since": moment(stored.created_at),
            "Last used": moment(stored.seen_at),
        }
        for stored in sessions
    ]


def moment(at: datetime | None) -> str:
    """Day and minute, UTC."""
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M}"


def chosen(users: Sequence[User]) -> User | None:
    """The account in the address, None when it names none."""
    asked = st.query_params.get(_CHOSEN)
    return next((user for user in users if user.user_id == asked), None)


def first_selection(table: str, user_ids: Sequence[str], user: User | None) -> dict[str, Any]:
    """What is selected when the table of these accounts is first drawn."""
    rows = [user_ids.index(user.user_id)] if user is not None and user.user_id in user_ids else []
    return users_state().selections.setdefault(table, {"selection": {"rows": rows}})


def choose_row(table: str, user_ids: Sequence[str]) -> None:
    """Put the account of the selected row into the address; only from a callback."""
    rows = st.session_state[table].selection.rows
    choose(user_ids[rows[0]] if rows else None)


def choose(user_id: str | None) -> None:
    """Put this account into the address, None takes it out; a password that was on show is gone."""
    forget_password()
    if user_id is None:
        st.query_params.pop(_CHOSEN, None)
    else:
        st.query_params[_CHOSEN] = user_id


def forget_password() -> None:
    """It was handed over."""
    state = users_state()
    state.issued, state.said = None, ""


@acting
def add() -> None:
    """Add the account that the form describes."""
    state = users_state()
    name, full_name, role = (
        st.session_state[f"users.add.{field}.{state.n_added}"] for field in ("name", "full_name", "role")
    )
    added = _service().add(current_identity(), name, full_name or name, role)
    state.n_added += 1
    choose(added.user.user_id)
    _done(f"{added.user.name} was added as {added.user.role.label}", added)


@acting
def set_role(seen: User, widget: str) -> None:
    """Give the account the role that the widget says."""
    user = _service().set_role(current_identity(), seen.user_id, Role(st.session_state[widget]), seen=seen)
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
    typed = str(st.session_state[widget] or "")
    _service().erase(current_identity(), seen.user_id, confirmation=typed)
    _done("the person was erased; records keep the id of the account")


def _service() -> AccountService:
    return resources().services.accounts


def _done(what: str, issued: NewPassword | None = None) -> None:
    """Remember what to say about the action."""
    state = users_state()
    state.said = f"saved {datetime.now(UTC):%H:%M:%S} UTC: {what}"
    state.issued = issued
