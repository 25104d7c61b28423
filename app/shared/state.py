"""Session state that features share: the chosen model, the image on show, a notice, whose tab it is."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import streamlit as st

from app.shared.resources import MODELS
from core.domain.kinds import family_of

MODEL_KEY = "inspection.model"
_LAST_MODEL, _SHOWN = "inspection.last_model", "inspection.shown"
_OWNER, _VISITOR, _NOTICE, _ARRIVED = "owner", "visitor", "access.notice", "arrived"
State = TypeVar("State")


def kept(key: str, make: Callable[[], State]) -> State:
    """The object that this session keeps under `key`, made on the first call."""
    if key not in st.session_state:
        st.session_state[key] = make()
    found: State = st.session_state[key]
    return found


def reported(key: str, event: str) -> Any:
    """The value that a component reported under `event` in this run, None when it reported nothing."""
    return getattr(st.session_state.get(key), event, None)


def reported_mapping(key: str, event: str) -> Mapping[str, Any] | None:
    """The same where a mapping is expected, None when it is none."""
    found = reported(key, event)
    return found if isinstance(found, Mapping) else None


def start_over_for(user_id: str) -> None:
    """Forget everything that somebody else left in this browser tab; empty when nobody is signed in."""
    if st.session_state.get(_OWNER, user_id) != user_id:
        st.session_state.clear()
    st.session_state[_OWNER] = user_id


def browser_token() -> str:
    """A random name of this session, the same until it ends."""
    return kept(_VISITOR, lambda: secrets.token_urlsafe(12))


def take_arrival() -> bool:
    """True once in a session: somebody just came in."""
    is_first = not st.session_state.get(_ARRIVED, False)
    st.session_state[_ARRIVED] = True
    return is_first


def leave_notice(text: str) -> None:
    """Keep what the page has to say when it is drawn next."""
    st.session_state[_NOTICE] = text


def take_notice() -> str:
    """The notice, once; empty without one."""
    return str(st.session_state.pop(_NOTICE, ""))


def prepare_model_choice(offered: Sequence[str] = MODELS) -> None:
    """Give the model choice its first value: the model in the address, else the first.

    Args:
        offered: on this page; of another model that is chosen the family stays.
    """
    asked = st.query_params.get("model")
    st.session_state.setdefault(MODEL_KEY, asked if asked in offered else MODELS[0])
    if st.session_state[MODEL_KEY] not in (None, *offered):
        st.session_state[MODEL_KEY] = family_of(st.session_state[MODEL_KEY]).value
    if st.session_state[MODEL_KEY] is None:  # a segmented control can be clicked empty
        st.session_state[MODEL_KEY] = st.session_state.get(_LAST_MODEL, MODELS[0])
    st.session_state[_LAST_MODEL] = st.session_state[MODEL_KEY]


def chosen_model() -> str:
    """The registered model to analyse with."""
    return str(st.session_state.get(MODEL_KEY) or MODELS[0])


def choose_model(name: str) -> None:
    """Set the model choice; only from a callback, before the choice is drawn."""
    st.session_state[MODEL_KEY] = name


def put_model_into_address(**kept: str) -> None:
    """Put the chosen model into the address, with nothing but `kept`; only from a callback."""
    st.query_params.from_dict({"model": chosen_model(), **kept})


def shown_entry() -> str | None:
    """Key of the worklist entry that was opened last; it may be gone by now."""
    key: str | None = st.session_state.get(_SHOWN)
    return key


def show_entry(key: str | None) -> None:
    """Open this entry of the worklist when the inspection page is drawn next."""
    st.session_state[_SHOWN] = key
