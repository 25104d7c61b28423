"""Signing in by a password or an identity provider, and acts on one's own account."""

import json
import time
from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.auth.state import remembered, wanted_film_first
from app.shared.access import acting, client_address, current_identity
from app.shared.incident import incident
from app.shared.moments import done_words
from app.shared.resources import resources
from core.domain.errors import LockedOutError, SignInRefusedError, WorkbenchError

DEFAULT_PROVIDER = "default"


def verify(name: str, password: str) -> bool:
    """True when name and password are right; the ticket, or why there is none, is remembered."""
    page = remembered()
    page.message, page.locked_until = "", 0.0
    if not name.strip() or not password:
        page.message = "Enter your name and your password."
        return False
    try:
        page.ticket = resources().services.signing_in.verify(name, password, client_address())
    except LockedOutError as error:
        page.locked_until = time.monotonic() + error.retry_after_s
    except SignInRefusedError as error:
        page.message = f"Not signed in: {error}."
    return bool(page.ticket)


def take_ticket() -> str:
    """The ticket of whoever was verified or just came back from an identity provider, once; else empty."""
    page = remembered()
    ticket, page.ticket = page.ticket or _provider_ticket(), ""
    return ticket


def providers() -> tuple[str, ...]:
    """Sections below [auth] in Streamlit's secrets, `default` for [auth] itself; none without it."""
    if not st.secrets.load_if_toml_exists() or "auth" not in st.secrets:
        return ()
    section: Mapping[str, Any] = st.secrets["auth"]
    own = (DEFAULT_PROVIDER,) if "client_id" in section else ()
    return own + tuple(
        name for name, value in section.items() if isinstance(value, Mapping) and "client_id" in value
    )


def change_password(current: str, new: str, again: str) -> tuple[str, str]:
    """A ticket for a session under the new password, or why nothing was changed."""
    if not current or not new:
        return "", "Enter your current password and a new one."
    if new != again:
        return "", "The two new passwords differ; nothing was changed."
    services, identity = resources().services, current_identity()
    try:
        services.own_account.change_password(identity, current, new, address=client_address())
        return services.signing_in.ticket_for(identity.user_id), ""
    except WorkbenchError as error:
        message = str(error)
        return "", f"{message[:1].upper()}{message[1:]}."
    except Exception:  # noqa: BLE001 - the page's edge: logged with its traceback, told with a reference
        return "", incident("Changing the password")


@acting
def end_others() -> None:
    """End all one's own sessions but this one."""
    identity = current_identity()
    n_ended = resources().services.signing_in.end_sessions(
        identity, identity.user_id, "ended from another session", keep=identity.session_id
    )
    sessions = "1 other session" if n_ended == 1 else f"{n_ended} other sessions"
    remembered().said = done_words(f"{sessions} ended")


@acting
def choose_film_first() -> None:
    """Look at the film before the model is shown, or not, as chosen on the account page."""
    resources().services.workspace.film_first.set_own(current_identity(), wanted_film_first())
    remembered().said = done_words("Saved; it counts for radiographs that you open from now on")


def take_notice() -> str:
    """The outcome of the last action on the account page, once."""
    page = remembered()
    said, page.said = page.said, ""
    return said


def _provider_ticket() -> str:
    """A ticket for whoever just came back from the identity provider; empty when nobody did.

    A refusal is remembered. One token of the provider is good for one ticket: without that, signing out in
    one tab would be undone by the next click in another.
    """
    page = remembered()
    if page.message or not providers() or not st.user.get("is_logged_in"):
        return ""
    claims = dict(st.user.to_dict())  # verified by Streamlit
    services = resources().services
    try:
        user = services.outside_accounts.account_of(claims)
        token = json.dumps(claims, sort_keys=True, default=str)
        return services.signing_in.ticket_for(user.user_id, oidc_token=token)
    except SignInRefusedError as error:
        page.message = f"Not signed in: {error}."
        return ""
