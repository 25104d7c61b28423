"""The chain of rows: seals, the head that names the newest row, anchors outside of the database."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from core.audit.canonical import moment_text
from core.audit.event import Event, SealedEvent

#: `previous_hash` of the first row.
GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Keyring:
    """The key that seals now and earlier ones that still verify; build it with `keyring`."""

    current_id: str
    keys: Mapping[str, bytes] = field(repr=False)

    @property
    def current(self) -> bytes:
        """The key that seals what is written now."""
        return self.keys[self.current_id]


def keyring(current: bytes, *earlier: bytes) -> Keyring:
    """The ring of these keys, each under the first 8 hex digits of its hash."""
    return Keyring(key_id(current), {key_id(key): key for key in (*earlier, current)})


def key_id(key: bytes) -> str:
    """8 hex digits that name a key without giving it away."""
    return hashlib.sha256(b"radikal audit key:" + key).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Head:
    """The newest row, sealed: without it the removal of the newest rows would leave no trace."""

    seq: int
    hash: str
    key_id: str
    seal: str

    @property
    def is_unused(self) -> bool:
        """True for the head that a new database begins with."""
        return (self.seq, self.hash, self.key_id, self.seal) == (0, GENESIS, "", "")

    def is_genuine(self, ring: Keyring) -> bool:
        """True when a key of the ring sealed it."""
        key = ring.keys.get(self.key_id)
        return key is not None and head_seal(key, self.seq, self.hash) == self.seal


@dataclass(frozen=True, slots=True)
class Anchor:
    """A head that was written down outside of the database, with the time: finds a database put back."""

    seq: int
    hash: str
    at: datetime
    key_id: str
    seal: str

    def is_genuine(self, ring: Keyring) -> bool:
        """True when a key of the ring sealed it."""
        key = ring.keys.get(self.key_id)
        return key is not None and _anchor_seal(key, self.seq, self.hash, self.at) == self.seal


def seal(
    event: Event, previous: Head | None, ring: Keyring, *, records_hash: str | None = None
) -> SealedEvent:
    """The row that `event` becomes behind the row that `previous` names; None starts the chain.

    Args:
        event: what happened.
        previous: names the newest row.
        ring: seals.
        records_hash: digest of the states of the records that the event left, None without any.
    """
    row = SealedEvent(
        seq=1 if previous is None else previous.seq + 1,
        event_id=event.event_id,
        at=event.at,
        actor_id=event.actor_id,
        action=event.action,
        object_type=event.object_type,
        object_id=event.object_id,
        before_hash=event.before_hash,
        after_hash=event.after_hash,
        request_id=event.request_id,
        details=event.details,
        previous_hash=GENESIS if previous is None else previous.hash,
        hash="",
        key_id=ring.current_id,
        seal="",
        records_hash=records_hash,
    )
    content_hash = row.content_hash()
    return replace(row, hash=content_hash, seal=event_seal(ring.current, content_hash))


def head_of(row: SealedEvent, ring: Keyring) -> Head:
    """The head that names `row` as the newest."""
    return Head(row.seq, row.hash, ring.current_id, head_seal(ring.current, row.seq, row.hash))


def anchor_of(head: Head, at: datetime, ring: Keyring) -> Anchor:
    """The anchor to write for `head` now."""
    return Anchor(
        head.seq, head.hash, at, ring.current_id, _anchor_seal(ring.current, head.seq, head.hash, at)
    )


def event_seal(key: bytes, content_hash: str) -> str:
    """The seal of a row with this hash; seals of rows, heads and anchors never stand in for each other."""
    return _mac(key, f"event:{content_hash}")


def head_seal(key: bytes, seq: int, content_hash: str) -> str:
    """The seal of a head."""
    return _mac(key, f"head:{seq}:{content_hash}")


def _anchor_seal(key: bytes, seq: int, content_hash: str, at: datetime) -> str:
    return _mac(key, f"anchor:{seq}:{content_hash}:{moment_text(at)}")


def _mac(key: bytes, message: str) -> str:
    return hmac.digest(key, message.encode("utf-8", "surrogateescape"), "sha256").hex()
