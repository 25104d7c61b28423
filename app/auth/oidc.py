"""Signing in through an identity provider: Streamlit talks OpenID Connect, our sessions take over."""

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.shared.resources import resources
from app.shared.state import SignInState
from core.domain.errors import SignInRefusedError

_DEFAULT = "default"


def ticket_of_visitor(remembered: SignInState) -> str:
    """A ticket for whoever just came back from the identity provider; empty when nobody did.

    A refusal is left in `remembered.message`. One token of the provider is good for one ticket: without
    that, signing out in one tab would be undone by the next click in another.
    """
    claims = _claims()
    if claims is None or remembered.message:
        return ""
    services = resources().services
    try:
        user = services.outside_accounts.account_of(claims)
        token = json.dumps(claims, sort_keys=True, default=str)
        return services.signing_in.ticket_for(user.user_id, oidc_token=token)
    except SignInRefusedError as error:
        remembered.message = f"Not signed in: {error}."
        return ""


def draw_choices() -> None:
    """A button for each identity provider that is configured."""
    for provider in _providers():
        label = "your organisation" if provider == _DEFAULT else provider.capitalize()
        if st.button(f"Sign in with {label}", key=f"sign-in.{provider}", width="stretch"):
            st.login(None if provider == _DEFAULT else provider)


def _providers() -> tuple[str, ...]:
    """Sections below [auth] in Streamlit's secrets, `default` for [auth] itself; none without it."""
    if not st.secrets.load_if_toml_exists() or "auth" not in st.secrets:
        return ()
    section: Mapping[str, Any] = st.secrets["auth"]
    own = (_DEFAULT,) if "client_id" in section else ()
    return own + tuple(
        name for name, value in section.items() if isinstance(value, Mapping) and "client_id" in value
    )


def _claims() -> dict[str, Any] | None:
    """What the identity provider said, verified by Streamlit; None when nobody comes from there."""
    if not _providers() or not st.user.get("is_logged_in"):
        return None
    return dict(st.user.to_dict())
