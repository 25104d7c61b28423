"""Repositories of what follows a promotion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from core.domain.drift import DriftAlarm, DriftResult, Scope, ScopeKind
from core.domain.errors import UnknownRecordError
from core.domain.qualification import Qualification, QualificationScope
from core.domain.shadow import ShadowReading
from core.store.monitoring_tables import (
    DriftAlarmRow,
    FrozenVersionRow,
    ObservationRow,
    QualificationRow,
    ShadowReadingRow,
)
from core.store.record_tables import AnnotationRow, InspectionRow


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """An image that a version read.

    Attributes:
        figures: by name; empty where it could not be observed.
        embedding: (D,) float32; None where it could not be made.
    """

    model_sha256: str
    image_sha256: str
    inspection_id: str
    observed_at: datetime
    equipment: str
    part: str
    figures: Mapping[str, float]
    embedding: npt.NDArray[np.float32] | None


class ObservationRepository:
    """Rows of `observations` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def pending(self, since: datetime, limit: int) -> list[str]:
        """Ids of inspections made since then whose image was not observed for their version, oldest first."""
        query = (
            select(InspectionRow.inspection_id)
            .outerjoin(
                ObservationRow,
                and_(
                    ObservationRow.model_sha256 == InspectionRow.model_sha256,
                    ObservationRow.image_sha256 == InspectionRow.image_sha256,
                ),
            )
            .where(InspectionRow.created_at >= since, ObservationRow.image_sha256.is_(None))
            .order_by(InspectionRow.created_at)
        )
        return list(self._session.scalars(query.limit(limit)))

    def add(self, one: Observation) -> bool:
        """Keep it; False where another process was faster."""
        if self._session.get(ObservationRow, (one.model_sha256, one.image_sha256)) is not None:
            return False
        embedding = None if one.embedding is None else one.embedding.astype("<f2").tobytes()
        self._session.add(
            ObservationRow(
                model_sha256=one.model_sha256,
                image_sha256=one.image_sha256,
                inspection_id=one.inspection_id,
                observed_at=one.observed_at,
                equipment=one.equipment,
                part=one.part,
                figures=dict(one.figures),
                embedding=embedding,
            )
        )
        self._session.flush()
        return True

    def equipment(self) -> set[str]:
        """All equipment that an observed image's setup named."""
        return set(self._session.scalars(select(ObservationRow.equipment).distinct())) - {""}

    def count(self, model_sha256: str, scope: Scope, since: datetime | None) -> int:
        """Observations of the version in the scope."""
        query = select(func.count()).select_from(ObservationRow)
        return self._session.scalar(query.where(*_within(model_sha256, scope, since))) or 0

    def page(
        self, model_sha256: str, scope: Scope, since: datetime | None, *, offset: int, limit: int
    ) -> list[Observation]:
        """Observations of the version in the scope, oldest first."""
        query = select(ObservationRow).where(*_within(model_sha256, scope, since))
        query = query.order_by(ObservationRow.observed_at, ObservationRow.image_sha256)
        return [_observation(row) for row in self._session.scalars(query.offset(offset).limit(limit))]


