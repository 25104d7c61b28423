"""The figures that the promotion gate asks for, from what each box of two versions did on the same images."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.evaluate.gate_report import GateEvidence, Interval, PairedFigure
from core.evaluate.outcome_table import OutcomeTable
from core.evaluate.resampling import Resampling, expanded_interval, resample

_NO_BOXES = "no boxes are recorded in the set"
_OTHER_IMAGES = "the two versions were not evaluated on the same images: evaluate both again"


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A version on a set.

    Attributes:
        outcomes: what each box did.
        summary: the figures, as `EvaluationSummary.to_dict` gives them.
        device: that it ran on.
        trained_on: sha256 of every image that it was trained on.
    """

    version: int
    outcomes: OutcomeTable
    summary: Mapping[str, Any]
    device: str
    trained_on: Collection[str]


def gate_evidence(
    candidate: Measured,
    champion: Measured | None,
    *,
    set_name: str,
    set_digest: str,
    minimum_ap50: float | None,
    seed: int = 0,
) -> GateEvidence:
    """Evidence for the gate.

    Args:
        candidate: the version that is to serve.
        champion: the one that serves; None when there is none.
        set_name: of the images, for people.
        set_digest: of images and boxes.
        minimum_ap50: the release threshold on the candidate's card.
        seed: of the bootstrap.
    """
    table, summary = candidate.outcomes, candidate.summary
    plan = resample(table.parts, seed=seed)
    hits, reported = _hits(table), table.per_image(table.box_image, table.is_reported())
    truth = table.per_image(table.truth_image, np.ones(len(table.truth), np.bool_))
    ones = np.ones(table.n_images)
    recall, recall_draws = _ratio(plan, hits, truth)
    is_same = champion is not None and champion.outcomes.digests == table.digests
    missing = {} if recall is not None else {"recall": _NO_BOXES}
    paired_recall = paired_calls = None
    if champion is not None and is_same:
        other = champion.outcomes
        other_reported = other.per_image(other.box_image, other.is_reported())
        paired_recall = _paired(plan, (hits, truth), (_hits(other), truth))
        paired_calls = _paired(plan, (reported - hits, ones), (other_reported - _hits(other), ones))
    elif champion is not None:
        missing |= dict.fromkeys(("recall", "false_calls_per_image"), _OTHER_IMAGES)
    own_ms, other_ms, reason = _times(candidate, champion)
    return GateEvidence(
        candidate=candidate.version,
        champion=None if champion is None else champion.version,
        set_name=set_name,
        set_digest=set_digest,
        n_images=table.n_images,
        n_boxes=len(table.truth),
        n_parts=plan.n_parts,
        recall=paired_recall,
        candidate_recall=recall,
        candidate_recall_interval=expanded_interval(recall_draws, plan.n_parts),
        false_calls_per_image=paired_calls,
        d_ece=summary.get("d_ece"),
        d_ece_band=_interval(summary.get("d_ece_band")),
        ms_per_image=own_ms,
        champion_ms_per_image=other_ms,
        n_trained_on=_overlap(table, candidate),
        champion_trained_on=None if champion is None else _overlap(table, champion),
        ap50=summary.get("ap50"),
        ap50_interval=_interval(summary.get("ap50_ci")),
        minimum_ap50=minimum_ap50,
        missing=dict(summary.get("not_evaluable") or {})
        | missing
        | ({"ms_per_image": reason} if reason else {}),
    )


def _hits(table: OutcomeTable) -> npt.NDArray[np.int64]:
    """(N,) recorded boxes of each image that a reported one found."""
    return table.per_image(table.truth_image, table.box_of_truth() >= 0)


def _ratio(
    plan: Resampling, over: npt.NDArray[Any], under: npt.NDArray[Any]
) -> tuple[float | None, npt.NDArray[np.float64]]:
    """Sum of `over` by sum of `under`, and the same of each resample; None and NaN where that is nothing."""
    totals = plan.totals(under)
    draws = np.divide(plan.totals(over), totals, out=np.full(len(totals), np.nan), where=totals > 0)
    return (float(over.sum() / under.sum()) if under.sum() else None), draws


def _paired(
    plan: Resampling,
    candidate: tuple[npt.NDArray[Any], npt.NDArray[Any]],
    champion: tuple[npt.NDArray[Any], npt.NDArray[Any]],
) -> PairedFigure | None:
    """Both ratios and their difference over the same resamples; None when one cannot be told."""
    own, own_draws = _ratio(plan, *candidate)
    other, other_draws = _ratio(plan, *champion)
    interval = expanded_interval(own_draws - other_draws, plan.n_parts)
    if own is None or other is None or interval is None:
        return None
    return PairedFigure(own, other, own - other, interval)


def _times(candidate: Measured, champion: Measured | None) -> tuple[float | None, float | None, str]:
    """Median ms an image of both, on the same device only; and why there is none."""
    own = _median_ms(candidate.outcomes)
    if champion is None:
        return own, None, "" if own is not None else "no time was measured"
    other = _median_ms(champion.outcomes)
    if candidate.device != champion.device:
        reason = f"the candidate ran on {candidate.device}, the champion on {champion.device}"
        return None, None, reason
    return own, other, "" if own is not None and other is not None else "no time was measured"


def _median_ms(table: OutcomeTable) -> float | None:
    known = table.elapsed_ms[np.isfinite(table.elapsed_ms)]
    return float(np.median(known)) if len(known) else None


def _overlap(table: OutcomeTable, version: Measured) -> int:
    return sum(digest in version.trained_on for digest in table.digests)


def _interval(value: Any) -> Interval | None:
    return None if value is None else (float(value[0]), float(value[1]))
