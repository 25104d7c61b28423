"""Whether the key that seals now is the one that sealed the newest event, and what to do when it is not."""

from enum import Enum, auto

from core.audit.chain import Head, Keyring

#: Nothing can be appended to a log whose end was changed.
DAMAGED = (
    "the audit log was changed from outside, so nothing can be saved: run `radikal audit verify`, "
    "then restore a backup"
)
_IF_LOST = (
    "Only if it is lost for good, run `radikal key rotate --lost`: then nobody can verify any more what it "
    "sealed"
)
_EARLIER = (
    "the signing key is not the one that sealed the newest event of the audit log, and a change of key is an "
    "event, too; nothing was changed. Stop the server and run `radikal key rotate`"
)
_UNKNOWN = (
    "the newest event of the audit log was sealed with the key {key_id}, which is not known here; nothing "
    "was changed. Put the key back (JWT_SECRET, or signing.key in DATA_DIR), or restart the server if it was "
    f"replaced meanwhile. {_IF_LOST}"
)


class KeyState(Enum):
    """Relation of the newest event to the keys that are known."""

    UNUSED = auto()  # nothing was ever sealed
    CURRENT = auto()
    EARLIER = auto()
    UNKNOWN = auto()
    DAMAGED = auto()  # no head, or one that a known key did not seal


def key_state(head: Head | None, ring: Keyring) -> KeyState:
    """The state of the log that `head` ends."""
    if head is None:
        return KeyState.DAMAGED
    if head.is_unused:
        return KeyState.UNUSED
    if head.key_id not in ring.keys:
        return KeyState.UNKNOWN
    if not head.is_genuine(ring):
        return KeyState.DAMAGED
    return KeyState.CURRENT if head.key_id == ring.current_id else KeyState.EARLIER


def key_problem(head: Head | None, ring: Keyring) -> str | None:
    """Why nothing can be appended, with the remedy; None when the key that seals may go on."""
    match key_state(head, ring):
        case KeyState.EARLIER:
            return _EARLIER
        case KeyState.UNKNOWN:
            return _UNKNOWN.format(key_id="" if head is None else head.key_id)
        case KeyState.DAMAGED:
            return DAMAGED
    return None


def lost_key_file(name: str) -> str:
    """The sentence about a kept key that is gone although it sealed events."""
    return (
        f"{name} in DATA_DIR is missing or empty, but the audit log and signatures are sealed with the key "
        f"in it; nothing was changed. Put it back from a backup. {_IF_LOST}"
    )
