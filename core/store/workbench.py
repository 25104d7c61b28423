"""The repositories of worklists, templates, rule sets, scales and disagreements."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from core.domain.radiograph import Polarity
from core.store.workbench_tables import (
    DisagreementRow,
    ImageScaleRow,
    RuleSetRow,
    SetupTemplateRow,
    WorklistRow,
)


@dataclass(frozen=True, slots=True, eq=False)
class KeptWorklistEntry:
    """An image on somebody's worklist.

    Attributes:
        polarity: as a person stated it; UNKNOWN where nobody did.
        model: the registered model that reads it.
        batch: shared by what was handed in together; empty for an image alone.
        is_model_chosen: a person chose the model for this very image.
    """

    entry_id: str
    user_id: str
    image_sha256: str
    name: str
    polarity: Polarity
    model: str
    setup: Mapping[str, Any]
    added_at: datetime
    batch: str = ""
    is_model_chosen: bool = False


class WorklistRepository:
    """Rows of `worklist` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def put(self, entry: KeptWorklistEntry) -> None:
        """Put the image on the worklist, in place of an earlier entry of it."""
        same = (WorklistRow.user_id == entry.user_id, WorklistRow.image_sha256 == entry.image_sha256)
        self._session.execute(delete(WorklistRow).where(*same))
        self._session.add(
            WorklistRow(
                entry_id=entry.entry_id,
                user_id=entry.user_id,
                image_sha256=entry.image_sha256,
                name=entry.name,
                polarity=entry.polarity.value,
                model=entry.model,
                setup=dict(entry.setup),
                added_at=entry.added_at,
                batch=entry.batch,
                is_model_chosen=entry.is_model_chosen,
            )
        )
        self._session.flush()

    def state_polarity(self, user_id: str, entry_ids: Collection[str], polarity: Polarity) -> None:
        """Keep the polarity that a person stated for these entries."""
        mine = (WorklistRow.user_id == user_id, WorklistRow.entry_id.in_(entry_ids))
        self._session.execute(update(WorklistRow).where(*mine).values(polarity=polarity.value))

    def remove(self, user_id: str, entry_id: str) -> None:
        """Remove the image from the worklist; nothing happens when it is not there."""
        mine = (WorklistRow.user_id == user_id, WorklistRow.entry_id == entry_id)
        self._session.execute(delete(WorklistRow).where(*mine))

    def change(
        self, user_id: str, entry_id: str, *, model: str | None = None, setup: Mapping[str, Any] | None = None
    ) -> None:
        """Store another model, which a person chose for it, or setup of an image.

        Nothing happens when it is not on the worklist.
        """
        row = self._session.get(WorklistRow, entry_id)
        if row is None or row.user_id != user_id:
            return
        row.model = row.model if model is None else model
        row.is_model_chosen = row.is_model_chosen or model is not None
        row.setup = row.setup if setup is None else dict(setup)
        self._session.flush()

    def of(self, user_id: str, limit: int) -> list[KeptWorklistEntry]:
        """The newest `limit` entries, in the order they were added."""
        query = select(WorklistRow).where(WorklistRow.user_id == user_id)
        query = query.order_by(WorklistRow.added_at.desc(), WorklistRow.entry_id).limit(limit)
        rows = list(self._session.scalars(query))
        return [
            KeptWorklistEntry(
                entry_id=row.entry_id,
                user_id=row.user_id,
                image_sha256=row.image_sha256,
                name=row.name,
                polarity=Polarity(row.polarity),
                model=row.model,
                setup=row.setup,
                added_at=row.added_at,
                batch=row.batch,
                is_model_chosen=row.is_model_chosen,
            )
            for row in reversed(rows)
        ]


