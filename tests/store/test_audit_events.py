"""The audit log on real databases: appended in the transaction it tells about, read back as written."""

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from core.audit.chain import keyring
from core.audit.findings import FindingKind
from core.audit.selection import EventFilter
from core.domain.accounts import COMMAND_LINE
from core.domain.errors import SigningKeyError
from core.logs import bound
from core.store.audit_events import AuditLogDamagedError
from core.store.unit_of_work import Work
from tests.audit_store import ADMIN, RING, SOMEBODY, START, AuditedStore, named

EVERYTHING = EventFilter()


@pytest.fixture
def audited(engine: Engine, tmp_path: Path) -> AuditedStore:
    return AuditedStore(engine, tmp_path)


def events(audited: AuditedStore, wanted: EventFilter = EVERYTHING, **paging: int) -> list[int]:
    with audited.store.read() as work:
        return [event.seq for event in work.audit.page(wanted, **paging)]


def test_what_is_recorded_is_read_back_and_verifies(audited: AuditedStore) -> None:
    with bound(request_id="r-1"):
        audited.act(3)
    result = audited.verify()
    assert result.is_whole
    assert (result.n_events, result.newest.seq, result.newest_at) == (3, 3, START)
    with audited.store.read() as work:
        newest = work.audit.page(EVERYTHING)[0]
    assert newest.details == {"n": 2, "share": 2 / 7, "said": "Riß – 裂"}
    assert (newest.actor_id, newest.request_id, newest.at) == (SOMEBODY.user_id, "r-1", START)
    assert newest.content_hash() == newest.hash


def test_an_event_of_a_transaction_that_failed_is_absent(audited: AuditedStore) -> None:
    audited.act()
    with pytest.raises(ZeroDivisionError), audited.store.write() as work:
        fail_after_recording(work)
    audited.act()
    assert audited.verify().is_whole
    assert events(audited) == [2, 1]


def fail_after_recording(work: Work) -> None:
    work.audit.record(SOMEBODY, action="image.added", object_type="image", object_id="lost")
    raise ZeroDivisionError


def test_several_events_of_one_transaction_follow_each_other(audited: AuditedStore) -> None:
    with audited.store.write() as work:
        ids = [
            work.audit.record(SOMEBODY, action="image.added", object_type="image", object_id=str(n))
            for n in range(5)
        ]
    assert len(set(ids)) == 5
    assert audited.verify().is_whole
    with audited.store.read() as work:
        assert [event.event_id for event in work.audit.rows()] == ids


def test_what_cannot_stand_in_the_log_is_refused_with_its_transaction(audited: AuditedStore) -> None:
    with pytest.raises(ValueError, match="secret"), audited.store.write() as work:
        work.audit.record(
            SOMEBODY, action="user.added", object_type="user", object_id="u-1", details={"password": "x"}
        )
    assert events(audited) == []


def test_writers_at_the_same_time_make_one_chain(audited: AuditedStore) -> None:
    threads = [threading.Thread(target=audited.act, args=(15,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    result = audited.verify()
    assert result.is_whole
    assert result.n_events == 60


def test_pages_go_from_new_to_old_without_overlap(audited: AuditedStore) -> None:
    audited.act(7)
    assert events(audited, limit=3) == [7, 6, 5]
    assert events(audited, before=5, limit=3) == [4, 3, 2]
    assert events(audited, before=2, limit=3) == [1]
    assert events(audited, before=1, limit=3) == []


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (EventFilter(), [6, 5, 4, 3, 2, 1]),
        (EventFilter(actor_id=ADMIN.user_id), [6, 5, 4, 3]),
        (EventFilter(action="user"), [6, 5]),
        (EventFilter(action="user.added"), [5]),
        (EventFilter(action="use"), []),
        (EventFilter(action="%"), []),
        (EventFilter(object_type="user", object_id="o-0"), [6, 5]),
        (EventFilter(object_id="o-1"), [4, 2]),
        (EventFilter(since=START + timedelta(hours=1)), [6, 5, 4, 3]),
        (EventFilter(until=START + timedelta(hours=1)), [2, 1]),
        (EventFilter(since=START + timedelta(hours=1), until=START + timedelta(hours=2)), [4, 3]),
    ],
)
def test_filters_find_what_they_say(audited: AuditedStore, wanted: EventFilter, expected: list[int]) -> None:
    audited.act(2)
    audited.clock.pass_(hours=1)
    audited.act(2, identity=ADMIN, action="annotation.saved")
    audited.clock.pass_(hours=1)
    audited.act(1, identity=ADMIN, action="user.added")
    audited.act(1, identity=ADMIN, action="user.disabled")
    assert events(audited, wanted) == expected
    with audited.store.read() as work:
        assert work.audit.count(wanted) == len(expected)
        assert work.audit.actions() == ["annotation.saved", "image.added", "user.added", "user.disabled"]
        assert work.audit.actor_ids() == sorted([ADMIN.user_id, SOMEBODY.user_id])


@pytest.mark.parametrize(
    ("statements", "findings"),
    [
        (["UPDATE audit_events SET actor_id = 'u-1' WHERE seq = 4"], [(FindingKind.CHANGED, 4)]),
        (["UPDATE audit_events SET details = '{\"n\": 9}' WHERE seq = 4"], [(FindingKind.CHANGED, 4)]),
        (["UPDATE audit_events SET at = '2020-01-01 00:00:00' WHERE seq = 1"], [(FindingKind.CHANGED, 1)]),
        (["DELETE FROM audit_events WHERE seq = 5"], [(FindingKind.REMOVED, 5)]),
        (["DELETE FROM audit_events WHERE seq >= 9"], [(FindingKind.REMOVED, 9)]),
        (["DELETE FROM audit_events WHERE seq = 1"], [(FindingKind.REMOVED, 1)]),
        (["DELETE FROM audit_events"], [(FindingKind.REMOVED, 1)]),
        (["DELETE FROM audit_head"], [(FindingKind.HEAD_MISSING, 10)]),
        (
            ["DELETE FROM audit_events WHERE seq = 10", "UPDATE audit_head SET seq = 9, "
             "hash = (SELECT hash FROM audit_events WHERE seq = 9)"],
            [(FindingKind.HEAD_FORGED, 9)],
        ),
        (
            [f"UPDATE audit_events SET seq = {b} WHERE seq = {a}" for a, b in ((3, 99), (7, 3), (99, 7))],
            [(FindingKind.REORDERED, 3), (FindingKind.REORDERED, 7)],
        ),
        (
            ["INSERT INTO audit_events SELECT 11, 'f', at, actor_id, action, object_type, object_id, "
             "before_hash, after_hash, request_id, details, hash, hash, key_id, seal, records_hash "
             "FROM audit_events WHERE seq = 10"],
            [(FindingKind.INSERTED, 11)],
        ),
    ],
)  # fmt: skip
def test_what_is_done_by_hand_is_found_and_named(
    audited: AuditedStore, statements: list[str], findings: list[tuple[FindingKind, int]]
) -> None:
    audited.act(10)
    audited.tamper(*statements)
    assert named(audited.verify()) == findings


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "change",
    [
        "details = 'no json'",
        "details = '[' || hex(zeroblob(9000)) || ']'",
        "at = 'no moment'",
        "actor_id = x'ff00fe'",
        "actor_id = CAST(x'ff' AS TEXT)",
        "hash = ''",
        "seal = 7",
        "object_id = char(0)",
    ],
)
def test_no_damage_stops_the_verification(audited: AuditedStore, change: str) -> None:
    audited.act(5)
    audited.tamper(f"UPDATE audit_events SET {change} WHERE seq = 3")
    assert named(audited.verify()) == [(FindingKind.CHANGED, 3)]
    assert events(audited) == [5, 4, 3, 2, 1]


