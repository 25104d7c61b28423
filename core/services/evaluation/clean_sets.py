"""The part of an evaluation set that versions have not seen, as a set of its own to judge them on."""

from collections.abc import Sequence

from core.domain.accounts import Identity
from core.domain.errors import BadInputError
from core.domain.permissions import Action, require
from core.services.evaluation.evaluation_archive import EvaluationArchive
from core.services.evaluation.evaluation_sets import LONGEST_NAME
from core.services.evaluation.evaluations import EvaluationService, unseen
from core.services.evaluation.keeping import keep_evaluation
from core.store.evaluations import EvaluationSet
from core.store.unit_of_work import Store


class CleanSets:
    """Makes sets of the images that neither trained nor calibrated versions, or those they go on from.

    Args:
        store: of the evaluations.
        evaluations: that were made on whole sets.
        archive: where their outcomes lie.
    """

    def __init__(self, store: Store, evaluations: EvaluationService, archive: EvaluationArchive) -> None:
        self._store = store
        self._evaluations = evaluations
        self._archive = archive

    def judge(self, identity: Identity, chosen: EvaluationSet, numbers: Sequence[int]) -> EvaluationSet:
        """The set of those images of `chosen` that none of the versions has seen.

        What was measured of them on the whole set counts on it at once: nothing is read again.

        Args:
            identity: who wants it.
            chosen: a set that all of them were measured on.
            numbers: of the versions.

        Raises:
            BadInputError: one was not measured, or they have seen all images, or none.
        """
        require(identity, Action.EVALUATIONS_MANAGE)
        found = self._evaluations.open(identity, chosen, numbers)
        keep = unseen(found)
        names = ", ".join(f"v{number}" for number in sorted(numbers))
        if keep.all():
            raise BadInputError(f"{names} have seen no image of {chosen.name}: judge on all of them")
        if not keep.any():
            raise BadInputError(f"{names} have seen every image of {chosen.name}: nothing is left")
        words = f", unseen by {names}"
        clean = self._evaluations.sets.subset(
            identity, chosen, keep.tolist(), chosen.name[: LONGEST_NAME - len(words)] + words
        )
        content = self._evaluations.sets.content(clean)
        for one in found:
            if one.stored is not None and not self._archive.has(one.version, clean.digest):
                keep_evaluation(
                    self._store,
                    self._archive,
                    one.version,
                    clean,
                    content,
                    one.stored.outcomes.subset(keep),
                    n_trained_on=0,
                    device=one.stored.device,
                    by=identity,
                )
        return clean
