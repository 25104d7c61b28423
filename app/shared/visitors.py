"""The person behind a request: of an account's session, else in the demo a guest."""

import hashlib
from collections.abc import Mapping

from app.shared.guest_tokens import COOKIE
from app.shared.resources import resources
from core.domain.accounts import Identity, Role

SESSION_COOKIE = "radikal_session"


def identity_of(
    cookies: Mapping[str, str], *, touch: bool = True, address: str | None = None
) -> Identity | None:
    """The person who sent these cookies, None for a stranger.

    A session that ended is nobody's, in the demo too, until its owner signs in again or out: they should see
    that it ended, not work on as somebody else without noticing.

    Args:
        cookies: of the request.
        touch: it counts as use of the session.
        address: where they come from; without it no workspace is made for a guest who has none.
    """
    held = resources()
    if (token := session_token(cookies)) is not None:
        return held.services.signing_in.who(token, touch=touch)
    guest = held.tokens.guest_of(cookies.get(COOKIE)) if held.is_demo else None
    return None if guest is None else guest_identity(guest, address)


def session_token(cookies: Mapping[str, str]) -> str | None:
    """The token of a session, good or ended, among these cookies; None without one."""
    token = cookies.get(SESSION_COOKIE)
    return token if token and isinstance(token, str) else None


def guest_identity(token_id: str, address: str | None = None) -> Identity:
    """The guest behind an id from a guest cookie; the id itself stays in the cookie."""
    digest = hashlib.sha256(token_id.encode("utf-8")).hexdigest()
    return Identity(f"guest-{digest[:16]}", "guest", Role.GUEST, address=address)
