"""The page of API keys in this session: the key in the address, its form, a new key on show."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core.domain.api_keys import ApiKey, Scope
from core.services.accounts.api_keys import IssuedKey

_CHOSEN = "key"
#: Days that a new key lasts unless told otherwise.
USUAL_DAYS = 365


@dataclass
class KeysState:
    """The page in this session.

    Attributes:
        issued: a new key with its secret, until it was copied.
        said: what the last action did.
        n_added: counts up to empty the form after a key was added.
    """

    issued: IssuedKey | None = None
    said: str = ""
    n_added: int = 0


def keys_state() -> KeysState:
    """The state of the page in this session."""
    state: KeysState = st.session_state.setdefault("api_keys", KeysState())
    return state


def chosen(keys: Sequence[ApiKey]) -> ApiKey | None:
    """The key in the address, None when it names none."""
    asked = st.query_params.get(_CHOSEN)
    return next((key for key in keys if key.key_id == asked), None)


def choose(key_id: str | None) -> None:
    """Put this key into the address, None takes it out; a secret that was on show is gone."""
    forget_secret()
    if key_id is None:
        st.query_params.pop(_CHOSEN, None)
    else:
        st.query_params[_CHOSEN] = key_id


def forget_secret() -> None:
    """Forget the secret on show: it was copied."""
    state = keys_state()
    state.issued, state.said = None, ""


def form_key(field: str) -> str:
    """Widget key of a field of the form for a new key: `name`, `account`, `scopes` or `days`."""
    return f"api_keys.add.{field}.{keys_state().n_added}"


def typed() -> tuple[str, str, list[Scope], int]:
    """Account, name, scopes and days in the form for a new key."""
    name, account, scopes, days = (
        st.session_state[form_key(field)] for field in ("name", "account", "scopes", "days")
    )
    return str(account or ""), str(name or ""), [Scope(one) for one in scopes], int(days or 0)
