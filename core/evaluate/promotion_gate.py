"""The gate that lets a model version serve: a written rule on measured figures, see docs/promotion.md.

Nothing is measured here. What was not measured refuses, it never passes.
"""

from core.evaluate.gate_report import CheckState, GateCheck, GateEvidence, GateReport, GateRule
from core.evaluate.gate_shadow import judge_shadow
from core.evaluate.gate_size import judge_size


def judge(evidence: GateEvidence, rule: GateRule | None = None) -> GateReport:
    """The report on a candidate; every check is made, also after one refused."""
    rule = rule or GateRule()
    checks = (_overlap, _recall, _calibration, judge_size, _latency, _release, _false_calls)
    asked = (*checks, judge_shadow) if rule.min_shadow_images else checks
    return GateReport(evidence, rule, tuple(check(evidence, rule) for check in asked))


def _overlap(evidence: GateEvidence, rule: GateRule) -> GateCheck:
    name, bound = "Held-out images", "none of them seen by it or a version that it goes on from"
    n = evidence.n_trained_on
    if n is None:
        return _unknown(evidence, name, "n_trained_on", bound)
    measured = f"{n} of {evidence.n_images} images"
    if n:
        through = " and ".join(
            f"{count} of them through {by}" for by, count in evidence.trained_through.items()
        )
        sentence = (
            f"it was trained on {measured} of {evidence.set_name}, by sha256"
            f"{', ' if through else ''}{through}: its figures there mean nothing"
        )
        return GateCheck(name, CheckState.REFUSED, measured, bound, sentence)
    if evidence.n_calibrated_on:
        by = " and ".join(evidence.calibrated_through)
        measured = f"{evidence.n_calibrated_on} of {evidence.n_images} images"
        sentence = (
            f"{measured} of {evidence.set_name} are of parts that calibrated {by} and chose its operating "
            "point: not evaluable, judge it on the others"
        )
        return GateCheck(name, CheckState.NOT_EVALUABLE, measured, bound, sentence)
    if evidence.n_of_trained_parts:
        measured = f"{evidence.n_of_trained_parts} of {evidence.n_images} images"
        sentence = (
            f"{measured} of {evidence.set_name} show parts that trained it or a version that it goes on "
            "from: not evaluable, judge it on the others"
        )
        return GateCheck(name, CheckState.NOT_EVALUABLE, measured, bound, sentence)
    told = "none of the images trained or calibrated it or a version that it goes on from"
    if evidence.unknown_ancestors:
        told += f"; what {', '.join(evidence.unknown_ancestors)} saw is not known: it is not registered here"
    if evidence.champion_trained_on:
        told += (
            f"; the champion was, on {evidence.champion_trained_on} of them, which makes the comparison "
            "harder for the candidate"
        )
    return GateCheck(name, CheckState.PASSED, measured, bound, told)


def _recall(evidence: GateEvidence, rule: GateRule) -> GateCheck:
    name = "Recall at the operating point"
    if evidence.champion is None:
        return _recall_alone(evidence, rule, name)
    bound = f"lower end not below {_signed(-rule.recall_margin)}"
    paired = evidence.recall
    if paired is None:
        return _unknown(evidence, name, "recall", bound)
    measured = (
        f"{paired.candidate:.3f} against {paired.champion:.3f}: {_signed(paired.difference)} "
        f"({_signed(paired.interval[0])} to {_signed(paired.interval[1])})"
    )
    if (few := _too_few(evidence, rule)) is not None:
        return GateCheck(name, CheckState.NOT_EVALUABLE, measured, bound, few)
    if paired.interval[0] < -rule.recall_margin:
        sentence = (
            f"recall may be worse than the champion's by more than {rule.recall_margin:g}: the 95 % interval "
            f"of the difference reaches down to {_signed(paired.interval[0])}"
        )
        return GateCheck(name, CheckState.REFUSED, measured, bound, sentence)
    return GateCheck(
        name, CheckState.PASSED, measured, bound, f"not worse beyond the margin{_few(evidence, rule)}"
    )


def _recall_alone(evidence: GateEvidence, rule: GateRule, name: str) -> GateCheck:
    bound = "measured; there is no champion to compare with"
    recall, interval = evidence.candidate_recall, evidence.candidate_recall_interval
    if recall is None or interval is None:
        return _unknown(evidence, name, "recall", bound)
    measured = f"{recall:.3f} ({interval[0]:.3f} to {interval[1]:.3f})"
    if (few := _too_few(evidence, rule)) is not None:
        return GateCheck(name, CheckState.NOT_EVALUABLE, measured, bound, few)
    return GateCheck(name, CheckState.PASSED, measured, bound, f"measured{_few(evidence, rule)}")


