"""The sign-in page, and the form that changes one's own password.

streamlit-authenticator draws the sign-in form; our service verifies, and nothing of it is kept.
"""

import math
import time
from types import SimpleNamespace

import streamlit as st

from app.auth.actions import DEFAULT_PROVIDER, change_password, providers, take_ticket, verify
from app.auth.state import LATE, SIGN_IN, remembered
from app.shared.components.first_field.first_field import start_in
from app.shared.components.ticket_post.ticket_post import post_ticket
from app.shared.resources import resources
from app.shared.templates import draw_welcome
from app.shared.visitors import session_token
from core.domain.accounts import Identity
from core.services.accounts.passwords import MIN_BYTES
from core.services.demo_workspaces import DemoFullError

_LABELS = {"Form name": "Sign in", "Username": "Name", "Password": "Password", "Login": "Sign in"}
_KEY = "sign-in-form"
_WIDTH_PX = 420
_RULES = f"At least {MIN_BYTES} characters. A few words that nobody else would put together are the easiest."


def draw_sign_in() -> None:
    """The page for whoever is not signed in."""
    with st.container(key="sign-in"):
        if ticket := take_ticket():
            st.html('<p class="rk-muted" role="status">Signing in …</p>')
            post_ticket(ticket)
            return
        st.html(
            "<h1>RadiKal</h1><p>Marks indications in radiographs, says how sure it is, and shows why.</p>"
        )
        _draw_form()
        start_in("sign-in")
        _draw_message()
        for provider in providers():
            name = "your organisation" if provider == DEFAULT_PROVIDER else provider.capitalize()
            if st.button(f"Sign in with {name}", key=f"sign-in.{provider}", width="stretch"):
                st.login(None if provider == DEFAULT_PROVIDER else provider)
        _draw_way_into_demo()


def draw_password_change(identity: Identity) -> None:
    """The form; this browser stays signed in, all others are out.

    Where the password must be changed, the form says why, and it is all there is on the page.
    """
    is_alone = identity.must_change_password
    with st.container(horizontal_alignment="center" if is_alone else "left"):
        place = st.empty()
    with place.container(width=_WIDTH_PX if is_alone else "stretch", key="password-change"):
        if is_alone:
            draw_welcome(
                "Choose your own password",
                "The one you signed in with was set by somebody else. Until you have your own, nothing else "
                "is open.",
            )
        with st.form("password.form", border=is_alone):
            current = _password("Current password", "current", "current-password")
            new = _password("New password", "new", "new-password", help=_RULES)
            again = _password("New password again", "again", "new-password")
            is_sent = st.form_submit_button("Change password", type="primary", key="password.send")
        if is_alone:
            start_in("password.current")
        st.caption(f"{_RULES} Your other sessions end.")
        ticket, refusal = change_password(current, new, again) if is_sent else ("", "")
        if refusal:
            st.error(refusal)
    if ticket:
        with place.container():
            st.html('<p class="rk-muted" role="status">Your password is changed. Signing in with it …</p>')
            post_ticket(ticket)


def draw_full_demo(full: DemoFullError) -> None:
    """The page of a guest for whom there is no room."""
    with st.container(key="sign-in"):
        minutes = "a minute" if full.minutes == 1 else f"{full.minutes} minutes"
        draw_welcome(
            "The demo is full", f"{full}. Nobody who works in it is put out: try again in {minutes}."
        )
        st.button("Try again", key="demo-full.again", type="primary")
        st.html('<a class="rk-menu-link" href="/signin">Sign in with an account</a>')


def _password(label: str, key: str, autocomplete: str, *, help: str | None = None) -> str:
    return st.text_input(label, type="password", autocomplete=autocomplete, key=f"password.{key}", help=help)


def _draw_form() -> None:
    from streamlit_authenticator.views import Authenticate  # it takes long and is needed here only

    form = Authenticate.__new__(Authenticate)  # its constructor makes the cookie and reads credentials
    form.attrs = {"login_sleep_time": 0}
    form.path = None
    # its own cookie could be read by scripts and outlives signing out: there is none
    form.cookie_controller = SimpleNamespace(
        get_cookie=lambda: None, set_cookie=lambda: None, delete_cookie=lambda: None
    )
    form.authentication_controller = SimpleNamespace(
        login=lambda username="", password="", *_limits, **_options: verify(username, password)
    )
    form.login(fields=_LABELS, key=_KEY)
    if remembered().ticket:
        st.rerun()  # without the form: what was typed into it is forgotten


def _draw_message() -> None:
    page = remembered()
    if page.locked_until > time.monotonic():
        st.fragment(_draw_lock_out, run_every=1)()
    elif page.message:
        st.error(page.message)
    elif st.query_params.get(SIGN_IN) == LATE:
        st.error("That took too long, or was used already. Nothing happened: sign in again.")
    elif session_token(st.context.cookies) is not None:
        st.info("Your session has ended. What was saved is safe; sign in to go on.")


def _draw_lock_out() -> None:
    left_s = math.ceil(remembered().locked_until - time.monotonic())
    if left_s > 0:
        st.error(f"Too many attempts. Nothing is looked at for another {left_s} s.")
    else:
        st.info("You can try again now.")


def _draw_way_into_demo() -> None:
    if not resources().is_demo:
        return
    if session_token(st.context.cookies) is not None:  # the ended session has to go first
        st.html('<form class="rk-leave" method="post" action="/signout"><button>Try the demo</button></form>')
    else:
        st.html('<a class="rk-menu-link" href="/">Try the demo without an account</a>')
