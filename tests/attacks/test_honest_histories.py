"""Whatever people do through the program verifies as whole; one cell changed after it is found."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from core.audit.findings import FindingKind
from core.domain.accounts import Identity, Role
from core.domain.certificates import Scheme
from core.domain.errors import WorkbenchError
from core.domain.indication import IndicationClass
from core.domain.labels import Label
from core.domain.reading import Call, Setup
from core.domain.records import Disposition, ReviewOutcome
from core.domain.zone import Zone
from core.services.accounts.accounts import AccountService
from core.services.accounts.certificates import CertificateService
from core.services.auditing import AuditService
from core.services.inspections.inspecting import Decision
from core.services.inspections.rule_editing import draft_of
from core.services.inspections.worklists import SetupTemplate
from core.services.workspaces import Workspace, make_workspace
from core.standards.shipped import SHIPPED
from core.store.blobs import BlobStore
from core.store.proven_tables import PROVEN
from core.store.record_comparison import RecordComparison
from core.store.schema import METADATA
from tests.attacks.filled_tables import disarm, other_value
from tests.audit_store import ADMIN, AuditedStore
from tests.conftest import ON_EACH_DATABASE
from tests.records import MINE, PASSWORD, OnePassword, add_user, detection_result, radiograph, store_image

_STEPS = 40


class Day:
    """A workspace in which people do whatever comes to their mind."""

    def __init__(self, engine: Engine, folder: Path, chance: random.Random) -> None:
        self.audited, self.chance = AuditedStore(engine, folder), chance
        store, originals = self.audited.store, folder / "originals"
        self.audit = AuditService(store, self.audited.trail, BlobStore(originals))
        self.audit.take_up(ADMIN)
        self.desk: Workspace = make_workspace(
            "", store, originals, accounts=OnePassword(), seal_key=b"k" * 32
        )
        self.head = add_user(store, Role.ADMIN)
        self.accounts = AccountService(
            store, account_key=lambda name: name, make_hash=lambda said: f"#{said}"
        )
        self.certificates = CertificateService(store)
        self.images = [store_image(store, radiograph(digit)) for digit in "abc"]
        self.people = [add_user(store, role) for role in (Role.INSPECTOR, Role.REVIEWER, Role.ANNOTATOR)]
        self.inspections: list[str] = []
        self.done = dict.fromkeys(self.actions(), 0)

    def actions(self) -> dict[str, Callable[[], object]]:
        return {
            "add": self._add,
            "role": lambda: self.accounts.set_role(
                self.head, self._who().user_id, self.chance.choice(_ROLES)
            ),
            "disable": lambda: self.accounts.disable(self.head, self._who().user_id),
            "enable": lambda: self.accounts.enable(self.head, self._who().user_id),
            "reset": lambda: self.accounts.reset_password(self.head, self._who().user_id),
            "erase": self._erase,
            "certificate": self._certificate,
            "policy": lambda: self.certificates.set_required(self.head, self.chance.random() < 0.2),
            "inspect": self._inspect,
            "read": self._read,
            "decide": lambda: self._decide(Disposition.REJECT, Disposition.ACCEPT, None),
            "sign": self._sign,
            "revise": lambda: self.desk.signing_off.revise(self._who(), self._inspection()),
            "review": self._review,
            "zone": lambda: self.desk.zones.draw(self._who(), self._inspection(), self._zone()),
            "scale": lambda: self.desk.scales.type_pitch(self._who(), self._image(), 0.05),
            "label": self._label,
            "template": self._template,
            "rules": self._rules,
        }

    def step(self) -> None:
        """One act; most of those that are refused leave nothing behind."""
        name = self.chance.choice(list(self.done))
        try:
            self.actions()[name]()
        except WorkbenchError:
            return
        self.done[name] += 1

    def _who(self) -> Identity:
        return self.chance.choice(self.people)

    def _image(self) -> str:
        return self.chance.choice(self.images)

    def _inspection(self) -> str:
        return self.inspections[-1] if self.inspections else "none"

    def _zone(self) -> Zone | None:
        return self.chance.choice([None, Zone(((1, 1), (20, 1), (20, 20)))])

    def _add(self) -> None:
        name, role = f"person{len(self.people)}", self.chance.choice(_ROLES)
        user = self.accounts.add(self.head, name, f"Person {name}", role).user
        self.people.append(Identity(user.user_id, name, role))

    def _erase(self) -> None:
        who = self.people[-1]
        self.accounts.erase(self.head, who.user_id, confirmation=who.name)

    def _certificate(self) -> None:
        who = self._who().user_id
        level = self.chance.choice([1, 2, 3])
        added = self.certificates.add(
            self.head, who, scheme=Scheme("ISO 9712"), method="RT", level=level, number="n-1",
            valid_until=date(2030, 1, 1),
        )  # fmt: skip
        if self.chance.random() < 0.5:
            self.certificates.change(self.head, who, replace(added, number="n-2"))
        if self.chance.random() < 0.5:
            self.certificates.remove(self.head, who, added.certificate_id)

    def _inspect(self) -> None:
        digit = self.chance.choice("abc")
        version = self.chance.choice([1, 2])
        who = self.people[0]
        found = self.desk.inspections.record(who, detection_result(radiograph(digit), version=version))
        self.inspections.append(found.inspection_id)

    def _read(self) -> None:
        who, reading = self._reading()
        said = tuple(replace(one, call=Call.CONFIRMED) for one in reading.indications)
        self.desk.readings.save(who, reading.inspection.inspection_id, said, expected_version=reading.version)

    def _decide(self, *choices: Disposition | None) -> None:
        who, reading = self._reading()
        said = self.chance.choice(choices)
        setup = self.chance.choice([None, Setup(part="flange")])
        self.desk.inspections.decide(
            who, reading.inspection.inspection_id, Decision(said, setup=setup),
            expected_version=reading.inspection.version,
        )  # fmt: skip

    def _sign(self) -> None:
        self._inspect()
        self._read()
        self._decide(Disposition.REJECT)
        who, reading = self._reading()
        self.desk.signing_off.sign(
            who, reading.inspection.inspection_id, PASSWORD, expected_version=reading.inspection.version,
            expected_reading=reading.version, address="127.0.0.1",
        )  # fmt: skip

    def _review(self) -> None:
        reviewer, inspection = self.people[1], self._inspection()
        self.desk.reviews.save_own(reviewer, inspection, [MINE], expected_version=0)
        self.desk.reviews.decide_own(reviewer, inspection, Disposition.REJECT, "at 40 mm", expected_version=0)
        self.desk.reviews.unveil(reviewer, inspection, expected_reading=1, expected_decision=1)
        self.desk.reviews.conclude(
            reviewer, inspection, self.chance.choice(list(ReviewOutcome)), password=PASSWORD,
            address="127.0.0.1", note="seen",
        )  # fmt: skip

    def _reading(self):
        who = self.people[0]
        return who, self.desk.open_readings.open(who, self._inspection()).reading

    def _label(self) -> None:
        annotator, image = self.people[2], self._image()
        sheet = self.desk.labels.open(annotator, image)
        label = Label("h1", (1, 1, 9, self.chance.choice([8, 9])), IndicationClass.CRACK)
        self.desk.labels.save(annotator, image, [label], expected_version=sheet.version)

    def _template(self) -> None:
        name = self.chance.choice(["pipes", "plates/2"])
        self.desk.worklist.save_template(self._who(), name, SetupTemplate(Setup(part="pipe")))

    def _rules(self) -> None:
        rule_set_id = self.chance.choice(list(SHIPPED))
        versions = self.desk.rules.history(self.head, rule_set_id)
        draft = draft_of(versions[0], versions)
        self.desk.rules.save(self.head, rule_set_id, draft, expected_version=versions[0].number)


_ROLES = (Role.INSPECTOR, Role.REVIEWER, Role.ANNOTATOR, Role.ML_ENGINEER)


@pytest.mark.parametrize("seed", range(3))
@ON_EACH_DATABASE
def test_whatever_people_do_is_whole_and_one_changed_cell_is_found(
    engine: Engine, tmp_path: Path, seed: int
) -> None:
    day = Day(engine, tmp_path, random.Random(seed))
    for _ in range(_STEPS):
        day.step()
    result = day.audit.verify(ADMIN)
    said = [fault.sentence for fault in result.findings if fault.kind is not FindingKind.ORIGINAL_MISSING]
    assert said == [], day.done
    assert result.records is not None
    assert (result.records.n_unproven, result.records.n_taken_up) == (0, 0)

    with Session(disarm(engine)) as session:
        for table in PROVEN:
            columns = METADATA.tables[table].columns
            if not (n_rows := session.scalar(text(f"SELECT count(*) FROM {table}"))):
                continue
            column = day.chance.choice([one for one in columns if not one.primary_key])
            place = day.chance.randrange(n_rows)
            condition = _row_at(session, table, place)
            changed = session.execute(
                text(f"UPDATE {table} SET {column.name} = :value WHERE {condition}"),
                {"value": other_value(column)},
            )
            assert changed.rowcount == 1
            found = RecordComparison(session, lambda _n: None).run([table]).faults.kept
            assert [fault.kind for fault in found] == [FindingKind.RECORD_CHANGED], column
            assert f": {column.name} is not what" in found[0].sentence
            session.rollback()


def _row_at(session: Session, table: str, place: int) -> str:
    key = [column.name for column in METADATA.tables[table].primary_key.columns]
    names = ", ".join(key)
    row = session.execute(text(f"SELECT {names} FROM {table} ORDER BY {names} LIMIT 1 OFFSET {place}")).one()
    return " AND ".join(f"{name} = {value!r}" for name, value in zip(key, row, strict=True))
