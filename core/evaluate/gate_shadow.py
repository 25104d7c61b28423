"""The check that a candidate has read enough images unseen, where the installation asks for it."""

from core.evaluate.gate_report import CheckState, GateCheck, GateEvidence, GateRule


def judge_shadow(evidence: GateEvidence, rule: GateRule) -> GateCheck:
    """Whether the candidate read as many of the champion's images unseen as the rule asks for."""
    name, bound = "Images read unseen", f"at least {rule.min_shadow_images}"
    measured = f"{evidence.n_shadow}"
    if evidence.champion is None:
        told = "there is no champion whose images it could have read"
        return GateCheck(name, CheckState.NOTED, measured, bound, told)
    if evidence.n_shadow < rule.min_shadow_images:
        sentence = (
            f"it read {evidence.n_shadow} images unseen beside the champion, {rule.min_shadow_images} are "
            "asked for: let it be challenger until then"
        )
        return GateCheck(name, CheckState.REFUSED, measured, bound, sentence)
    return GateCheck(name, CheckState.PASSED, measured, bound, "where both differ stands under In use")
