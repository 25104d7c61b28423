"""Searching, exporting and verifying the audit log: for admins, with names that can be erased."""

import csv
import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from core.audit.event import SealedEvent
from core.audit.findings import FindingKind
from core.audit.selection import EventFilter
from core.domain.accounts import COMMAND_LINE, Identity, Role
from core.domain.errors import NotAllowedError
from core.services.auditing import AuditService, ExportFormat, anchored_text
from core.store.blobs import BlobStore
from tests.audit_store import ADMIN, SOMEBODY, START, AuditedStore, named
from tests.records import add_user

EVERYTHING = EventFilter()


@pytest.fixture
def audited(engine: Engine, tmp_path: Path) -> AuditedStore:
    return AuditedStore(engine, tmp_path)


@pytest.fixture
def service(audited: AuditedStore, tmp_path: Path) -> AuditService:
    return AuditService(audited.store, audited.trail, BlobStore(tmp_path / "originals"))


def actions(audited: AuditedStore) -> list[str]:
    with audited.store.read() as work:
        return [event.action for event in work.audit.rows()]


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_only_admins_may_look(service: AuditService, audited: AuditedStore, role: Role) -> None:
    somebody = Identity("u-1", "somebody", role)
    for look in (
        lambda: service.search(somebody, EVERYTHING),
        lambda: service.choices(somebody),
        lambda: service.verify(somebody),
        lambda: service.export(somebody, EVERYTHING, ExportFormat.CSV),
    ):
        with pytest.raises(NotAllowedError):
            look()
    assert actions(audited) == []


def test_a_page_says_where_the_next_one_begins(service: AuditService, audited: AuditedStore) -> None:
    audited.act(5)
    first = service.search(ADMIN, EVERYTHING, limit=3)
    assert [named.event.seq for named in first.events] == [5, 4, 3]
    assert (first.before, first.n_wanted) == (3, 5)
    last = service.search(ADMIN, EVERYTHING, before=first.before, limit=3)
    assert [named.event.seq for named in last.events] == [2, 1]
    assert last.before is None
    assert service.search(ADMIN, EVERYTHING, limit=5).before is None


def test_people_have_their_names_until_they_are_erased(service: AuditService, audited: AuditedStore) -> None:
    person = add_user(audited.store)
    audited.act(identity=Identity(person.user_id, "whatever", Role.INSPECTOR))
    audited.act(identity=COMMAND_LINE)
    audited.act(identity=SOMEBODY)
    with audited.store.write() as work:
        work.audit.record(ADMIN, action="user.disabled", object_type="user", object_id=person.user_id)
    shown = service.search(ADMIN, EVERYTHING).events
    assert [named.actor for named in shown[1:4]] == [SOMEBODY.user_id, "command line", person.name]
    assert shown[0].object_name == person.name
    assert service.choices(ADMIN).actors[person.user_id] == person.name

    with audited.store.write() as work:
        work.users.erase(person.user_id)
    erased = service.search(ADMIN, EVERYTHING).events
    assert erased[-2].actor == f"erased user {person.user_id}"
    assert audited.verify().is_whole
    assert person.name not in "".join(service.export(ADMIN, EVERYTHING, ExportFormat.JSONL))


def test_choices_offer_actions_and_their_groups(service: AuditService, audited: AuditedStore) -> None:
    for action in ("user.added", "user.password.set", "image.added"):
        audited.act(action=action)
    assert service.choices(ADMIN).actions == (
        "image", "image.added", "user", "user.added", "user.password", "user.password.set",
    )  # fmt: skip


def test_an_export_is_in_the_log_before_its_first_line(service: AuditService, audited: AuditedStore) -> None:
    audited.act(2)
    lines = service.export(ADMIN, EventFilter(action="audit", since=START), ExportFormat.CSV)
    assert actions(audited)[-1] == "audit.exported"
    rows = list(csv.DictReader(io.StringIO("".join(lines))))
    assert [row["action"] for row in rows] == ["audit.exported"]
    assert json.loads(rows[0]["details"]) == {
        "format": "csv",
        "wanted": {"action": "audit", "since": START.isoformat()},
    }


def test_an_export_holds_what_is_needed_to_check_it(
    service: AuditService, audited: AuditedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.services.auditing._BATCH", 2)
    audited.act(5)
    exported = [json.loads(line) for line in service.export(ADMIN, EVERYTHING, ExportFormat.JSONL)]
    assert [line["seq"] for line in exported] == [6, 5, 4, 3, 2, 1]
    with audited.store.read() as work:
        rows = {row.seq: row for row in work.audit.rows()}
    for line in exported:
        line.pop("actor")
        read = SealedEvent(**(line | {"at": rows[line["seq"]].at}))
        assert read.content_hash() == line["hash"]


def test_no_field_of_a_csv_is_a_formula(service: AuditService, audited: AuditedStore) -> None:
    audited.act(identity=Identity("=1+1", "x", Role.INSPECTOR))
    text = "".join(service.export(ADMIN, EventFilter(actor_id="=1+1"), ExportFormat.CSV))
    assert ",=1+1" not in text
    assert "'=1+1" in text


def test_verifying_is_in_the_log_and_anchors_a_whole_one(
    service: AuditService, audited: AuditedStore
) -> None:
    audited.act(3)
    audited.clock.pass_(seconds=1)
    result = service.verify(ADMIN)
    assert result.is_whole
    assert result.n_events == 3
    assert anchored_text(result) == "anchored up to event 1 on 2026-03-02 08:00:00 UTC"
    assert actions(audited)[-1] == "audit.verified"
    assert [anchor.seq for anchor in audited.anchors.read().anchors] == [1, 4]
    assert service.verify(ADMIN).anchor.seq == 4


def test_a_damaged_log_is_not_anchored_but_told(service: AuditService, audited: AuditedStore) -> None:
    audited.act(3)
    audited.tamper("UPDATE audit_events SET object_id = 'x' WHERE seq = 2")
    assert named(service.verify(ADMIN)) == [(FindingKind.CHANGED, 2)]
    assert [anchor.seq for anchor in audited.anchors.read().anchors] == [1]
    assert actions(audited)[-1] == "audit.verified"
    assert service.verify(ADMIN).n_findings == 1


def test_verifying_tells_of_a_log_that_cannot_be_written_to(
    service: AuditService, audited: AuditedStore
) -> None:
    audited.act(3)
    audited.tamper("DELETE FROM audit_head")
    result = service.verify(ADMIN)
    assert named(result) == [(FindingKind.HEAD_MISSING, 3)]
    assert "could not be recorded" in result.notes[0]


def test_verifying_tells_of_anchors_that_cannot_be_read_or_written(
    service: AuditService, audited: AuditedStore, tmp_path: Path
) -> None:
    audited.act(1)
    path = tmp_path / "audit" / "anchors.jsonl"
    path.write_bytes(path.read_bytes() + b'{"seq": 2, "ha')
    result = service.verify(ADMIN)
    assert result.is_whole
    assert "line 2" in result.notes[0]
    assert service.search(ADMIN, EventFilter(since=START + timedelta(days=1))).events == ()
