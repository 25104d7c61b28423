"""Users: who may sign in, as what, and what an admin can do about it."""

import streamlit as st

from app.admin.users import render
from app.admin.users.state import chosen, found
from app.shared.access import require_page
from app.shared.resources import resources


def draw() -> None:
    """Draw the page."""
    identity = require_page("users")
    services = resources().services
    users = services.accounts.all(identity)
    n_sessions = services.signing_in.n_open_sessions()
    certificates, standings = services.certificates.all(identity), services.certificates.standings(identity)
    render.draw_bar(
        users,
        is_certificate_required=services.certificates.is_required(identity),
        is_film_first=services.workspace.film_first.is_default(identity),
    )
    table, detail = st.columns([7, 3], gap="small")
    with table:
        render.draw_table(found(users), n_sessions, standings, chosen(users))
    with detail:
        render.draw_password()
        user = chosen(users)
        if user is None:
            render.draw_add_form()
        else:
            held = certificates.get(user.user_id, [])
            render.draw_user(identity, user, n_sessions.get(user.user_id, 0), held)


draw()
