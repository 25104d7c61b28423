"""One entry of the audit log: who did what to which object, and the row it becomes."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.audit.canonical import canonical_json, moment_text, plain, stored_json

_ID = re.compile(r"[0-9a-f]{32}")
_HASH = re.compile(r"[0-9a-f]{64}")
_ACTION = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_OBJECT_TYPE = re.compile(r"[a-z][a-z0-9_]*")
#: Characters at most, as the table has room for.
_LENGTHS = {"actor_id": 40, "action": 64, "object_type": 32, "object_id": 128, "request_id": 64}
_LONGEST_DETAILS = 8_192
#: Parts of keys that announce a secret, and whole keys that announce a person.
_SECRET_KEYS = ("password", "passphrase", "token", "secret", "cookie", "credential")
_PERSONAL_KEYS = frozenset(
    {"name", "user_name", "full_name", "sign_in_name", "email", "mail", "phone", "address", "client", "ip"}
)


@dataclass(frozen=True, slots=True)
class Event:
    """An event before it has a place in the chain.

    Attributes:
        event_id: 32 hex digits, never used twice.
        at: when, with its zone.
        actor_id: the opaque id of whoever acted; the person's name is kept elsewhere and can be erased.
        action: dotted words such as `user.added`.
        object_type, object_id: what it was done to.
        before_hash, after_hash: SHA-256 of the object's canonical JSON; None where there was or is none.
        request_id: joins the event with the log lines of its request, None outside of one.
        details: plain JSON without names, addresses or secrets.

    Raises:
        ValueError, TypeError: an attribute is not what it is said to be above.
    """

    event_id: str
    at: datetime
    actor_id: str
    action: str
    object_type: str
    object_id: str
    before_hash: str | None = None
    after_hash: str | None = None
    request_id: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _require(_ID, "event_id", self.event_id)
        _require(_ACTION, "action", self.action)
        _require(_OBJECT_TYPE, "object_type", self.object_type)
        for name in ("before_hash", "after_hash"):
            if (value := getattr(self, name)) is not None:
                _require(_HASH, name, value)
        for name, longest in _LENGTHS.items():
            value = getattr(self, name)
            if value is not None and not (0 < len(value) <= longest and value.isprintable()):
                raise ValueError(f"{name}: expected 1 to {longest} printable characters, got {value!r}")
        moment_text(self.at)
        object.__setattr__(self, "details", _checked_details(self.details))


@dataclass(frozen=True, slots=True)
class SealedEvent:
    """A row of the log as it stands in the database, whoever wrote it: nothing is checked here.

    Attributes:
        seq: place in the chain, from 1, without gaps.
        at: None where the database holds something that is no moment.
        details: None where the database holds something that is no JSON.
        previous_hash: `hash` of the row before; 64 zeros in the first.
        hash: SHA-256 of the canonical JSON of everything above.
        key_id: which key sealed it.
        seal: HMAC-SHA256 of the hash.
        records_hash: digest of the states of the records that the event left, see `core.audit.records`; None
            where it touched none, and in events written before there were states.
    """

    seq: int
    event_id: str
    at: datetime | None
    actor_id: str
    action: str
    object_type: str
    object_id: str
    before_hash: str | None
    after_hash: str | None
    request_id: str | None
    details: Any
    previous_hash: str
    hash: str
    key_id: str
    seal: str
    records_hash: str | None = None

    def content_hash(self, *, seq: int | None = None, previous_hash: str | None = None) -> str:
        """The hash that this content has, optionally at another place in the chain. 64 hex digits."""
        content = {
            "seq": self.seq if seq is None else seq,
            "event_id": self.event_id,
            "at": None if self.at is None else moment_text(self.at),
            "actor_id": self.actor_id,
            "action": self.action,
            "object_type": self.object_type,
            "object_id": self.object_id,
            "before_hash": self.before_hash,
            "after_hash": self.after_hash,
            "request_id": self.request_id,
            "details": self.details,
            "previous_hash": self.previous_hash if previous_hash is None else previous_hash,
            **({} if self.records_hash is None else {"records_hash": self.records_hash}),
        }
        return hashlib.sha256(stored_json(content)).hexdigest()


def _require(pattern: re.Pattern[str], name: str, value: str) -> None:
    if not pattern.fullmatch(value):
        raise ValueError(f"{name}: expected {pattern.pattern}, got {value!r}")


def _checked_details(details: Mapping[str, Any]) -> dict[str, Any]:
    checked: dict[str, Any] = plain(details)
    if (size := len(canonical_json(checked))) > _LONGEST_DETAILS:
        raise ValueError(f"details: expected at most {_LONGEST_DETAILS} bytes of JSON, got {size}")
    for text in _texts(checked):
        if "\0" in text or not _is_unicode(text):
            raise ValueError(f"details: expected texts that a database can hold, got {text!r}")
    for key in _keys(checked):
        low = key.lower()
        if any(part in low for part in _SECRET_KEYS):
            raise ValueError(f"details: {key!r} looks like a secret, which never belongs into the log")
        if low in _PERSONAL_KEYS:
            raise ValueError(
                f"details: {key!r} looks like a person's; the log names people by their id only, because it "
                "cannot forget"
            )
    return checked


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _is_unicode(text: str) -> bool:
    """False for a text with half of a surrogate pair, which UTF-8 cannot hold."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _keys(inner)
