"""Certificates of people on SQLite and on PostgreSQL: kept by admins, checked when somebody signs."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from core.audit.selection import EventFilter
from core.domain.accounts import COMMAND_LINE, Identity, Role
from core.domain.certificates import Certificate, Scheme
from core.domain.errors import BadInputError, NotAllowedError, UnknownRecordError, UnknownUserError
from core.domain.records import Disposition, ReviewOutcome, Signature
from core.services.accounts.certificates import CertificateService
from core.services.inspections.inspecting import Decision
from core.services.workspaces import Workspace, make_workspace
from core.store.unit_of_work import Store
from tests.conftest import ON_EACH_DATABASE
from tests.records import PASSWORD, Clock, OnePassword, add_user, detection_result, new_store, store_image

pytestmark = ON_EACH_DATABASE
LAST = date(2026, 3, 31)
RT = {"scheme": Scheme.ISO_9712, "method": "RT", "level": 2, "number": "4711", "valid_until": LAST}


@pytest.fixture
def store(engine: Engine) -> Store:
    return new_store(engine)


@pytest.fixture
def service(store: Store) -> CertificateService:
    return CertificateService(store)


@pytest.fixture
def admin(store: Store) -> Identity:
    return add_user(store, Role.ADMIN)


@pytest.fixture
def inspector(store: Store) -> Identity:
    return add_user(store)


def events(store: Store, action: str) -> list:
    with store.read() as work:
        return list(work.audit.page(EventFilter(action=action), limit=9))


def test_what_an_admin_adds_changes_and_removes_comes_back(service, store, admin, inspector) -> None:
    added = service.add(admin, inspector.user_id, **RT)
    assert service.own(inspector)[0] == [added]
    assert service.all(admin) == {inspector.user_id: [added]}
    longer = replace(added, valid_until=date(2031, 3, 31), number="4712")
    assert service.change(admin, inspector.user_id, longer) == longer
    assert service.own(inspector)[0] == [longer]
    service.remove(admin, inspector.user_id, added.certificate_id)
    assert service.own(inspector)[0] == []
    for action in ("certificate.added", "certificate.changed", "certificate.removed"):
        (event,) = events(store, action)
        assert (event.object_type, event.object_id) == ("user", inspector.user_id)
        told = {name: value for name, value in event.details.items() if name != "certificate"}  # a random id
        assert "471" not in str(told)  # the number names a person
    assert events(store, "certificate.changed")[0].details["is_number_changed"]


def test_who_may_change_certificates(service, admin, inspector) -> None:
    added = service.add(admin, inspector.user_id, **RT)
    for refused in (
        lambda: service.add(inspector, inspector.user_id, **RT),
        lambda: service.change(inspector, inspector.user_id, added),
        lambda: service.remove(inspector, inspector.user_id, added.certificate_id),
        lambda: service.set_required(inspector, True),
        lambda: service.all(inspector),
    ):
        with pytest.raises(NotAllowedError):
            refused()
    with pytest.raises(UnknownUserError):
        service.add(admin, "u-nobody", **RT)
    with pytest.raises(UnknownRecordError):
        service.remove(admin, admin.user_id, added.certificate_id)
    with pytest.raises(BadInputError, match="has this certificate already"):
        service.add(admin, inspector.user_id, **{**RT, "level": 3, "method": "rt"})


def test_erasing_a_person_removes_the_certificates(service, store, admin, inspector) -> None:
    service.add(admin, inspector.user_id, **RT)
    with store.write() as work:
        work.users.erase(inspector.user_id)
    assert service.all(admin) == {}


def test_signing_needs_no_certificate_until_an_admin_says_so(service, store, admin, inspector) -> None:
    assert not service.is_required(inspector)
    service.set_required(admin, False)
    assert events(store, "policy.changed") == []
    service.set_required(admin, True)
    service.set_required(admin, True)
    assert service.is_required(inspector)
    (event,) = events(store, "policy.changed")
    assert event.details == {"needs_certificate": True}
    service.set_required(COMMAND_LINE, False)
    assert not service.is_required(inspector)


# --- with a signature


class Desk:
    """A workspace at a moment that is moved, with one inspection that can be signed."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.clock = Clock(datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC))
        self.store = new_store(engine)
        self.store._clock = self.clock
        store_image(self.store)
        self.certificates = CertificateService(self.store)
        self.workspace: Workspace = make_workspace(
            "", self.store, folder, accounts=OnePassword(), seal_key=b"k" * 32
        )
        self.inspector, self.reviewer = add_user(self.store), add_user(self.store, Role.REVIEWER)
        made = self.workspace.inspections.record(self.inspector, detection_result(n=0))
        self.inspection_id = made.inspection_id
        self.workspace.inspections.decide(
            self.inspector, self.inspection_id, Decision(Disposition.REFER), expected_version=1
        )

    def certify(self, who: Identity) -> Certificate:
        return self.certificates.add(COMMAND_LINE, who.user_id, **RT)

    def sign(self) -> Signature:
        return self.workspace.signing_off.sign(
            self.inspector, self.inspection_id, PASSWORD, expected_version=2, expected_reading=0,
            address="127.0.0.1",
        )  # fmt: skip

    def review(self) -> None:
        reviews = self.workspace.reviews
        reviews.decide_own(self.reviewer, self.inspection_id, Disposition.REFER, expected_version=0)
        reviews.unveil(self.reviewer, self.inspection_id, expected_reading=0, expected_decision=1)
        reviews.conclude(
            self.reviewer, self.inspection_id, ReviewOutcome.CONCURS, PASSWORD, address="127.0.0.1"
        )

    def kept(self, signature_id: str):
        with self.store.read() as work:
            return work.signatures.certificate(signature_id)


