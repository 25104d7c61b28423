"""The repository of evaluation sets and of what was measured on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from core.domain.errors import BadInputError
from core.store.learning_tables import EvaluationRow, EvaluationSetRow

#: The kind of job that makes evaluations, a key of `JOB_KINDS`.
EVALUATE = "evaluate"


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """Images with recorded boxes that versions are measured on.

    Attributes:
        digest: of images and boxes: the same content is the same set.
        source: where the images lie and how the set came about, see
            `core.services.evaluation.evaluation_sets`.
        created_by: id of the account, None for a command.
        created_at: UTC.
    """

    set_id: str
    name: str
    model_name: str
    digest: str
    source: Mapping[str, Any] = field(hash=False)
    n_images: int
    n_boxes: int
    created_by: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class EvaluationKey:
    """Identity of an evaluation.

    Attributes:
        figures_version: of what turns pixels into figures, `core.evaluate.summary.FIGURES_VERSION`.
    """

    model_sha256: str
    calibration_id: str
    set_digest: str
    figures_version: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A version measured on a set.

    Attributes:
        summary: the figures, as `EvaluationSummary.to_dict` gives them; empty in lists.
        outcomes_sha256: of the file that holds what each box did.
        device: "cpu" or "cuda", as it ran.
        elapsed_ms: time to detect on all images.
        created_by: id of the account, None for a command.
        created_at: UTC.
    """

    evaluation_id: str
    model_name: str
    model_version: int
    key: EvaluationKey
    outcomes_sha256: str
    device: str
    elapsed_ms: float
    created_by: str | None
    created_at: datetime
    summary: Mapping[str, Any] = field(default_factory=dict, hash=False)


class EvaluationRepository:
    """Rows of `evaluation_sets` and `evaluations` within one transaction; written once."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add_set(self, one: EvaluationSet) -> None:
        """Store a new set; its name and its content must be new.

        Raises:
            BadInputError: the name is taken, or the same content is there already.
        """
        for known in self.sets():
            if known.digest == one.digest:
                raise BadInputError(f"these images and boxes are the evaluation set {known.name!r} already")
            if known.name == one.name:
                raise BadInputError(f"there is an evaluation set {one.name!r} already: choose another name")
        self._session.add(
            EvaluationSetRow(
                set_id=one.set_id,
                name=one.name,
                model_name=one.model_name,
                digest=one.digest,
                source=dict(one.source),
                n_images=one.n_images,
                n_boxes=one.n_boxes,
                created_by=one.created_by,
                created_at=one.created_at,
            )
        )
        self._session.flush()

    def sets(self, model_name: str | None = None) -> list[EvaluationSet]:
        """Every set, the newest first; None takes those of every model."""
        query = select(EvaluationSetRow).order_by(EvaluationSetRow.created_at.desc(), EvaluationSetRow.name)
        if model_name is not None:
            query = query.where(EvaluationSetRow.model_name == model_name)
        return [_set(row) for row in self._session.scalars(query)]

    def find_set(self, set_id: str) -> EvaluationSet:
        """The set with this id.

        Raises:
            BadInputError: there is none.
        """
        row = self._session.get(EvaluationSetRow, set_id)
        if row is None:
            raise BadInputError(f"there is no evaluation set {set_id[:40]}")
        return _set(row)

    def add(self, one: Evaluation) -> None:
        """Store a new evaluation; the same one again is left as it is."""
        if self.find(one.key) is not None:
            return
        self._session.add(
            EvaluationRow(
                evaluation_id=one.evaluation_id,
                model_name=one.model_name,
                model_version=one.model_version,
                model_sha256=one.key.model_sha256,
                calibration_id=one.key.calibration_id,
                set_digest=one.key.set_digest,
                figures_version=one.key.figures_version,
                summary=dict(one.summary),
                outcomes_sha256=one.outcomes_sha256,
                device=one.device,
                elapsed_ms=one.elapsed_ms,
                created_by=one.created_by,
                created_at=one.created_at,
            )
        )
        self._session.flush()

    def find(self, key: EvaluationKey) -> Evaluation | None:
        """The evaluation with its figures, None when there is none."""
        row = self._session.scalar(
            select(EvaluationRow).where(
                EvaluationRow.model_sha256 == key.model_sha256,
                EvaluationRow.calibration_id == key.calibration_id,
                EvaluationRow.set_digest == key.set_digest,
                EvaluationRow.figures_version == key.figures_version,
            )
        )
        return None if row is None else _evaluation(row, row.summary)

    def on_set(self, set_digest: str, figures_version: int) -> Sequence[Evaluation]:
        """Evaluations on a set with figures of this version, newest first, without the figures."""
        query = (
            select(EvaluationRow)
            .options(defer(EvaluationRow.summary))
            .where(EvaluationRow.set_digest == set_digest, EvaluationRow.figures_version == figures_version)
            .order_by(EvaluationRow.created_at.desc())
        )
        return [_evaluation(row, {}) for row in self._session.scalars(query)]


def _set(row: EvaluationSetRow) -> EvaluationSet:
    return EvaluationSet(
        set_id=row.set_id,
        name=row.name,
        model_name=row.model_name,
        digest=row.digest,
        source=row.source,
        n_images=row.n_images,
        n_boxes=row.n_boxes,
        created_by=row.created_by,
        created_at=row.created_at,
    )


def _evaluation(row: EvaluationRow, summary: Mapping[str, Any]) -> Evaluation:
    return Evaluation(
        evaluation_id=row.evaluation_id,
        model_name=row.model_name,
        model_version=row.model_version,
        key=EvaluationKey(row.model_sha256, row.calibration_id, row.set_digest, row.figures_version),
        outcomes_sha256=row.outcomes_sha256,
        device=row.device,
        elapsed_ms=row.elapsed_ms,
        created_by=row.created_by,
        created_at=row.created_at,
        summary=summary,
    )