class TemplateRepository:
    """Rows of `setup_templates` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def put(self, name: str, setup: Mapping[str, Any], *, by: str | None, at: datetime) -> None:
        """Keep the setup under this name, in place of an earlier one."""
        self._session.execute(delete(SetupTemplateRow).where(SetupTemplateRow.name == name))
        self._session.add(SetupTemplateRow(name=name, setup=dict(setup), saved_by=by, saved_at=at))
        self._session.flush()

    def remove(self, name: str) -> None:
        """Forget the template; nothing happens when there is none."""
        self._session.execute(delete(SetupTemplateRow).where(SetupTemplateRow.name == name))

    def all(self) -> dict[str, Mapping[str, Any]]:
        """Every setup by name, in order of names."""
        rows = self._session.scalars(select(SetupTemplateRow).order_by(SetupTemplateRow.name))
        return {row.name: row.setup for row in rows}


@dataclass(frozen=True, slots=True)
class KeptRuleSet:
    """A version of an acceptance table that an admin saved, as YAML."""

    rule_set_id: str
    version: int
    sha256: str
    text: str
    saved_by: str | None
    saved_at: datetime


class RuleSetRepository:
    """Rows of `rule_sets` within one transaction; written once."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, kept: KeptRuleSet) -> None:
        """Store a version.

        Raises:
            IntegrityError: there is one of this number already.
        """
        self._session.add(
            RuleSetRow(
                rule_set_id=kept.rule_set_id,
                version=kept.version,
                sha256=kept.sha256,
                text=kept.text,
                saved_by=kept.saved_by,
                saved_at=kept.saved_at,
            )
        )
        self._session.flush()

    def newest(self, rule_set_id: str) -> KeptRuleSet | None:
        """The newest version, None when nobody saved one."""
        query = select(RuleSetRow).where(RuleSetRow.rule_set_id == rule_set_id)
        row = self._session.scalar(query.order_by(RuleSetRow.version.desc()).limit(1))
        return None if row is None else _kept_rule_set(row)

    def ids(self) -> list[str]:
        """Every rule set that somebody saved, by id."""
        query = select(RuleSetRow.rule_set_id).distinct().order_by(RuleSetRow.rule_set_id)
        return list(self._session.scalars(query))

    def history(self, rule_set_id: str) -> list[KeptRuleSet]:
        """Every version, oldest first."""
        query = select(RuleSetRow).where(RuleSetRow.rule_set_id == rule_set_id).order_by(RuleSetRow.version)
        return [_kept_rule_set(row) for row in self._session.scalars(query)]


def _kept_rule_set(row: RuleSetRow) -> KeptRuleSet:
    return KeptRuleSet(row.rule_set_id, row.version, row.sha256, row.text, row.saved_by, row.saved_at)


@dataclass(frozen=True, slots=True)
class KeptScale:
    """A scale that somebody entered for an image: a known length and how many px it takes up.

    Attributes:
        is_typed: it is the pitch of one px of film or detector, typed; otherwise the length was drawn.
    """

    scale_id: str
    image_sha256: str
    mm_per_px: float
    known_mm: float
    measured_px: float
    set_by: str | None
    set_at: datetime
    is_typed: bool = False


class ScaleRepository:
    """Rows of `image_scales` within one transaction; written once."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, kept: KeptScale) -> None:
        """Store a scale; it counts until the next one, also where the clock was set back in between."""
        before = self.newest(kept.image_sha256)
        if before is not None and kept.set_at <= before.set_at:
            kept = replace(kept, set_at=before.set_at + timedelta(microseconds=1))
        self._session.add(
            ImageScaleRow(
                scale_id=kept.scale_id,
                image_sha256=kept.image_sha256,
                mm_per_px=kept.mm_per_px,
                known_mm=kept.known_mm,
                measured_px=kept.measured_px,
                set_by=kept.set_by,
                set_at=kept.set_at,
                is_typed=kept.is_typed,
            )
        )
        self._session.flush()

    def newest(self, image_sha256: str, *, until: datetime | None = None) -> KeptScale | None:
        """The scale that counts, or counted at the moment `until`; None when nobody had measured one."""
        query = select(ImageScaleRow).where(ImageScaleRow.image_sha256 == image_sha256)
        if until is not None:
            query = query.where(ImageScaleRow.set_at <= until)
        row = self._session.scalar(query.order_by(ImageScaleRow.set_at.desc()).limit(1))
        if row is None:
            return None
        return KeptScale(
            row.scale_id,
            row.image_sha256,
            row.mm_per_px,
            row.known_mm,
            row.measured_px,
            row.set_by,
            row.set_at,
            row.is_typed,
        )


@dataclass(frozen=True, slots=True, eq=False)
class KeptDisagreement:
    """A difference between a signed reading and the model; `indication` as a box of the reading."""

    disagreement_id: str
    inspection_id: str
    image_sha256: str
    kind: str
    indication: Mapping[str, Any]
    created_at: datetime


class DisagreementRepository:
    """Rows of `disagreements` within one transaction; written once."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, found: Sequence[KeptDisagreement]) -> None:
        """Store them."""
        for one in found:
            self._session.add(
                DisagreementRow(
                    disagreement_id=one.disagreement_id,
                    inspection_id=one.inspection_id,
                    image_sha256=one.image_sha256,
                    kind=one.kind,
                    indication=dict(one.indication),
                    created_at=one.created_at,
                )
            )
        self._session.flush()

    def of_inspection(self, inspection_id: str) -> list[KeptDisagreement]:
        """Those of an inspection, in the order they were found."""
        query = select(DisagreementRow).where(DisagreementRow.inspection_id == inspection_id)
        return [
            KeptDisagreement(
                row.disagreement_id,
                row.inspection_id,
                row.image_sha256,
                row.kind,
                row.indication,
                row.created_at,
            )
            for row in self._session.scalars(query.order_by(DisagreementRow.disagreement_id))
        ]

    def count(self) -> int:
        """Their number."""
        return int(self._session.scalar(select(func.count()).select_from(DisagreementRow)) or 0)
