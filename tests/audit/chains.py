"""Chains for tests, and what somebody without the key can do to them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from core.audit.chain import GENESIS, Head, Keyring, head_of, keyring, seal
from core.audit.event import Event, SealedEvent

RING = keyring(b"k" * 32)
START = datetime(2026, 1, 31, 7, 5, tzinfo=UTC)


def make_event(number: int, **changes: object) -> Event:
    content = {
        "event_id": f"{number:032x}",
        "at": START + timedelta(seconds=number, microseconds=number),
        "actor_id": f"u-{number % 3:016x}",
        "action": "inspection.decided",
        "object_type": "inspection",
        "object_id": f"i-{number}",
        "details": {"version": number, "disposition": "accept", "score": 0.1 * number},
    }
    return Event(**(content | changes))


def make_chain(n_events: int, ring: Keyring = RING) -> list[SealedEvent]:
    rows: list[SealedEvent] = []
    head = None
    for number in range(1, n_events + 1):
        rows.append(seal(make_event(number), head, ring))
        head = head_of(rows[-1], ring)
    return rows


def newest(rows: Sequence[SealedEvent], ring: Keyring = RING) -> Head:
    """The genuine head of these rows."""
    return head_of(rows[-1], ring) if rows else Head(0, GENESIS, "", "")


def renumbered(rows: Sequence[SealedEvent]) -> list[SealedEvent]:
    """The rows with the places 1, 2, ..., as somebody leaves them who wants no gaps."""
    return [replace(row, seq=seq) for seq, row in enumerate(rows, 1)]


def rehashed(rows: Sequence[SealedEvent]) -> list[SealedEvent]:
    """The rows with every link and hash computed anew; the seals need the key and stay as they are."""
    done: list[SealedEvent] = []
    for row in rows:
        linked = replace(row, previous_hash=done[-1].hash if done else GENESIS)
        done.append(replace(linked, hash=linked.content_hash()))
    return done


def exchanged(rows: Sequence[SealedEvent], a: int, b: int) -> list[SealedEvent]:
    """The rows with the whole contents of the places a and b (from 0) exchanged."""
    done = list(rows)
    done[a], done[b] = replace(rows[b], seq=rows[a].seq), replace(rows[a], seq=rows[b].seq)
    return done


def exchanged_payloads(rows: Sequence[SealedEvent], a: int, b: int) -> list[SealedEvent]:
    """The same, but what ties the rows into the chain stays where it was."""
    kept = ("seq", "previous_hash", "hash", "key_id", "seal")
    done = list(rows)
    done[a] = replace(rows[b], **{name: getattr(rows[a], name) for name in kept})
    done[b] = replace(rows[a], **{name: getattr(rows[b], name) for name in kept})
    return done
