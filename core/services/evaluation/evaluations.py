"""Comparing versions as people do: which sets there are, what was measured, what differs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.domain.accounts import Identity
from core.domain.errors import BadInputError
from core.domain.kinds import reads_taught_parts
from core.domain.model_version import ModelVersion
from core.domain.permissions import Action, require
from core.domain.ports import Registry
from core.domain.radiograph import Radiograph
from core.domain.reading import equipment_of, setup_from
from core.evaluate.comparison import VersionComparison, compare
from core.evaluate.operating_figures import MeasuredVersion
from core.evaluate.version_differences import DifferenceKind, Places
from core.registry.seen import Seen, seen_by
from core.services.evaluation.evaluation_archive import EvaluationArchive, StoredEvaluation
from core.services.evaluation.evaluation_sets import EvaluationSets, SetContent
from core.services.jobs.jobs import JobService
from core.store.evaluations import EVALUATE, EvaluationSet
from core.store.jobs import Job
from core.store.recent import Recent
from core.store.unit_of_work import Store

#: Offered where there is no set: what the shipped weld versions were neither trained nor calibrated on.
BUILT_IN_NAME, BUILT_IN_COUNT, BUILT_IN_SEED = "60 simulated welds", 60, 320_000
SIMULATED_MODEL = "weld"
_MOST_VERSIONS = 8


@dataclass(frozen=True, slots=True, eq=False)
class VersionOnSet:
    """A version and, where it was measured, what came of it.

    Attributes:
        stored: None when it was not measured on the set by this state of the code.
        seen: what it and the versions that it goes on from have seen.
    """

    version: ModelVersion
    stored: StoredEvaluation | None
    seen: Seen

    @property
    def n_trained_on(self) -> int:
        """Images of the set that it or an ancestor was trained on."""
        if self.stored is None:
            return 0
        now = sum(digest in self.seen.trained for digest in self.stored.outcomes.digests)
        known = int(self.stored.summary["n_trained_on"])  # rendered images are known by their pixels there
        return max(now, known)

    @property
    def n_calibrated_on(self) -> int:
        """Images of the set of parts that calibrated it or an ancestor."""
        if self.stored is None:
            return 0
        return sum(part in self.seen.calibrated for part in self.stored.outcomes.parts)

    @property
    def n_of_trained_parts(self) -> int:
        """Images of the set that trained neither it nor an ancestor, and show a part that did."""
        if self.stored is None:
            return 0
        table, seen = self.stored.outcomes, self.seen
        pairs = zip(table.digests, table.parts, strict=True)
        return sum(part in seen.parts and digest not in seen.trained for digest, part in pairs)

    @property
    def is_judged_on_trained_parts(self) -> bool:
        """It is made for other views of parts that taught it."""
        return reads_taught_parts(self.version.name)

    @property
    def through(self) -> tuple[str, ...]:
        """The ancestors of which it has images of the set, in words."""
        if self.stored is None:
            return ()
        table = self.stored.outcomes
        by = {self.seen.trained[one] for one in table.digests if one in self.seen.trained}
        by |= {self.seen.calibrated[one] for one in table.parts if one in self.seen.calibrated}
        return tuple(sorted(by - {f"{self.version.name} v{self.version.version}"}))

    def is_unseen(self) -> npt.NDArray[np.bool_]:
        """(N,) True for the images of the set that neither trained nor calibrated it or an ancestor.

        Nor may they show a part that trained one of them, unless it is made for such parts.

        Raises:
            BadInputError: it was not measured.
        """
        table, seen = _stored(self).outcomes, self.seen
        known = set(seen.calibrated) | (set() if self.is_judged_on_trained_parts else set(seen.parts))
        pairs = zip(table.digests, table.parts, strict=True)
        return np.array([digest not in seen.trained and part not in known for digest, part in pairs], bool)


def unseen(found: Sequence[VersionOnSet]) -> npt.NDArray[np.bool_]:
    """(N,) True for the images of a set that none of these versions has seen.

    Raises:
        BadInputError: one was not measured.
    """
    clean: npt.NDArray[np.bool_] = np.logical_and.reduce([one.is_unseen() for one in found])
    return clean


class EvaluationService:
    """Evaluations of the real workspace.

    Every method raises NotAllowedError for a role without the right to it.

    Args:
        sets: the evaluation sets.
        archive: evaluations that were made.
        registry: knows the versions.
        jobs: measure.
        store: knows the inspections.
        device: that they measure on.
    """

    def __init__(
        self,
        sets: EvaluationSets,
        archive: EvaluationArchive,
        registry: Registry,
        jobs: JobService,
        store: Store,
        *,
        device: str,
    ) -> None:
        self._store = store
        self._equipment = Recent(self._equipment_of)
        self.sets = sets
        self.archive = archive
        self._registry = registry
        self._jobs = jobs
        self._device = device

    def models(self, identity: Identity) -> list[str]:
        """The models that there are versions of."""
        require(identity, Action.EVALUATIONS_READ)
        return self._registry.names()

    def versions(self, identity: Identity, model: str) -> list[ModelVersion]:
        """Every sound version of a model, newest first.

        Raises:
            ModelNotFoundError: there is no such model.
        """
        require(identity, Action.EVALUATIONS_READ)
        return self._versions(model)

    def measured_on(self, identity: Identity, chosen: EvaluationSet) -> frozenset[int]:
        """Numbers of the versions that were measured on a set by this state of the code."""
        require(identity, Action.EVALUATIONS_READ)
        known = self.archive.on_set(chosen.digest)
        versions = self._versions(chosen.model_name)
        return frozenset(one.version for one in versions if self.archive.key(one, chosen.digest) in known)

    def open(self, identity: Identity, chosen: EvaluationSet, numbers: Sequence[int]) -> list[VersionOnSet]:
        """These versions with what was measured of them on the set, in the order asked for.

        Raises:
            ModelNotFoundError: there is no such version.
            DatasetError: a file of an evaluation is missing or was changed.
        """
        require(identity, Action.EVALUATIONS_READ)
        found = [self._registry.resolve(chosen.model_name, version=number) for number in numbers]
        return [
            VersionOnSet(one, self.archive.stored(one, chosen.digest), seen_by(self._registry, one, folder))
            for one, folder in found
        ]

    def measured(
        self, identity: Identity, one: StoredEvaluation, probability: float | None
    ) -> MeasuredVersion:
        """All figures of a version at an operating probability; None takes its own."""
        require(identity, Action.EVALUATIONS_READ)
        return self.archive.measured(one, probability)

    def compare(
        self, identity: Identity, first: VersionOnSet, second: VersionOnSet, probability: float | None
    ) -> VersionComparison:
        """Differences between two measured versions; nothing is judged on images that trained one of them.

        Raises:
            BadInputError: one of them was not measured.
        """
        require(identity, Action.EVALUATIONS_READ)
        a, b = _stored(first), _stored(second)
        both = ((first, a), (second, b))
        why = "; ".join(
            f"v{one.version.version} was trained on {one.n_trained_on} of these "
            f"{stored.outcomes.n_images} images"
            for one, stored in both
            if one.n_trained_on
        )
        why = why or "; ".join(
            f"{one.n_of_trained_parts} of these {stored.outcomes.n_images} images show parts that trained "
            f"v{one.version.version}"
            for one, stored in both
            if one.n_of_trained_parts and not one.is_judged_on_trained_parts
        )
        fitted = "; ".join(
            f"v{one.version.version} was calibrated on parts of {one.n_calibrated_on} of these "
            f"{stored.outcomes.n_images} images"
            for one, stored in both
            if one.n_calibrated_on
        )
        plan = self.archive.plan(a)
        return compare(
            self.archive.measured(a, probability),
            self.archive.measured(b, probability),
            plan,
            why_not=why,
            why_not_calibrated=fitted,
        )

    def differences(
        self, identity: Identity, first: VersionOnSet, second: VersionOnSet, probability: float | None
    ) -> dict[DifferenceKind, Places]:
        """Every place where two measured versions differ.

        Raises:
            BadInputError: one of them was not measured.
        """
        require(identity, Action.EVALUATIONS_READ)
        return self.archive.differences(_stored(first), _stored(second), probability)

    def equipment(self, identity: Identity, chosen: EvaluationSet) -> Mapping[str, str]:
        """Equipment by sha256 of the images of a set, as the newest inspection that names it says.

        Images that were never inspected here, or without equipment in their setup, are missing.
        """
        require(identity, Action.EVALUATIONS_READ)
        return self._equipment.get(chosen.set_id)

    def _equipment_of(self, set_id: str) -> Mapping[str, str]:
        with self._store.read() as work:
            digests = self.sets.content(work.evaluations.find_set(set_id)).digests
            setups = work.inspections.setups_of(digests)
        named = ((sha256, equipment_of(setup_from(setup))) for sha256, setup in setups)
        return {sha256: equipment for sha256, equipment in named if equipment}

    def content(self, identity: Identity, chosen: EvaluationSet) -> SetContent:
        """The content of a set.

        Raises:
            DatasetError: its list is missing or was changed.
        """
        require(identity, Action.EVALUATIONS_READ)
        return self.sets.content(chosen)

    def radiograph(self, identity: Identity, chosen: EvaluationSet, sha256: str) -> Radiograph:
        """One image of a set, from where it lies.

        Raises:
            BadInputError: the set holds no such image.
            DatasetError: its file was changed.
        """
        require(identity, Action.EVALUATIONS_READ)
        return self.sets.read(self.sets.content(chosen), sha256)

    def start(self, identity: Identity, chosen: EvaluationSet, numbers: Sequence[int]) -> str:
        """The id of the job that measures these versions on the set.

        Raises:
            BadInputError: none or too many are asked for.
            ModelNotFoundError: there is no such version.
        """
        require(identity, Action.EVALUATIONS_MANAGE)
        self._require_versions(chosen.model_name, numbers)
        payload = {"model": chosen.model_name, "versions": list(numbers), "set_id": chosen.set_id}
        return self._jobs.start(identity, EVALUATE, payload, device=self._device)

    def start_simulated(
        self,
        identity: Identity,
        numbers: Sequence[int],
        *,
        name: str = BUILT_IN_NAME,
        count: int = BUILT_IN_COUNT,
        seed: int = BUILT_IN_SEED,
    ) -> str:
        """The id of the job that simulates welds and measures versions of the weld model on them.

        Raises:
            BadInputError: none or too many are asked for.
            ModelNotFoundError: there is no such version.
        """
        require(identity, Action.EVALUATIONS_MANAGE)
        self._require_versions(SIMULATED_MODEL, numbers)
        payload = {
            "model": SIMULATED_MODEL,
            "versions": list(numbers),
            "name": name,
            "count": count,
            "seed": seed,
        }
        return self._jobs.start(identity, EVALUATE, payload, device=self._device)

    def latest_job(self, identity: Identity, model: str) -> Job | None:
        """The last job that measured versions of a model, None when there was none."""
        require(identity, Action.EVALUATIONS_READ)
        jobs = self._jobs.latest(identity, [EVALUATE], limit=20)
        return next((job for job in jobs if job.payload.get("model") == model), None)

    def _versions(self, model: str) -> list[ModelVersion]:
        entries = self._registry.entries(model)
        return [one.version for one in entries if one.version is not None]

    def _require_versions(self, model: str, numbers: Sequence[int]) -> None:
        if not 1 <= len(numbers) <= _MOST_VERSIONS:
            raise BadInputError(f"expected 1 to {_MOST_VERSIONS} versions to measure, got {len(numbers)}")
        for number in numbers:
            self._registry.resolve(model, version=number)


def _stored(one: VersionOnSet) -> StoredEvaluation:
    if one.stored is None:
        raise BadInputError(f"v{one.version.version} was not measured on this set yet")
    return one.stored