def test_nothing_is_appended_behind_a_head_that_is_not_ours(audited: AuditedStore) -> None:
    audited.act(3)
    audited.tamper("UPDATE audit_head SET seq = 2")
    with pytest.raises(AuditLogDamagedError, match="radikal audit verify"):
        audited.act()
    audited.tamper("DELETE FROM audit_head")
    with pytest.raises(AuditLogDamagedError):
        audited.act()
    assert events(audited) == [3, 2, 1]


def test_a_removed_newest_event_stays_missing_whatever_is_written_after_it(audited: AuditedStore) -> None:
    audited.act(3)
    audited.tamper("DELETE FROM audit_events WHERE seq = 3")
    audited.act()
    assert named(audited.verify()) == [(FindingKind.REMOVED, 3)]


@pytest.mark.parametrize("earlier", [(), (b"k" * 32,)])
def test_another_key_seals_nothing_until_an_event_says_so(
    audited: AuditedStore, tmp_path: Path, earlier: tuple[bytes, ...]
) -> None:
    audited.act(2)
    later = AuditedStore(audited.engine, tmp_path, keyring(b"n" * 32, *earlier))
    with pytest.raises(SigningKeyError, match="nothing was changed"):
        later.act()
    with later.store.write() as work:
        work.audit.record_key_change(COMMAND_LINE, before=RING.current_id, is_lost=not earlier)
    later.act()
    verified = later.verify()
    assert verified.n_events == 4
    assert {kind for kind, _ in named(verified)} == (set() if earlier else {FindingKind.UNKNOWN_KEY})
    with pytest.raises(SigningKeyError, match="restart the server if it was replaced"):
        audited.act()  # a server that goes on with the key from before


def test_a_key_that_is_not_known_is_followed_only_when_it_is_said_to_be_lost(
    audited: AuditedStore, tmp_path: Path
) -> None:
    audited.act(2)
    later = AuditedStore(audited.engine, tmp_path, keyring(b"n" * 32))
    with pytest.raises(SigningKeyError), later.store.write() as work:
        work.audit.record_key_change(COMMAND_LINE, before=RING.current_id, is_lost=False)


def test_a_head_with_a_made_up_key_does_not_hide_removed_events(audited: AuditedStore) -> None:
    audited.act(3)
    audited.tamper(
        "DELETE FROM audit_events WHERE seq = 3",
        "UPDATE audit_head SET key_id = '00000000', seq = 2, hash = "
        "(SELECT hash FROM audit_events WHERE seq = 2)",
    )
    with pytest.raises(AuditLogDamagedError):
        audited.act()


def test_reading_whole_goes_batch_by_batch(audited: AuditedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.store.audit_events._BATCH", 4)
    audited.act(9)
    assert audited.verify().n_events == 9
    assert audited.verify().is_whole


def test_verifying_sees_one_state_while_others_write(audited: AuditedStore) -> None:
    audited.act(3)
    with audited.store.read() as work:
        work.audit.hold_still()
        head = work.audit.head()
        audited.act(2)
        assert head is not None
        assert [row.seq for row in work.audit.rows()][-1] == head.seq == 3


def test_seals_depend_on_the_key(audited: AuditedStore) -> None:
    audited.act()
    with audited.store.read() as work:
        head = work.audit.head()
    assert head is not None
    assert head.is_genuine(RING)
    assert not replace(head, seq=2).is_genuine(RING)
    with audited.engine.connect() as connection:
        assert connection.scalar(text("SELECT key_id FROM audit_events")) == RING.current_id