def _calibration(evidence: GateEvidence, rule: GateRule) -> GateCheck:
    name = "Calibration (D-ECE)"
    bound = f"at most {rule.d_ece_bound:g}, or what a perfect model of this size reaches"
    if evidence.d_ece is None or evidence.d_ece_band is None:
        return _unknown(evidence, name, "d_ece", bound)
    if evidence.inherited_from:
        sentence = (
            f"its calibration is that of {evidence.inherited_from}, inherited and not verified: hold more "
            "parts back and train again, or let a second person consent"
        )
        return GateCheck(name, CheckState.REFUSED, f"{evidence.d_ece:.3f}", bound, sentence)
    highest = max(rule.d_ece_bound, evidence.d_ece_band[1])
    measured = (
        f"{evidence.d_ece:.3f}; a perfect model: {evidence.d_ece_band[0]:.3f} to {evidence.d_ece_band[1]:.3f}"
    )
    if evidence.d_ece > highest:
        sentence = f"D-ECE {evidence.d_ece:.3f} is above {highest:.3f}: it is not calibrated"
        return GateCheck(name, CheckState.REFUSED, measured, bound, sentence)
    return GateCheck(name, CheckState.PASSED, measured, bound, f"within {highest:.3f}")


def _latency(evidence: GateEvidence, rule: GateRule) -> GateCheck:
    name, factor = "Time an image", rule.latency_factor
    own, other = evidence.ms_per_image, evidence.champion_ms_per_image
    if evidence.champion is None:
        bound = "measured; there is no champion to compare with"
        if own is None:
            return _unknown(evidence, name, "ms_per_image", bound)
        return GateCheck(name, CheckState.PASSED, f"{own:.0f} ms", bound, "measured")
    bound = f"at most {factor:g} times the champion's"
    if own is None or other is None or other <= 0:
        return _unknown(evidence, name, "ms_per_image", bound)
    measured = f"{own:.0f} ms against {other:.0f} ms"
    if own > factor * other and not evidence.is_timed_in_turn:
        sentence = (
            f"time an image: not evaluable, {measured} were measured at different times, and a busy "
            "machine changes them as much: measure both in one go in Compare"
        )
        return GateCheck(name, CheckState.NOT_EVALUABLE, measured, bound, sentence)
    if own > factor * other:
        sentence = f"it takes {own / other:.2f} times as long as the champion ({measured})"
        return GateCheck(name, CheckState.REFUSED, measured, bound, sentence)
    return GateCheck(name, CheckState.PASSED, measured, bound, f"{own / other:.2f} times the champion's")


def _release(evidence: GateEvidence, rule: GateRule) -> GateCheck:
    """Noted beside a champion; without one, it is what the candidate is compared with."""
    name, least = "Release threshold (AP50)", evidence.minimum_ap50
    bound = "none stated on the card" if least is None else f"at least {least:.2f}"
    judges = evidence.champion is None
    if evidence.ap50 is None or (judges and least is None):
        if judges:
            return _unknown(evidence, name, "ap50", bound)
        return GateCheck(name, CheckState.NOTED, "not measured", bound, _why(evidence, "ap50"))
    measured = f"{evidence.ap50:.3f}"
    if evidence.ap50_interval is not None:
        measured += f" ({evidence.ap50_interval[0]:.3f} to {evidence.ap50_interval[1]:.3f})"
    is_below = least is not None and evidence.ap50 < least
    told = "below the release threshold" if is_below else "not below the release threshold"
    if least is None:
        told = "the card states no release threshold"
    if not judges:
        return GateCheck(name, CheckState.NOTED, measured, bound, told)
    if is_below:
        sentence = (
            f"there is no champion, and AP50 {evidence.ap50:.3f} is below the release threshold {least:.2f}"
        )
        return GateCheck(name, CheckState.REFUSED, measured, bound, sentence)
    return GateCheck(name, CheckState.PASSED, measured, bound, told)


def _false_calls(evidence: GateEvidence, rule: GateRule) -> GateCheck:
    name, bound = "False calls an image", "judges nothing"
    paired = evidence.false_calls_per_image
    if paired is None:
        why = "no champion" if evidence.champion is None else _why(evidence, "false_calls_per_image")
        return GateCheck(name, CheckState.NOTED, "not compared", bound, why)
    low, high = paired.interval
    measured = f"{paired.candidate:.2f} against {paired.champion:.2f}: {paired.difference:+.2f}"
    measured += f" ({low:+.2f} to {high:+.2f})"
    told = (
        "more than the champion"
        if low > 0
        else "fewer than the champion"
        if high < 0
        else "no clear difference"
    )
    return GateCheck(name, CheckState.NOTED, measured, bound, told)


def _unknown(evidence: GateEvidence, name: str, figure: str, bound: str) -> GateCheck:
    sentence = f"{name[0].lower()}{name[1:]}: not evaluable, {_why(evidence, figure)}"
    return GateCheck(name, CheckState.NOT_EVALUABLE, "not measured", bound, sentence)


def _why(evidence: GateEvidence, figure: str) -> str:
    return evidence.missing.get(figure) or evidence.missing.get("") or "it was not measured"


def _too_few(evidence: GateEvidence, rule: GateRule) -> str | None:
    if evidence.n_parts >= rule.min_parts:
        return None
    return (
        f"recall at the operating point: not evaluable, {evidence.n_parts} independent parts cannot tell "
        f"better from worse; {rule.min_parts} are the least"
    )


def _few(evidence: GateEvidence, rule: GateRule) -> str:
    if evidence.n_parts >= rule.few_parts:
        return ""
    return f"; {evidence.n_parts} parts: the interval is likely too narrow"


def _signed(value: float) -> str:
    return f"{value:+.3f}"
