"""One secret in, one key for each purpose out: a key that leaks opens nothing else."""

import hashlib
import hmac
import os
import secrets
from enum import StrEnum
from pathlib import Path

_KEPT_BYTES = 48


class Purpose(StrEnum):
    """Purpose of a derived key."""

    SESSION = "session"
    TICKET = "ticket"
    GUEST = "guest"
    CLIENT = "client"
    AUDIT = "audit"
    SIGNATURE = "signature"
    STREAMLIT = "streamlit"


def derive(secret: bytes, purpose: Purpose) -> bytes:
    """The 32-byte key for `purpose`: HMAC-SHA256 of its name under the secret."""
    return hmac.new(secret, b"radikal:" + purpose.value.encode("ascii"), hashlib.sha256).digest()


def keyed_digest(key: bytes, value: str) -> str:
    """The 64 hex digits of HMAC-SHA256, for storing what must be recognised but not be read."""
    return hmac.new(key, value.encode("utf-8"), hashlib.sha256).hexdigest()


def kept_secret(path: Path) -> bytes:
    """The secret in this file, made on the first call and readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = secrets.token_urlsafe(_KEPT_BYTES).encode("ascii")
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(made)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)  # whole or not at all, and never over another process's
        except FileExistsError:
            return path.read_bytes()
    finally:
        temporary.unlink()
    return made
