"""Saved views in this session: the form, and the page turned to what a view says."""

from collections.abc import Mapping

import streamlit as st

from app.models.compare.state import FILTER_KEYS, say
from app.shared import state as app_state

RENAMED = "views.renamed"
_EDITED, _N_DONE = "views.edited", "views.n_done"
_COMPARE = "compare."


def address() -> dict[str, str]:
    """Everything that the address of the page says now."""
    return dict(st.query_params.to_dict())


def field(name: str) -> str:
    """Key of a field of the form, `name` or `shared`; another one, and so empty, after each view kept."""
    return f"views.{name}.{n_done()}"


def typed() -> tuple[str, bool]:
    """The name that was typed for a new view, and whether it is for everybody."""
    return str(st.session_state.get(field("name")) or ""), bool(st.session_state.get(field("shared")))


def renamed() -> str:
    """The other name that was typed."""
    return str(st.session_state.get(RENAMED) or "")


def edited() -> str | None:
    """Id of the view whose name is being changed."""
    return st.session_state.get(_EDITED)


def edit(view_id: str | None, name: str = "") -> None:
    """Show the fields that change this view, or with None those of none; only from a callback."""
    st.session_state[_EDITED] = view_id
    st.session_state[RENAMED] = name


def n_done() -> int:
    """Views that were saved or opened in this session; the list closes with each."""
    return int(st.session_state.get(_N_DONE, 0))


def done(told: str) -> None:
    """Close the list, empty the form and say what was done; only from a callback."""
    st.session_state[_N_DONE] = n_done() + 1
    edit(None)
    say(told)


def turn_to(query: Mapping[str, str], models: frozenset[str]) -> None:
    """Turn the page to this address; only from a callback.

    Args:
        query: parameters of the address.
        models: that there are; another one in the address is ignored.
    """
    kept = {key for keys in FILTER_KEYS.values() for key in keys}
    for key in [key for key in st.session_state if str(key).startswith(_COMPARE) and key not in kept]:
        del st.session_state[key]
    if (model := query.get("model")) in models:
        app_state.choose_model(str(model))
    st.query_params.from_dict(dict(query))
