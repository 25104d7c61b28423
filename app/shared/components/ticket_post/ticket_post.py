"""The form that hands a sign-in ticket to the server: a POST, so that it is in no address and no log."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

_FOLDER = Path(__file__).parent


@cache
def _component() -> Callable[..., Any]:
    return st.components.v2.component(
        "radikal_ticket_post",
        html=(_FOLDER / "ticket_post.html").read_text(encoding="utf-8"),
        css=(_FOLDER / "ticket_post.css").read_text(encoding="utf-8"),
        js=(_FOLDER / "ticket_post.js").read_text(encoding="utf-8"),
    )


def post_ticket(ticket: str) -> None:
    """Make the browser post the ticket at once and come back to the address it shows now."""
    _component()(data={"ticket": ticket}, key="sign-in-post")
