"""The page of users in this session: its filter, the account in the address, a password to hand over."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.domain.accounts import Role, User
from core.domain.errors import BadInputError
from core.services.accounts.accounts import NewPassword

FIND, ROLE, STATE = "users.find", "users.role", "users.state"
REQUIRED, FILM_FIRST = "users.certificate.required", "users.film_first"
_CHOSEN = "user"


@dataclass
class UsersState:
    """The page of users in this session.

    Attributes:
        issued: an account with the password that was generated for it, until it was handed over.
        said: what the last action did.
        n_added: counts up to empty the form after somebody was added.
        n_certified: the same of the forms for certificates.
    """

    issued: NewPassword | None = None
    said: str = ""
    n_added: int = 0
    n_certified: int = 0


def users_state() -> UsersState:
    """The state of the page of users in this session."""
    state: UsersState = st.session_state.setdefault("users", UsersState())
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


def chosen(users: Sequence[User]) -> User | None:
    """The account in the address, None when it names none."""
    asked = st.query_params.get(_CHOSEN)
    return next((user for user in users if user.user_id == asked), None)


def choose(user_id: str | None) -> None:
    """Put this account into the address, None takes it out; a password that was on show is gone."""
    forget_password()
    if user_id is None:
        st.query_params.pop(_CHOSEN, None)
    else:
        st.query_params[_CHOSEN] = user_id


def forget_password() -> None:
    """Forget the password on show: it was handed over."""
    state = users_state()
    state.issued, state.said = None, ""


def add_key(field: str) -> str:
    """Widget key of a field of the form for a new account: `name`, `full_name` or `role`."""
    return f"users.add.{field}.{users_state().n_added}"


def added() -> tuple[str, str, Role]:
    """Name, full name and role in the form for a new account."""
    name, full_name, role = (st.session_state[add_key(field)] for field in ("name", "full_name", "role"))
    return name, full_name or name, role


def certificate_key(certificate_id: str, field: str) -> str:
    """Widget key of a field of the form for a certificate; the id is `new` for one that is added."""
    return f"users.certificate.{certificate_id}.{field}.{users_state().n_certified}"


def typed_certificate(certificate_id: str) -> dict[str, Any]:
    """The certificate in the form of this id.

    Raises:
        BadInputError: the last day is missing.
    """
    asked = {
        field: st.session_state[certificate_key(certificate_id, field)]
        for field in ("scheme", "method", "level", "number", "valid_until")
    }
    if asked["valid_until"] is None:
        raise BadInputError("valid until: choose the last day on which the certificate holds")
    return {**asked, "method": asked["method"].strip(), "number": asked["number"].strip()}


def show_required(is_required: bool) -> None:
    """Let the widget say whether signing needs a certificate, as it is stored."""
    st.session_state[REQUIRED] = is_required


def wants_required() -> bool:
    """The choice in that widget."""
    return bool(st.session_state[REQUIRED])


def show_film_first(is_on: bool) -> None:
    """Let the widget say whether everybody looks at the film first, as it is stored."""
    st.session_state[FILM_FIRST] = is_on


def wants_film_first() -> bool:
    """The choice in that widget."""
    return bool(st.session_state[FILM_FIRST])


def chosen_role(widget: str) -> Role:
    """The role in the widget of this key."""
    return Role(st.session_state[widget])


def typed_name(widget: str) -> str:
    """The name in the widget of this key."""
    return str(st.session_state[widget] or "")
