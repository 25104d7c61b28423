"""The form that changes one's own password; this browser stays signed in, all others are out."""

import streamlit as st

from app.shared.access import client_address
from app.shared.components.first_field.first_field import start_in
from app.shared.components.ticket_post.ticket_post import post_ticket
from app.shared.incident import incident
from app.shared.resources import resources
from core.domain.accounts import Identity
from core.domain.errors import WorkbenchError
from core.services.accounts.passwords import MIN_BYTES

_WIDTH_PX = 420
_RULES = f"At least {MIN_BYTES} characters. A few words that nobody else would put together are the easiest."


def draw_password_change(identity: Identity) -> None:
    """The form; where the password must be changed, it says why, and it is all there is on the page."""
    is_alone = identity.must_change_password
    with st.container(horizontal_alignment="center" if is_alone else "left"):
        place = st.empty()
    with place.container(width=_WIDTH_PX if is_alone else "stretch", key="password-change"):
        if is_alone:
            st.html(
                '<div class="rk-welcome"><h1>Choose your own password</h1><p class="rk-muted">The one you '
                "signed in with was set by somebody else. Until you have your own, nothing else is open."
                "</p></div>"
            )
        with st.form("password.form", border=is_alone):
            current = st.text_input(
                "Current password", type="password", autocomplete="current-password", key="password.current"
            )
            new = st.text_input(
                "New password", type="password", autocomplete="new-password", key="password.new", help=_RULES
            )
            again = st.text_input(
                "New password again", type="password", autocomplete="new-password", key="password.again"
            )
            is_sent = st.form_submit_button("Change password", type="primary", key="password.send")
        if is_alone:
            start_in("password.current")
        st.caption(f"{_RULES} Your other sessions end.")
        refusal = _refusal(current, new, again) if is_sent else ""
        ticket = ""
        if is_sent and not refusal:
            ticket, refusal = _change(identity, current, new)
        if refusal:
            st.error(refusal)
    if ticket:
        with place.container():
            st.html('<p class="rk-muted" role="status">Your password is changed. Signing in with it …</p>')
            post_ticket(ticket)


def _refusal(current: str, new: str, again: str) -> str:
    """What is wrong with what was typed, before anybody is asked; empty when nothing is."""
    if not current or not new:
        return "Enter your current password and a new one."
    return "" if new == again else "The two new passwords differ; nothing was changed."


def _change(identity: Identity, current: str, new: str) -> tuple[str, str]:
    """A ticket for a session under the new password, or why there is none."""
    services = resources().services
    try:
        services.own_account.change_password(identity, current, new, address=client_address())
        return services.signing_in.ticket_for(identity.user_id), ""
    except WorkbenchError as error:
        message = str(error)
        return "", f"{message[:1].upper()}{message[1:]}."
    except Exception:  # noqa: BLE001 - the page's edge: logged with its traceback, told with a reference
        return "", incident("Changing the password")
