"""Evaluations that were made, read back: once for everybody who asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.domain.errors import DatasetError
from core.domain.model_version import ModelVersion
from core.evaluate.operating_figures import MeasuredVersion, operating_figures
from core.evaluate.outcome_table import OutcomeTable
from core.evaluate.resampling import Resampling, resample
from core.evaluate.summary import FIGURES_VERSION
from core.evaluate.version_differences import DifferenceKind, Places, version_differences
from core.evaluate.version_figures import VersionFigures, figures_from
from core.services.evaluation.recent_answers import RecentAnswers
from core.store.array_files import ArrayFiles
from core.store.evaluations import Evaluation, EvaluationKey, EvaluationSet
from core.store.unit_of_work import Store

_KEPT_TABLES, _KEPT_PLANS, _KEPT_ANSWERS = 12, 3, 64
_FIGURES = "figures."


@dataclass(frozen=True, slots=True, eq=False)
class StoredEvaluation:
    """An evaluation with what each box did.

    Attributes:
        key: version, calibration and set that it is of.
        summary: the figures, as `EvaluationSummary.to_dict` gives them.
        outcomes: what each box did.
        figures: with their resamples.
        device: that it ran on.
    """

    key: EvaluationKey
    summary: Mapping[str, Any]
    outcomes: OutcomeTable
    figures: VersionFigures
    device: str


class EvaluationArchive:
    """Evaluations with figures of one version. Safe to share between threads.

    Args:
        store: where evaluations are listed.
        files: where their boxes lie.
        figures_version: of the figures; evaluations of another one do not count.
    """

    def __init__(self, store: Store, files: ArrayFiles, figures_version: int = FIGURES_VERSION) -> None:
        self._store = store
        self._files = files
        self._figures_version = figures_version
        self._tables: RecentAnswers[tuple[OutcomeTable, VersionFigures]] = RecentAnswers(_KEPT_TABLES)
        self._plans: RecentAnswers[Resampling] = RecentAnswers(_KEPT_PLANS)
        self._measured: RecentAnswers[MeasuredVersion] = RecentAnswers(_KEPT_ANSWERS)
        self._differences: RecentAnswers[dict[DifferenceKind, Places]] = RecentAnswers(_KEPT_ANSWERS)

    def key(self, version: ModelVersion, set_digest: str) -> EvaluationKey:
        """The key of an evaluation of the version on the set."""
        return EvaluationKey(
            version.sha256, version.calibration.calibration_id, set_digest, self._figures_version
        )

    def sets_of(self, model: str) -> Sequence[EvaluationSet]:
        """The evaluation sets of a model, newest first."""
        with self._store.read() as work:
            return work.evaluations.sets(model)

    def on_set(self, set_digest: str) -> dict[EvaluationKey, Evaluation]:
        """The evaluations on a set, without figures."""
        with self._store.read() as work:
            return {one.key: one for one in work.evaluations.on_set(set_digest, self._figures_version)}

    def has(self, version: ModelVersion, set_digest: str) -> bool:
        """True when the version was evaluated on the set."""
        return self.key(version, set_digest) in self.on_set(set_digest)

    def stored(self, version: ModelVersion, set_digest: str) -> StoredEvaluation | None:
        """The evaluation; None when there is none.

        Raises:
            DatasetError: its file is missing or was changed.
        """
        with self._store.read() as work:
            found = work.evaluations.find(self.key(version, set_digest))
        if found is None:
            return None
        table, figures = self._tables.get(found.outcomes_sha256, lambda: self._read(found.outcomes_sha256))
        return StoredEvaluation(found.key, found.summary, table, figures, found.device)

    def plan(self, stored: StoredEvaluation) -> Resampling:
        """The resampling of the parts of its set."""
        return self._plans.get(stored.key.set_digest, lambda: resample(stored.outcomes.parts))

    def measured(self, stored: StoredEvaluation, probability: float | None) -> MeasuredVersion:
        """All figures at an operating probability; None takes the version's own."""
        return self._measured.get(
            (stored.key, probability),
            lambda: MeasuredVersion(
                stored.figures,
                operating_figures(stored.outcomes, self.plan(stored), stored.figures.groups, probability),
            ),
        )

    def differences(
        self, first: StoredEvaluation, second: StoredEvaluation, probability: float | None
    ) -> dict[DifferenceKind, Places]:
        """The places where two versions differ, see `version_differences`."""
        return self._differences.get(
            (first.key, second.key, probability),
            lambda: version_differences(first.outcomes, second.outcomes, probability),
        )

    def write(self, table: OutcomeTable, figures: VersionFigures) -> str:
        """The sha256 under which both are kept now."""
        named = {f"{_FIGURES}{name}": values for name, values in figures.to_arrays().items()}
        return self._files.write(table.to_arrays() | named)

    def _read(self, sha256: str) -> tuple[OutcomeTable, VersionFigures]:
        arrays = self._files.read(sha256)
        try:
            figures = {
                name.removeprefix(_FIGURES): a for name, a in arrays.items() if name.startswith(_FIGURES)
            }
            return OutcomeTable.from_arrays(arrays), figures_from(figures)
        except KeyError as error:
            raise DatasetError(f"the evaluation {sha256[:12]} lacks {error}: evaluate again") from error
