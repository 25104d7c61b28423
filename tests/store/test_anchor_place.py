"""A second place of anchors: whoever has the database and the file beside it cannot cut the log unseen."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from core.audit.findings import FindingKind
from core.domain.errors import BadInputError, ConfigurationError
from core.services.auditing import AuditService
from core.store.anchor_file import AnchorLines
from core.store.anchor_place import AnchorPlace, open_place
from core.store.audit_trail import AuditTrail
from core.store.blobs import BlobStore
from core.store.unit_of_work import Store
from tests.audit_store import ADMIN, RING, AuditedStore


class Unreachable:
    def append(self, anchor: object) -> None:
        raise OSError("no route to host")

    def read(self) -> AnchorLines:
        raise OSError("no route to host")


@pytest.fixture
def audited(engine: Engine, tmp_path: Path) -> AuditedStore:
    return AuditedStore(engine, tmp_path)


@pytest.fixture
def watched(audited: AuditedStore, tmp_path: Path) -> Callable[[AnchorPlace], AuditService]:
    """The service of the store with this second place."""

    def watch(place: AnchorPlace) -> AuditService:
        trail = AuditTrail(audited.engine, RING, anchors=audited.anchors, copy=place, clock=audited.clock)
        audited.trail = trail
        audited.store = Store(
            audited.engine, open_audit=trail.open, clock=audited.clock, after_write=trail.after_write
        )
        return AuditService(audited.store, trail, BlobStore(tmp_path / "originals"))

    return watch


@pytest.mark.parametrize("where", ["elsewhere/anchors.jsonl", "memory://bucket/{name}"])
def test_a_log_that_was_cut_with_its_anchors_is_found_by_the_second_place(
    audited: AuditedStore, watched: Callable[[AnchorPlace], AuditService], tmp_path: Path, where: str
) -> None:
    place = open_place(where.format(name=tmp_path.name), tmp_path)
    assert place is not None
    service = watched(place)
    audited.act(250)
    assert service.verify(ADMIN).is_whole
    audited.trail.close()
    assert place.read().anchors == audited.anchors.read().anchors

    kept = tmp_path / "audit" / "anchors.jsonl"
    kept.write_bytes(kept.read_bytes().splitlines(keepends=True)[0])
    (fault,) = watched(place).verify(ADMIN).findings
    assert fault.kind is FindingKind.ANCHORS_MISSING
    assert "anchors of the second place, the first of event 101, are not in the file" in fault.sentence


def test_a_second_place_that_cannot_be_reached_stops_nobody_and_is_a_finding(
    audited: AuditedStore, watched: Callable[[AnchorPlace], AuditService]
) -> None:
    service = watched(Unreachable())
    audited.act(2)
    (fault,) = service.verify(ADMIN).findings
    assert "the second place of anchors cannot be read" in fault.sentence
    assert "no route to host" in fault.sentence


def test_anchors_begun_anew_behind_our_back_are_found_until_somebody_says_why(
    audited: AuditedStore, watched: Callable[[AnchorPlace], AuditService], tmp_path: Path
) -> None:
    place = open_place("elsewhere.jsonl", tmp_path)
    assert place is not None
    service = watched(place)
    audited.act(250)
    (tmp_path / "audit" / "anchors.jsonl").unlink()
    audited.act(100)
    kinds = [fault.kind for fault in service.verify(ADMIN).findings]
    assert kinds == [FindingKind.ANCHORS_MISSING] * 2
    with pytest.raises(BadInputError):
        service.begin_anchors(ADMIN, "")
    service.begin_anchors(ADMIN, "the disk was lost")
    assert service.verify(ADMIN).is_whole


def test_a_place_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="AUDIT_ANCHORS_COPY"):
        open_place("nonsense://bucket", tmp_path)


def test_no_second_place_is_none(tmp_path: Path) -> None:
    assert open_place("", tmp_path) is None
