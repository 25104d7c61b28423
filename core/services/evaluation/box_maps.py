"""Maps of what a version's boxes look like to its network, by what became of each."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.domain.accounts import Identity
from core.domain.errors import BadInputError
from core.domain.permissions import Action, require
from core.domain.ports import Registry
from core.evaluate.outcome_table import OutcomeTable
from core.evaluate.principal_axes import principal_axes
from core.explain.box_features import box_features
from core.services.evaluation.evaluation_archive import EvaluationArchive
from core.services.evaluation.evaluation_sets import EvaluationSets
from core.services.inference.detecting import DetectService, normalised_for
from core.store.evaluations import EvaluationSet

Progress = Callable[[int, int], None]
Ints = npt.NDArray[np.int32]
FOUND, FALSE, MISSED = "found", "false call", "missed"
OUTCOMES = (FOUND, FALSE, MISSED)


@dataclass(frozen=True, slots=True, eq=False)
class BoxMap:
    """Boxes of one version on one set, as points.

    Attributes:
        positions: (N, 2) along the first two principal axes of the pooled features.
        shares: (2,) of the variance that each axis holds.
        outcome: (N,) index in `OUTCOMES`, at the version's operating point.
        box, truth: (N,) index of the reported and of the recorded box, -1 for none.
    """

    positions: npt.NDArray[np.float64]
    shares: npt.NDArray[np.float64]
    outcome: Ints
    box: Ints
    truth: Ints


class BoxMaps:
    """Makes and keeps them. Every method raises NotAllowedError for a role without the right to it.

    Args:
        sets: the evaluation sets.
        archive: what was measured on them.
        registry: knows the versions.
        detect: runs their networks.
        folder: of the maps; made when the first is kept.
    """

    def __init__(
        self,
        sets: EvaluationSets,
        archive: EvaluationArchive,
        registry: Registry,
        detect: DetectService,
        folder: Path,
    ) -> None:
        self._sets, self._archive, self._registry = sets, archive, registry
        self._detect, self._folder = detect, folder

    def make(
        self,
        identity: Identity,
        chosen: EvaluationSet,
        number: int,
        *,
        most: int = 600,
        seed: int = 0,
        progress: Progress = lambda *_: None,
    ) -> BoxMap:
        """The map of a version that was measured on the set; kept.

        Args:
            identity: who asks.
            chosen: the set.
            number: of the version.
            most: boxes; more are drawn from, as many of each outcome where there are.
            seed: of the draw.
            progress: told how many boxes of how many.

        Raises:
            BadInputError: the version was not measured on the set.
            DatasetError: an image was changed.
        """
        require(identity, Action.EVALUATIONS_MANAGE)
        version, folder = self._registry.resolve(chosen.model_name, version=number)
        stored = self._archive.stored(version, chosen.digest)
        if stored is None:
            raise BadInputError(f"v{number} was not measured on {chosen.name} yet")
        table, content = stored.outcomes, self._sets.content(chosen)
        outcome, box, truth = _drawn(table, most, seed)
        boxes = np.where((box >= 0)[:, None], _rows(table.boxes, box), _rows(table.truth, truth))
        of_image = np.where(box >= 0, _rows(table.box_image, box), _rows(table.truth_image, truth))
        detector = self._detect.detector_for(version, folder)
        features: dict[int, npt.NDArray[np.float32]] = {}
        for image in np.unique(of_image).tolist():
            members = np.flatnonzero(of_image == image)
            radiograph = self._sets.read(content, content.digests[image])
            pooled = box_features(detector, normalised_for(radiograph, version), boxes[members])
            features |= dict(zip(members.tolist(), pooled, strict=True))
            progress(len(features), len(box))
        rows = np.stack([features[index] for index in range(len(box))]) if len(box) else np.zeros((0, 2))
        made = BoxMap(*principal_axes(rows), outcome, box, truth)
        self._folder.mkdir(parents=True, exist_ok=True)
        np.savez(self._path(chosen, version.sha256), **{key: getattr(made, key) for key in made.__slots__})
        return made

    def of(self, identity: Identity, chosen: EvaluationSet, number: int) -> BoxMap | None:
        """The map that was kept; None where there is none."""
        require(identity, Action.EVALUATIONS_READ)
        version, _ = self._registry.resolve(chosen.model_name, version=number)
        path = self._path(chosen, version.sha256)
        if not path.is_file():
            return None
        with np.load(path, allow_pickle=False) as kept:
            return BoxMap(**{key: kept[key] for key in BoxMap.__slots__})

    def _path(self, chosen: EvaluationSet, sha256: str) -> Path:
        return self._folder / f"{chosen.digest[:32]}-{sha256[:32]}.npz"


def _drawn(table: OutcomeTable, most: int, seed: int) -> tuple[Ints, Ints, Ints]:
    """Outcome, reported and recorded box of at most so many points, evenly over the outcomes."""
    rng, chosen = np.random.default_rng(seed), []
    reported = table.is_reported()
    missed = np.flatnonzero(table.box_of_truth() < 0)
    kinds = (
        np.flatnonzero(reported & (table.matched >= 0)),
        np.flatnonzero(reported & (table.matched < 0)),
        missed,
    )
    left = most
    for rank, kind in enumerate(sorted(range(len(kinds)), key=lambda one: len(kinds[one]))):
        take = min(len(kinds[kind]), left // (len(kinds) - rank))
        left -= take
        picked = np.sort(rng.permutation(kinds[kind])[:take])
        none = np.full(take, -1)
        box, truth = (none, picked) if kind == OUTCOMES.index(MISSED) else (picked, table.matched[picked])
        chosen.append(np.stack([np.full(take, kind), box, truth]))
    outcome, box, truth = np.concatenate(chosen, axis=1).astype(np.int32)
    return outcome, box, truth


def _rows(values: npt.NDArray[np.generic], index: Ints) -> npt.NDArray[np.generic]:
    """The rows of an index; zeros where it is -1."""
    padded = np.concatenate([values, np.zeros((1, *values.shape[1:]), values.dtype)])
    return padded[index]
