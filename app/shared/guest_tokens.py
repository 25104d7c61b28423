"""Guest sessions of the demo: an opaque, signed id in an HttpOnly cookie, no account behind it."""

import hashlib
import hmac
import secrets

COOKIE = "radikal_guest"
MAX_AGE_S = 7 * 24 * 3600
_ID_BYTES = 18


class GuestTokens:
    """Issues and checks guest tokens `id.signature`; a token we did not issue is nobody's."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def issue(self) -> str:
        """A token for a new guest."""
        guest = secrets.token_urlsafe(_ID_BYTES)
        return f"{guest}.{self._sign(guest)}"

    def guest_of(self, token: object) -> str | None:
        """The guest's id, None when the token is missing, no text, or not ours."""
        guest, dot, signature = (token if isinstance(token, str) else "").partition(".")
        if not dot or not guest.isascii() or not signature.isascii():
            return None
        return guest if hmac.compare_digest(signature, self._sign(guest)) else None

    def _sign(self, guest: str) -> str:
        return hmac.new(self._key, b"guest:" + guest.encode("ascii"), hashlib.sha256).hexdigest()
