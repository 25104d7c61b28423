"""The figures for the promotion gate, from evaluations that were made before: nothing is measured here."""

from collections.abc import Sequence
from dataclasses import replace

from core.domain.kinds import reads_taught_parts
from core.domain.model_version import ModelVersion
from core.domain.ports import ModelSource
from core.evaluate.gate_measures import Measured, gate_evidence
from core.evaluate.gate_report import GateEvidence, PodFigure
from core.registry.seen import seen_by
from core.services.evaluation.evaluation_archive import EvaluationArchive
from core.services.evaluation.times_in_turn import timed_in_turn
from core.services.evaluation.version_records import VersionRecords, pod_of
from core.services.lifecycle.promoting import GateSet


class StoredEvidence:
    """Evidence from evaluations that were stored.

    Args:
        evaluations: that were made.
        models: gives the data manifest of a version.
        pods: probability of detection by size.
        times: of versions that were timed in turn.
    """

    def __init__(
        self,
        evaluations: EvaluationArchive,
        models: ModelSource,
        pods: VersionRecords,
        times: VersionRecords,
    ) -> None:
        self._evaluations = evaluations
        self._models = models
        self._pods = pods
        self._times = times

    def sets(self, candidate: ModelVersion, champion: ModelVersion | None) -> Sequence[GateSet]:
        """The evaluation sets of the model: those that both were evaluated on first, larger ones first."""
        found = [
            GateSet(
                one.digest,
                one.name,
                one.n_images,
                one.n_boxes,
                all(self._evaluations.has(v, one.digest) for v in (candidate, champion) if v is not None),
            )
            for one in self._evaluations.sets_of(candidate.name)
        ]
        return sorted(found, key=lambda one: (one.is_measured, one.n_images), reverse=True)

    def measured(
        self, candidate: ModelVersion, champion: ModelVersion | None, set_digest: str | None
    ) -> GateEvidence:
        """The figures on the set; those that are missing say why."""
        if champion is not None and champion.version == candidate.version:
            champion = None  # it is compared with nothing but the release threshold
        found = self._timed(self._on_set(candidate, champion, set_digest), candidate, champion)
        return replace(found, pod=self._pod(candidate), champion_pod=self._pod(champion))

    def _timed(
        self, evidence: GateEvidence, candidate: ModelVersion, champion: ModelVersion | None
    ) -> GateEvidence:
        """With the times of both in turn, where the figures were measured and they were timed so."""
        times = None if champion is None else timed_in_turn(self._times, candidate, champion)
        if times is None or evidence.ms_per_image is None or evidence.champion_ms_per_image is None:
            return evidence
        own, other = times
        return replace(evidence, ms_per_image=own, champion_ms_per_image=other, is_timed_in_turn=True)

    def _pod(self, version: ModelVersion | None) -> PodFigure | None:
        figures = None if version is None else pod_of(self._pods, version)
        if figures is None:
            return None
        pod = figures["pod"]
        return PodFigure(
            str(figures["set_digest"]), pod["a90_95"], str(pod["reason"]), int(figures["n_trained_on"])
        )

    def _on_set(
        self, candidate: ModelVersion, champion: ModelVersion | None, set_digest: str | None
    ) -> GateEvidence:
        sets = self.sets(candidate, champion)
        chosen = next((one for one in sets if set_digest in (None, one.digest)), None)
        if chosen is None:
            what = "there is no such evaluation set" if sets else "there is no evaluation set"
            return _nothing(candidate, champion, f"{what} of {candidate.name}")
        wanted = [candidate] if champion is None else [candidate, champion]
        found = [self._measured(version, chosen.digest) for version in wanted]
        missing = [f"v{version.version}" for version, one in zip(wanted, found, strict=True) if one is None]
        own = found[0]
        if missing or own is None:
            which = " and ".join(missing)
            why = f"{which} not measured on {chosen.name} by this state of the code: see Compare"
            return _nothing(candidate, champion, why, chosen)
        return gate_evidence(
            own,
            found[1] if champion is not None else None,
            set_name=chosen.name,
            set_digest=chosen.digest,
            minimum_ap50=_minimum_ap50(candidate),
        )

    def _measured(self, version: ModelVersion, set_digest: str) -> Measured | None:
        stored = self._evaluations.stored(version, set_digest)
        if stored is None:
            return None
        _, folder = self._models.resolve(version.name, version=version.version)
        seen = seen_by(self._models, version, folder)
        return Measured(
            version.version,
            stored.outcomes,
            stored.summary,
            stored.device,
            seen.trained,
            seen.calibrated,
            seen.unknown,
            f"{version.name} v{version.version}",
            version.calibration.inherited_from,
            {} if reads_taught_parts(version.name) else seen.parts,
        )


def _minimum_ap50(version: ModelVersion) -> float | None:
    least = (version.card.get("release") or {}).get("minimum_ap50")
    return float(least) if isinstance(least, int | float) else None


def _nothing(
    candidate: ModelVersion, champion: ModelVersion | None, why: str, of: GateSet | None = None
) -> GateEvidence:
    return GateEvidence(
        candidate=candidate.version,
        champion=None if champion is None else champion.version,
        set_name="" if of is None else of.name,
        set_digest="" if of is None else of.digest,
        n_images=0 if of is None else of.n_images,
        n_boxes=0 if of is None else of.n_boxes,
        minimum_ap50=_minimum_ap50(candidate),
        missing={"": why},
    )
