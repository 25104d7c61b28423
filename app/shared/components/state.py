"""Events that components reported in this run."""

from collections.abc import Mapping
from typing import Any

import streamlit as st


def event_of(widget: str, name: str) -> Any:
    """What a component reported under `name`, None when nothing."""
    return getattr(st.session_state.get(widget), name, None)


def mapping_of(widget: str, name: str) -> Mapping[str, Any] | None:
    """The same where a mapping is expected, None when it is none."""
    event = event_of(widget, name)
    return event if isinstance(event, Mapping) else None
