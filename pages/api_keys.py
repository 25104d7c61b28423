"""API keys: which programs may call, in whose name, for what, and until when."""

import streamlit as st

from app.admin.api_keys import render
from app.admin.api_keys.state import chosen
from app.shared.access import require_page
from app.shared.resources import resources


def draw() -> None:
    """Draw the page."""
    identity = require_page("api-keys")
    services = resources().services
    found = services.api_keys.all(identity)
    table, detail = st.columns([7, 3], gap="small")
    key = chosen(found.keys)
    with table:
        render.draw_table(found, key)
    with detail:
        render.draw_secret()
        if key is None:
            render.draw_add_form(services.accounts.all(identity))
        else:
            render.draw_key(key, found)


draw()
