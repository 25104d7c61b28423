"""Anchors: written after the commit when due, whole or not at all, and enough to find a database put back."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine

from core.audit.chain import anchor_of, head_of
from core.audit.findings import FindingKind
from core.store.anchor_file import AnchorFile
from core.store.database import open_database
from tests.audit.chains import make_chain
from tests.audit_store import RING, START, AuditedStore, named

SQLITE_ONLY = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def audited(engine: Engine, tmp_path: Path) -> AuditedStore:
    return AuditedStore(engine, tmp_path)


def anchored(audited: AuditedStore) -> list[int]:
    return [anchor.seq for anchor in audited.anchors.read().anchors]


def test_the_first_event_and_then_every_hundredth_is_anchored(audited: AuditedStore) -> None:
    audited.act(100)
    assert anchored(audited) == [1]
    audited.act(1)
    assert anchored(audited) == [1, 101]
    audited.act(99)
    assert anchored(audited) == [1, 101]


def test_after_ten_minutes_the_next_event_is_anchored(audited: AuditedStore) -> None:
    audited.act(2)
    audited.clock.pass_(minutes=9)
    audited.act()
    assert anchored(audited) == [1]
    audited.clock.pass_(minutes=1)
    assert anchored(audited) == [1]
    audited.act()
    assert anchored(audited) == [1, 4]


def test_another_process_goes_by_the_last_anchor_in_the_file(audited: AuditedStore, tmp_path: Path) -> None:
    audited.act(2)
    other = AuditedStore(audited.engine, tmp_path)
    other.clock.now = audited.clock.now
    other.clock.pass_(minutes=5)
    other.act()
    assert anchored(audited) == [1]
    other.clock.pass_(minutes=5)
    other.act()
    assert anchored(audited) == [1, 4]


def test_closing_anchors_what_is_left_once(audited: AuditedStore) -> None:
    audited.act(5)
    audited.trail.close()
    audited.trail.close()
    assert anchored(audited) == [1, 5]
    assert audited.trail.anchor() is None
    assert audited.verify().is_whole


def test_a_transaction_without_events_is_not_anchored(audited: AuditedStore) -> None:
    with audited.store.write():
        pass
    assert anchored(audited) == []


def test_a_forged_head_is_not_anchored(audited: AuditedStore) -> None:
    audited.act(3)
    audited.tamper("UPDATE audit_head SET seq = 2")
    assert audited.trail.anchor() is None
    assert anchored(audited) == [1]


def test_a_folder_that_cannot_be_written_does_not_undo_the_act(
    audited: AuditedStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "audit").write_text("a file where the folder should be")
    audited.act()
    assert "could not be anchored" in caplog.text
    (tmp_path / "audit").unlink()
    assert audited.verify().n_events == 1


def test_an_anchor_that_could_not_be_written_is_due_with_the_next_event(
    audited: AuditedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_anchor: object) -> None:
        raise OSError(28, "No space left on device")

    audited.act()
    audited.clock.pass_(minutes=10)
    monkeypatch.setattr(audited.anchors, "append", full)
    audited.act()
    monkeypatch.undo()
    audited.act()
    assert anchored(audited) == [1, 3]


@SQLITE_ONLY
def test_a_database_put_back_is_found(audited: AuditedStore, tmp_path: Path) -> None:
    audited.act(3)
    audited.engine.dispose()
    path = Path(str(audited.engine.url.database))
    shutil.copy(path, tmp_path / "backup.db")
    audited.act(4)
    audited.trail.close()
    audited.engine.dispose()
    shutil.copy(tmp_path / "backup.db", path)
    for leftover in tmp_path.glob(f"{path.name}-*"):
        leftover.unlink()
    engine = open_database(str(audited.engine.url))
    restored = AuditedStore(engine, tmp_path)
    assert named(restored.verify()) == [(FindingKind.ROLLED_BACK, 4)]
    restored.act(6)
    assert named(restored.verify()) == [(FindingKind.ROLLED_BACK, 7)]
    engine.dispose()


def test_a_half_written_line_is_told_and_costs_no_other(tmp_path: Path) -> None:
    file = AnchorFile(tmp_path / "audit" / "anchors.jsonl")
    anchors = [anchor_of(head_of(row, RING), START, RING) for row in make_chain(3)]
    for anchor in anchors[:2]:
        file.append(anchor)
    path = tmp_path / "audit" / "anchors.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    torn = file.read()
    assert torn.anchors == (anchors[0],)
    assert "line 2" in torn.notes[0]
    file.append(anchors[2])
    assert file.read().anchors == (anchors[0], anchors[2])
    assert len(file.read().notes) == 1
    assert path.stat().st_mode & 0o077 == 0


def test_without_a_file_there_are_no_anchors(tmp_path: Path) -> None:
    assert AnchorFile(tmp_path / "none.jsonl").read().anchors == ()


@pytest.mark.parametrize("line", [b"[]", b"7", b"{}", b'{"seq": "x"}', b"\xff", b'{"seq":1,"at":"2026"}'])
def test_a_line_that_is_no_anchor_is_told(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "a.jsonl").write_bytes(line + b"\n")
    assert len(AnchorFile(tmp_path / "a.jsonl").read().notes) == 1
