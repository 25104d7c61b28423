"""Everything around evaluations, put together from its folder."""

from collections.abc import Sequence
from pathlib import Path

from core.domain.model_version import ModelVersion
from core.services.evaluation.evaluation_archive import EvaluationArchive
from core.services.evaluation.evaluation_sets import EvaluationSets
from core.services.lifecycle.gate_evidence import KnownSet, Stored
from core.store.array_files import ArrayFiles
from core.store.unit_of_work import Store


class GateEvaluations:
    """The archive as the promotion gate asks it."""

    def __init__(self, archive: EvaluationArchive) -> None:
        self._archive = archive

    def sets_of(self, model: str) -> Sequence[KnownSet]:
        """The evaluation sets of a model, newest first."""
        found = self._archive.sets_of(model)
        return [KnownSet(one.digest, one.name, one.n_images, one.n_boxes) for one in found]

    def has(self, version: ModelVersion, set_digest: str) -> bool:
        """True when the version was evaluated on the set."""
        return self._archive.has(version, set_digest)

    def stored(self, version: ModelVersion, set_digest: str) -> Stored | None:
        """That evaluation; None when there is none."""
        found = self._archive.stored(version, set_digest)
        return None if found is None else Stored(dict(found.summary), found.outcomes, found.device)


def make_archive(store: Store, folder: Path) -> EvaluationArchive:
    """The evaluations; what each box did lies below `folder`."""
    return EvaluationArchive(store, ArrayFiles(folder / "outcomes"))


def make_sets(store: Store, folder: Path) -> EvaluationSets:
    """The evaluation sets; their lists and simulated images lie below `folder`."""
    return EvaluationSets(store, folder / "sets")
