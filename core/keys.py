"""One secret in, one key for each purpose out: a key that leaks opens nothing else."""

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secret that every key is derived from, and earlier ones, whose seals can still be verified."""

    current: bytes = field(repr=False)
    earlier: tuple[bytes, ...] = field(default=(), repr=False)

    def key(self, purpose: Purpose) -> bytes:
        """The key for one purpose."""
        return derive(self.current, purpose)

    def keys(self, purpose: Purpose) -> tuple[bytes, ...]:
        """The key for one purpose, then the earlier ones."""
        return tuple(derive(secret, purpose) for secret in (self.current, *self.earlier))


class KeyFile:
    """The secret that is kept with the data, and beside it those that it replaced, one a line.

    Both files are readable by their owner only, and on the disk when a method returns.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._earlier = path.with_name(f"{path.name}.previous")

    @property
    def name(self) -> str:
        """Name of the file."""
        return self._path.name

    def read(self) -> bytes | None:
        """The secret; None where none was made, or it was lost or emptied."""
        return _content(self._path)

    def earlier(self) -> tuple[bytes, ...]:
        """The secrets that were replaced, the oldest first."""
        return tuple((_content(self._earlier) or b"").split())

    def make(self) -> bytes:
        """The secret, made now unless another process was faster.

        Raises:
            OSError: it could not be written, or an empty file stands in its place.
        """
        made = secrets.token_urlsafe(_KEPT_BYTES).encode("ascii")
        temporary = self._written(made)
        try:
            os.link(temporary, self._path)  # whole or not at all, and never over another process's
        except FileExistsError:
            if (kept := self.read()) is None:
                raise
            return kept
        finally:
            temporary.unlink()
        return made

    def replace(self) -> bytes:
        """A new secret in place of the one that was kept, which joins the earlier ones first."""
        kept = self.read()
        if kept is not None and kept not in self.earlier():
            self._written(b"\n".join((*self.earlier(), kept)) + b"\n").replace(self._earlier)
        made = secrets.token_urlsafe(_KEPT_BYTES).encode("ascii")
        self._written(made).replace(self._path)
        return made

    def _written(self, content: bytes) -> Path:
        """A new file beside the secret."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = self._path.with_name(f".{self._path.name}-{secrets.token_hex(4)}")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        return temporary


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes() or None
    except FileNotFoundError:
        return None
