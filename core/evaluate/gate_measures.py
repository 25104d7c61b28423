"""The figures that the promotion gate asks for, from what each box of two versions did on the same images."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.evaluate.gate_report import GateEvidence, Interval, PairedFigure
from core.evaluate.operating_figures import FALSE_CALLS, RECALL, OperatingFigures, operating_figures
from core.evaluate.outcome_table import OutcomeTable
from core.evaluate.resampling import expanded_interval, resample

_NO_BOXES = "no boxes are recorded in the set"
_OTHER_IMAGES = "the two versions were not evaluated on the same images: evaluate both again"


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A version on a set.

    Attributes:
        outcomes: what each box did.
        summary: the figures, as `EvaluationSummary.to_dict` gives them.
        device: that it ran on.
        trained_on: sha256 of every image that trained it or an ancestor, to that version in words.
        calibrated_on: each part that calibrated one of them, to that version.
        unknown: ancestors of which nothing is known.
        own_words: the version itself in words.
        trained_parts: each part that images which trained one of them show, to that version; none where the
            version is made for other views of such parts.
        inherited_from: version whose calibration it keeps; empty where it has its own.
    """

    version: int
    outcomes: OutcomeTable
    summary: Mapping[str, Any]
    device: str
    trained_on: Mapping[str, str]
    calibrated_on: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    own_words: str = ""
    inherited_from: str = ""
    trained_parts: Mapping[str, str] = field(default_factory=dict)


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
    own = operating_figures(table, plan, ())
    missing = {} if RECALL in own.points else {RECALL: _NO_BOXES}
    paired: dict[str, PairedFigure | None] = {}
    if champion is not None and champion.outcomes.digests == table.digests:
        other = operating_figures(champion.outcomes, plan, ())
        paired = {name: _paired(name, own, other, plan.n_parts) for name in (RECALL, FALSE_CALLS)}
    elif champion is not None:
        missing |= dict.fromkeys((RECALL, FALSE_CALLS), _OTHER_IMAGES)
    own_ms, other_ms, reason = _times(candidate, champion)
    return GateEvidence(
        candidate=candidate.version,
        champion=None if champion is None else champion.version,
        set_name=set_name,
        set_digest=set_digest,
        n_images=table.n_images,
        n_boxes=len(table.truth),
        n_parts=plan.n_parts,
        recall=paired.get(RECALL),
        candidate_recall=own.points.get(RECALL),
        candidate_recall_interval=expanded_interval(own.draws[RECALL], plan.n_parts)
        if RECALL in own.draws
        else None,
        false_calls_per_image=paired.get(FALSE_CALLS),
        d_ece=summary.get("d_ece"),
        d_ece_band=_interval(summary.get("d_ece_band")),
        ms_per_image=own_ms,
        champion_ms_per_image=other_ms,
        n_trained_on=_overlap(table, candidate),
        champion_trained_on=None if champion is None else _overlap(table, champion),
        trained_through=_through(table.digests, candidate.trained_on, candidate.own_words),
        n_calibrated_on=sum(part in candidate.calibrated_on for part in table.parts),
        calibrated_through=tuple(
            sorted({candidate.calibrated_on[part] for part in table.parts if part in candidate.calibrated_on})
        ),
        n_of_trained_parts=sum(part in candidate.trained_parts for part in table.parts),
        unknown_ancestors=candidate.unknown,
        inherited_from=candidate.inherited_from,
        ap50=summary.get("ap50"),
        ap50_interval=_interval(summary.get("ap50_ci")),
        minimum_ap50=minimum_ap50,
        missing=dict(summary.get("not_evaluable") or {})
        | missing
        | ({"ms_per_image": reason} if reason else {}),
    )


def _paired(figure: str, own: OperatingFigures, other: OperatingFigures, n_parts: int) -> PairedFigure | None:
    """A figure of both and its difference over the same resamples; None when one cannot be told."""
    if figure not in own.points or figure not in other.points:
        return None
    mine, theirs = own.points[figure], other.points[figure]
    interval = expanded_interval(own.draws[figure] - other.draws[figure], n_parts)
    return None if interval is None else PairedFigure(mine, theirs, mine - theirs, interval)


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


def _through(digests: Sequence[str], trained_on: Mapping[str, str], own: str) -> dict[str, int]:
    """How many of the images trained which ancestor."""
    found = Counter(trained_on[digest] for digest in digests if digest in trained_on)
    return {words: count for words, count in sorted(found.items()) if words != own}


def _interval(value: Any) -> Interval | None:
    return None if value is None else (float(value[0]), float(value[1]))