@pytest.fixture
def desk(engine: Engine, tmp_path: Path) -> Desk:
    return Desk(engine, tmp_path)


def test_the_valid_certificate_goes_with_the_signature_and_stays_as_it_was(desk: Desk) -> None:
    certificate = desk.certify(desk.inspector)
    signature = desk.sign()
    desk.certificates.remove(COMMAND_LINE, desk.inspector.user_id, certificate.certificate_id)
    assert desk.kept(signature.signature_id) == certificate.to_dict()


def test_without_a_certificate_the_signature_states_none(desk: Desk) -> None:
    assert desk.kept(desk.sign().signature_id) is None


def test_the_last_second_of_the_last_day_in_utc_signs_and_the_next_does_not(desk: Desk) -> None:
    desk.certify(desk.inspector)
    desk.certificates.set_required(COMMAND_LINE, True)
    desk.clock.advance(seconds=1)
    with pytest.raises(NotAllowedError, match="of level 2 or 3 here, and yours ended on"):
        desk.sign()
    desk.clock.advance(seconds=-1)
    assert desk.kept(desk.sign().signature_id) is not None


def test_an_expired_certificate_signs_where_none_is_required_and_is_not_stated(desk: Desk) -> None:
    desk.certify(desk.inspector)
    desk.clock.advance(seconds=1)
    assert desk.kept(desk.sign().signature_id) is None


def test_the_second_person_needs_a_certificate_too(desk: Desk) -> None:
    desk.certify(desk.inspector)
    desk.certificates.set_required(COMMAND_LINE, True)
    desk.sign()
    with pytest.raises(NotAllowedError, match="your account has none"):
        desk.review()
    desk.certify(desk.reviewer)
    desk.workspace.reviews.conclude(
        desk.reviewer, desk.inspection_id, ReviewOutcome.CONCURS, PASSWORD, address="127.0.0.1"
    )
    with desk.store.read() as work:
        signatures = work.signatures.of_inspection(desk.inspection_id)
    assert [desk.kept(one.signature_id)["number"] for one in signatures] == ["4711", "4711"]