class DriftAlarmRepository:
    """Rows of `drift_alarms` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, one: DriftAlarm) -> None:
        """Keep it."""
        self._session.add(DriftAlarmRow(**_alarm_values(one)))
        self._session.flush()

    def find(self, alarm_id: str) -> DriftAlarm:
        """The alarm.

        Raises:
            UnknownRecordError: there is none.
        """
        row = self._session.get(DriftAlarmRow, alarm_id, with_for_update=True)
        if row is None:
            raise UnknownRecordError(f"there is no drift alarm {alarm_id[:40]!r}")
        return _alarm(row)

    def save_acknowledged(self, one: DriftAlarm) -> None:
        """Keep who acknowledged it, when and why."""
        row = self._session.get_one(DriftAlarmRow, one.alarm_id)
        row.acknowledged_at, row.acknowledged_by = one.acknowledged_at, one.acknowledged_by
        row.note, row.is_new_reference = one.note, one.is_new_reference
        self._session.flush()

    def of(self, model_sha256: str) -> list[DriftAlarm]:
        """Every alarm of the version, newest first."""
        query = select(DriftAlarmRow).where(DriftAlarmRow.model_sha256 == model_sha256)
        return [_alarm(row) for row in self._session.scalars(query.order_by(DriftAlarmRow.raised_at.desc()))]

    def standing(self) -> list[DriftAlarm]:
        """Every alarm that nobody has acknowledged, newest first."""
        query = select(DriftAlarmRow).where(DriftAlarmRow.acknowledged_at.is_(None))
        return [_alarm(row) for row in self._session.scalars(query.order_by(DriftAlarmRow.raised_at.desc()))]


class ShadowRepository:
    """Rows of `shadow_readings` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def pending(self, champion_sha256: str, challenger_sha256: str, since: datetime, limit: int) -> list[str]:
        """Ids of the champion's inspections whose image the challenger has not read, newest first."""
        query = (
            select(InspectionRow.inspection_id)
            .outerjoin(
                ShadowReadingRow,
                and_(
                    ShadowReadingRow.challenger_sha256 == challenger_sha256,
                    ShadowReadingRow.image_sha256 == InspectionRow.image_sha256,
                ),
            )
            .where(
                InspectionRow.created_at >= since,
                InspectionRow.model_sha256 == champion_sha256,
                ShadowReadingRow.image_sha256.is_(None),
            )
            .order_by(InspectionRow.created_at.desc())
        )
        return list(self._session.scalars(query.limit(limit)))

    def add(self, one: ShadowReading) -> None:
        """Keep it; what another process kept first stays."""
        if self._session.get(ShadowReadingRow, (one.challenger_sha256, one.image_sha256)) is not None:
            return
        values = {name: getattr(one, name) for name in ShadowReading.__dataclass_fields__}
        self._session.add(ShadowReadingRow(**values | {"differences": [dict(d) for d in one.differences]}))
        self._session.flush()

    def count(self, challenger_sha256: str) -> int:
        """Images that the challenger read unseen."""
        query = select(func.count()).select_from(ShadowReadingRow)
        own = ShadowReadingRow.challenger_sha256 == challenger_sha256
        return self._session.scalar(query.where(own, ShadowReadingRow.problem == "")) or 0

    def of(self, challenger_sha256: str, limit: int) -> list[ShadowReading]:
        """The newest readings of a challenger, newest first."""
        query = select(ShadowReadingRow).where(ShadowReadingRow.challenger_sha256 == challenger_sha256)
        rows = self._session.scalars(query.order_by(ShadowReadingRow.read_at.desc()).limit(limit))
        return [_shadow(row) for row in rows]


class QualificationRepository:
    """Rows of `qualifications` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, one: Qualification) -> None:
        """Keep it."""
        scope = one.scope
        own = ("qualification_id", "model_name", "model_version", "model_sha256", "calibration_id")
        self._session.add(
            QualificationRow(
                **{name: getattr(one, name) for name in own},
                procedure=scope.procedure,
                evaluation_set=scope.evaluation_set,
                detection=scope.detection,
                equipment=list(scope.equipment),
                materials=list(scope.materials),
                expires_on=scope.expires_on,
                note=scope.note,
                qualified_by=one.qualified_by,
                qualified_at=one.qualified_at,
                withdrawn_note="",
            )
        )
        self._session.flush()

    def of(self, model_sha256: str, calibration_id: str) -> list[Qualification]:
        """Every record of the version with this calibration, newest first."""
        query = select(QualificationRow).where(
            QualificationRow.model_sha256 == model_sha256, QualificationRow.calibration_id == calibration_id
        )
        rows = self._session.scalars(query.order_by(QualificationRow.qualified_at.desc()))
        return [_qualification(row) for row in rows]

    def withdraw(self, qualification_id: str, *, by: str | None, at: datetime, note: str) -> Qualification:
        """The record, withdrawn.

        Raises:
            UnknownRecordError: there is none that holds.
        """
        row = self._session.get(QualificationRow, qualification_id, with_for_update=True)
        if row is None or row.withdrawn_at is not None:
            raise UnknownRecordError(f"there is no qualification {qualification_id[:40]!r} that holds")
        row.withdrawn_by, row.withdrawn_at, row.withdrawn_note = by, at, note
        self._session.flush()
        return _qualification(row)


class DecidedRepository:
    """Readings that people saved of what a version reported, within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of(
        self, model_sha256: str, calibration_id: str, limit: int
    ) -> list[tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]]:
        """Setup of the inspection and boxes of its newest reading, of the newest `limit` inspections."""
        newest = (
            select(AnnotationRow.track, func.max(AnnotationRow.version).label("version"))
            .group_by(AnnotationRow.track)
            .subquery()
        )
        query = (
            select(InspectionRow.setup, AnnotationRow.boxes)
            .join(AnnotationRow, AnnotationRow.track == InspectionRow.inspection_id)
            .join(
                newest,
                and_(newest.c.track == AnnotationRow.track, newest.c.version == AnnotationRow.version),
            )
            .where(InspectionRow.model_sha256 == model_sha256, InspectionRow.calibration_id == calibration_id)
            .order_by(InspectionRow.created_at.desc())
        )
        return [(setup, boxes) for setup, boxes in self._session.execute(query.limit(limit))]


