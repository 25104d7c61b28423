"""The cursor in the field that is typed into first, where Streamlit would leave it on the page."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

_SCRIPT = Path(__file__).with_name("first_field.js")


@cache
def _component() -> Callable[..., Any]:
    return st.components.v2.component("radikal_first_field", js=_SCRIPT.read_text(encoding="utf-8"))


def start_in(key: str) -> None:
    """Put the cursor into the field of the container or widget `key` when it comes on show."""
    _component()(data={"key": key.replace(".", "-")}, key=f"start-in-{key}", height=0)
