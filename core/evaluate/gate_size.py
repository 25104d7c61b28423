"""The gate's check of the size that is found: a90/95 of the candidate against that of the champion."""

from core.evaluate.gate_report import CheckState, GateCheck, GateEvidence, GateRule, PodFigure

_NAME = "Size found (a90/95)"


def judge_size(evidence: GateEvidence, rule: GateRule) -> GateCheck:
    """Refused where the candidate's a90/95 is worse beyond the tolerance; skipped, and told why, where it
    was not measured of both on the same flaws, none of which trained one of them.
    """
    bound = f"at most {rule.size_factor:g} times the champion's"
    own, other = evidence.pod, evidence.champion_pod
    if evidence.champion is None:
        return _skipped(_measured(own), "judges nothing", "there is no champion to compare with")
    if own is None or other is None:
        which = " and ".join(
            f"v{number}"
            for number, one in ((evidence.candidate, own), (evidence.champion, other))
            if one is None
        )
        return _skipped("not measured", bound, f"skipped: `radikal pod` did not measure {which}")
    measured = f"{_measured(own)} against {_measured(other)}"
    if own.set_digest != other.set_digest:
        return _skipped(measured, bound, "skipped: they were measured on different flaws")
    if own.n_trained_on or other.n_trained_on:
        return _skipped(measured, bound, "skipped: some of the flaws trained one of them")
    if other.a90_95 is None:
        return _skipped(measured, bound, "skipped: the champion reaches no a90/95 on these flaws")
    if own.a90_95 is None or own.a90_95 > rule.size_factor * other.a90_95:
        sentence = f"it finds 9 of 10 flaws from a larger size on than the champion: a90/95 {measured}"
        return GateCheck(_NAME, CheckState.REFUSED, measured, bound, sentence)
    return GateCheck(_NAME, CheckState.PASSED, measured, bound, "not worse beyond the tolerance")


def _skipped(measured: str, bound: str, sentence: str) -> GateCheck:
    return GateCheck(_NAME, CheckState.NOTED, measured, bound, sentence)


def _measured(one: PodFigure | None) -> str:
    if one is None:
        return "not measured"
    if one.reason:
        return "no curve"
    return "not reached" if one.a90_95 is None else f"{one.a90_95:.2f} mm"