class FrozenRepository:
    """Rows of `frozen_versions` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of(self, model_name: str, version: int) -> tuple[Mapping[str, str], datetime] | None:
        """Digest by file name, and since when; None where it never came into use."""
        row = self._session.get(FrozenVersionRow, (model_name, version))
        return None if row is None else (row.files, row.frozen_at)

    def add(self, model_name: str, version: int, files: Mapping[str, str], at: datetime) -> None:
        """Keep what the files of the version are from now on."""
        row = FrozenVersionRow(model_name=model_name, version=version, files=dict(files), frozen_at=at)
        self._session.add(row)
        self._session.flush()

    def save(self, model_name: str, version: int, files: Mapping[str, str]) -> None:
        """Keep other files of a version that is kept already.

        Raises:
            UnknownRecordError: it is not.
        """
        row = self._session.get(FrozenVersionRow, (model_name, version), with_for_update=True)
        if row is None:
            raise UnknownRecordError(f"{model_name} v{version} never came into use")
        row.files = dict(files)
        self._session.flush()


def _within(model_sha256: str, scope: Scope, since: datetime | None) -> Sequence[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [ObservationRow.model_sha256 == model_sha256]
    if since is not None:
        found.append(ObservationRow.observed_at >= since)
    if scope.kind is ScopeKind.EQUIPMENT:
        found.append(ObservationRow.equipment == scope.value)
    if scope.kind is ScopeKind.PART:
        found.append(ObservationRow.part == scope.value)
    return found


def _observation(row: ObservationRow) -> Observation:
    kept = row.embedding
    return Observation(
        row.model_sha256,
        row.image_sha256,
        row.inspection_id,
        row.observed_at,
        row.equipment,
        row.part,
        row.figures,
        None if kept is None else np.frombuffer(kept, "<f2").astype(np.float32),
    )


def _alarm_values(one: DriftAlarm) -> dict[str, Any]:
    values = {name: getattr(one, name) for name in DriftAlarm.__dataclass_fields__}
    scope = values.pop("scope")
    result = one.result.to_dict()
    return values | {"scope_kind": scope.kind.value, "scope_value": scope.value, "result": result}


def _alarm(row: DriftAlarmRow) -> DriftAlarm:
    names = [name for name in DriftAlarm.__dataclass_fields__ if name not in ("scope", "result")]
    return DriftAlarm(
        **{name: getattr(row, name) for name in names},
        scope=Scope(ScopeKind(row.scope_kind), row.scope_value),
        result=DriftResult.of_dict(row.result),
    )


def _shadow(row: ShadowReadingRow) -> ShadowReading:
    values = {name: getattr(row, name) for name in ShadowReading.__dataclass_fields__}
    return replace(ShadowReading(**values), differences=tuple(row.differences))


def _qualification(row: QualificationRow) -> Qualification:
    names = [name for name in Qualification.__dataclass_fields__ if name != "scope"]
    scope = QualificationScope(
        procedure=row.procedure,
        evaluation_set=row.evaluation_set,
        expires_on=row.expires_on,
        detection=row.detection,
        equipment=tuple(row.equipment),
        materials=tuple(row.materials),
        note=row.note,
    )
    return Qualification(**{name: getattr(row, name) for name in names}, scope=scope)
