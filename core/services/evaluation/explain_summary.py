"""The figures of a measurement of explanations, and which bars they reach."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from core.domain.explanations import Baseline, Belief
from core.evaluate.explanation_figures import added_auroc, auroc_estimate, mean_difference

if TYPE_CHECKING:
    from core.services.evaluation.explain_evaluating import BoxRecord

#: Bars of a method: share of the reference's lead, correlation between maps of two boxes of one image, rank
#: correlation with the map of drawn weights.
REFERENCE_SHARE, ACROSS_AT_MOST, DRAWN_BELOW = 0.9, 0.1, 0.2


def summarise_methods(records: Sequence["BoxRecord"], *, seed: int) -> dict[str, Any]:
    """By method, and of the drawn Gaussian: every figure, whether it passes, and which bars it fails.

    An empty map gains nothing: it counts with the mean gain of the random fields.

    Args:
        records: of the boxes.
        seed: of the bootstrap.
    """
    names = list(dict.fromkeys(name for record in records for name in record.tested))
    return {name: _method(name, records, seed) for name in names}


def _method(name: str, records: Sequence["BoxRecord"], seed: int) -> dict[str, Any]:
    with_test = [record for record in records if name in record.tested]
    images = np.array([record.box.image for record in with_test])
    own = np.array([_gain(record, name) for record in with_test])
    against = {
        baseline: np.array([record.tested[name].gain(baseline) for record in with_test])
        for baseline in Baseline
    }
    beats = {
        baseline.value: mean_difference(own, other, images, seed=seed) for baseline, other in against.items()
    }
    share = _share_of_reference(with_test, name)
    across = [record.across[name] for record in with_test if name in record.across]
    drawn = [record.drawn[name]["backbone"] for record in with_test if name in record.drawn]
    steps = {
        step: round(float(np.mean([r.drawn[name][step] for r in with_test if name in r.drawn])), 4)
        for step in (("head", "pyramid", "backbone") if drawn else ())
    }
    fails = [f"not better than {base}" for base, gap in beats.items() if not _is_above_zero(gap.interval)]
    if share is not None and share < REFERENCE_SHARE:
        fails.append(f"{share:.0%} of the reference, the bar is {REFERENCE_SHARE:.0%}")
    if across and float(np.mean(across)) > ACROSS_AT_MOST:
        fails.append(f"maps of different boxes correlate by {np.mean(across):.2f}")
    if drawn and float(np.mean(drawn)) >= DRAWN_BELOW:
        fails.append(f"with drawn weights the map stays alike: {np.mean(drawn):.2f}")
    beliefs = Counter(record.tested[name].belief.value for record in with_test)
    return {
        "n_boxes": len(with_test),
        "gain": round(float(own.mean()), 4) if len(own) else None,
        "better_than": {base: gap.to_dict() for base, gap in beats.items()},
        "share_of_reference": None if share is None else round(share, 4),
        "across_boxes": round(float(np.mean(across)), 4) if across else None,
        "drawn_weights": steps or None,
        "pointing_sanity_check": _mean([float(r.points[name]) for r in with_test if name in r.points]),
        "beliefs": {belief.value: beliefs.get(belief.value, 0) for belief in Belief},
        "by_kind": _by_kind(with_test, name),
        "passes": not fails,
        "fails": fails,
    }


def _gain(record: "BoxRecord", name: str) -> float:
    tested = record.tested[name]
    return tested.gain(Baseline.RANDOM) if tested.is_empty else tested.gain()


def _share_of_reference(records: Sequence["BoxRecord"], name: str) -> float | None:
    """The lead over random fields, as a share of the lead that the reference has on the same boxes."""
    with_reference = [record for record in records if record.reference_gain is not None]
    if not with_reference:
        return None
    random = np.array([record.tested[name].gain(Baseline.RANDOM) for record in with_reference])
    lead = np.array([record.reference_gain or 0.0 for record in with_reference]) - random
    own = np.array([_gain(record, name) for record in with_reference]) - random
    return float(own.mean() / lead.mean()) if lead.mean() > 0 else None


def _by_kind(records: Sequence["BoxRecord"], name: str) -> dict[str, float]:
    """The share of boxes with a faithful map, by kind."""
    kinds = sorted({record.box.kind for record in records})
    return {
        kind: round(
            float(np.mean([r.tested[name].belief is Belief.FAITHFUL for r in records if r.box.kind == kind])),
            4,
        )
        for kind in kinds
    }


def summarise_without(records: Sequence["BoxRecord"], *, seed: int) -> dict[str, Any]:
    """Whether "falls without it" tells true boxes from false ones beyond their probability.

    `helps` is True when a logistic model with it has a larger AUROC than the probability alone, fitted out of
    fold, and the 95 % interval of the difference excludes zero.

    Args:
        records: of the boxes.
        seed: of folds and draws.
    """
    known = [r for r in records if r.before is not None and r.after is not None]
    is_true = np.array([record.box.is_true for record in known], bool)
    answer: dict[str, Any] = {
        "n_boxes": len(known),
        "n_true": int(is_true.sum()),
        "n_not_evaluable": len(records) - len(known),
        "helps": False,
    }
    if not len(known):
        return answer
    images = np.array([record.box.image for record in known])
    probability = np.array([record.box.probability for record in known])
    fall = np.array([1 - (r.after or 0.0) / (r.before or 1.0) for r in known])
    rest = np.array([record.after or 0.0 for record in known])
    alone = auroc_estimate(probability, is_true, images, seed=seed)
    by_fall = auroc_estimate(fall, is_true, images, seed=seed)
    answer |= {
        "median_fall": {
            "true": _median(fall[is_true]),
            "false": _median(fall[~is_true]),
        },
        "auroc_probability": None if alone is None else alone.to_dict(),
        "auroc_fall": None if by_fall is None else by_fall.to_dict(),
    }
    added = added_auroc(
        _odds(probability)[:, None], np.column_stack((fall, _odds(rest))), is_true, images, seed=seed
    )
    if added is not None:
        base, both, more = added
        answer |= {
            "auroc_fitted_alone": base.to_dict(),
            "auroc_with_it": both.to_dict(),
            "added": more.to_dict(),
            "helps": _is_above_zero(more.interval),
        }
    return answer


def _is_above_zero(interval: tuple[float, float] | None) -> bool:
    return interval is not None and interval[0] > 0


def _odds(probability: np.ndarray) -> np.ndarray:
    kept = probability.clip(0.005, 0.995)
    result: np.ndarray = np.log(kept / (1 - kept))
    return result


def _median(values: np.ndarray) -> float | None:
    return round(float(np.median(values)), 4) if len(values) else None


def _mean(values: list[float]) -> float | None:
    return round(float(np.mean(values)), 4) if values else None
