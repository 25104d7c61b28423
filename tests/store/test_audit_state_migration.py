"""To r0011 and back: records of before are taken up once, and what stands in the log stays readable."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, text

from core.audit.findings import FindingKind
from core.services.auditing import AuditService
from core.store.blobs import BlobStore
from core.store.database import upgrade
from tests.audit_store import ADMIN, AuditedStore
from tests.records import add_user
from tests.store.test_disposition_migration import downgrade

BEFORE = "r0013"


@pytest.fixture
def audited(engine: Engine, tmp_path: Path) -> AuditedStore:
    return AuditedStore(engine, tmp_path)


@pytest.fixture
def service(audited: AuditedStore, tmp_path: Path) -> AuditService:
    return AuditService(audited.store, audited.trail, BlobStore(tmp_path / "originals"))


def as_before(audited: AuditedStore, engine: Engine) -> str:
    """A database of the earlier release with an account and its events; the account's id."""
    audited.act(3)
    downgrade(engine, BEFORE)
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO users (user_id, role, is_active, must_change_password, credentials_version, "
                "created_at) VALUES ('u-old', 'inspector', true, false, 1, '2026-01-01 00:00:00')"
            )
        )
        connection.execute(
            text("INSERT INTO people (user_id, name, full_name) VALUES ('u-old', 'old', 'Old Hand')")
        )
    return "u-old"


def test_what_was_there_before_is_no_fault_and_is_taken_up_once(
    audited: AuditedStore, service: AuditService, engine: Engine
) -> None:
    as_before(audited, engine)
    upgrade(engine)
    result = service.verify(ADMIN)
    assert result.is_whole
    assert result.records is not None
    assert result.records.n_unproven == 2
    assert any("cannot be proven (written before database revision r0011)" in note for note in result.notes)

    assert service.take_up(ADMIN) == 2
    assert service.take_up(ADMIN) == 0
    result = service.verify(ADMIN)
    assert result.is_whole
    assert result.records is not None
    assert (result.records.n_unproven, result.records.n_taken_up) == (0, 2)
    assert any("taken up at the upgrade" in note for note in result.notes)


def test_after_the_taking_up_a_change_and_an_added_record_are_found(
    audited: AuditedStore, service: AuditService, engine: Engine
) -> None:
    as_before(audited, engine)
    upgrade(engine)
    service.take_up(ADMIN)
    audited.tamper(
        "UPDATE users SET role = 'admin' WHERE user_id = 'u-old'",
        "INSERT INTO users (user_id, role, is_active, must_change_password, credentials_version, created_at)"
        " VALUES ('u-mine', 'admin', true, false, 1, '2026-01-01 00:00:00')",
    )
    found = service.verify(ADMIN).findings
    assert [fault.kind for fault in found] == [FindingKind.RECORD_ADDED, FindingKind.RECORD_CHANGED]
    assert "user u-mine is there, but no event left it" in found[0].sentence
    assert "user u-old: role is not what event 4 (records.taken_up" in found[1].sentence


def test_every_person_has_a_salt_of_their_own_and_goes_back_without(
    audited: AuditedStore, engine: Engine
) -> None:
    as_before(audited, engine)
    upgrade(engine)
    add_user(audited.store)
    with engine.connect() as connection:
        salts = connection.scalars(text("SELECT salt FROM people")).all()
    assert len(set(salts)) == 2
    assert {len(salt) for salt in salts} == {32}
    downgrade(engine, BEFORE)
    assert "audit_states" not in inspect(engine).get_table_names()
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM people")) == 2
