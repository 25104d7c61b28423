"""The gate: what passes, what refuses, and that nothing unmeasured passes."""

import json
from dataclasses import fields, replace

import pytest

from core.evaluate.gate_report import CheckState, GateEvidence, GateReport, GateRule, PairedFigure, PodFigure
from core.evaluate.promotion_gate import judge
from tests.services.promotions import GREEN

GOOD = replace(GREEN, candidate=2, champion=1, n_boxes=210, ap50=0.65, ap50_interval=(0.6, 0.7))
FIRST = replace(
    GOOD,
    champion=None,
    recall=None,
    false_calls_per_image=None,
    champion_ms_per_image=None,
    champion_trained_on=None,
    ap50=0.75,
)


def state_of(report: GateReport, name: str) -> CheckState:
    (check,) = (one for one in report.checks if one.name.startswith(name))
    return check.state


def paired(low: float, high: float = 0.1) -> PairedFigure:
    return PairedFigure(0.8, 0.8, 0.0, (low, high))


def test_what_is_within_every_bound_is_green() -> None:
    report = judge(GOOD)
    assert report.is_green
    assert report.reasons == ()
    assert report.compared_with == "the champion v1"


@pytest.mark.parametrize(
    ("change", "check", "passes"),
    [
        ({"recall": paired(-0.05)}, "Recall", True),
        ({"recall": paired(-0.0501)}, "Recall", False),
        ({"recall": paired(0.02)}, "Recall", True),
        ({"d_ece": 0.05}, "Calibration", True),
        ({"d_ece": 0.0501}, "Calibration", False),
        ({"d_ece": 0.07, "d_ece_band": (0.02, 0.07)}, "Calibration", True),
        ({"d_ece": 0.0701, "d_ece_band": (0.02, 0.07)}, "Calibration", False),
        ({"ms_per_image": 180.0}, "Time", True),
        ({"ms_per_image": 180.1, "is_timed_in_turn": True}, "Time", False),
        ({"n_trained_on": 1}, "Held-out", False),
        ({"champion_trained_on": 5}, "Held-out", True),
        ({"n_parts": 6}, "Recall", True),
        ({"ap50": 0.1}, "Release", True),
        ({"ap50": None}, "Release", True),
        ({"false_calls_per_image": PairedFigure(90, 1, 89, (80, 99))}, "False", True),
    ],
)
def test_each_bound_has_two_sides(change: dict[str, object], check: str, passes: bool) -> None:
    report = judge(replace(GOOD, **change))  # type: ignore[arg-type]  # a table of keywords
    assert report.is_green is passes
    assert (state_of(report, check) is CheckState.REFUSED) is not passes
    assert len(report.reasons) == (0 if passes else 1)


def test_times_of_different_moments_refuse_without_saying_that_it_is_slower() -> None:
    report = judge(replace(GOOD, ms_per_image=180.1))
    assert state_of(report, "Time") is CheckState.NOT_EVALUABLE
    assert "180 ms against 90 ms were measured at different times" in report.reasons[0]


def test_images_of_ancestors_are_told_with_their_version() -> None:
    report = judge(replace(GOOD, n_trained_on=12, trained_through={"weld v1": 10}))
    assert report.reasons == (
        f"it was trained on 12 of {GOOD.n_images} images of {GOOD.set_name}, by sha256, 10 of them through "
        "weld v1: its figures there mean nothing",
    )


def test_other_images_of_parts_that_trained_it_say_nothing_of_new_ones() -> None:
    report = judge(replace(GOOD, n_of_trained_parts=4))
    check = next(one for one in report.checks if one.name == "Held-out images")
    assert check.state is CheckState.NOT_EVALUABLE
    assert "show parts that trained it" in check.sentence


def test_images_that_calibrated_it_judge_nothing() -> None:
    report = judge(replace(GOOD, n_calibrated_on=4, calibrated_through=("weld v2",)))
    assert state_of(report, "Held-out") is CheckState.NOT_EVALUABLE
    assert "of parts that calibrated weld v2 and chose its operating point" in report.reasons[0]


def test_an_inherited_calibration_takes_two_people() -> None:
    report = judge(replace(GOOD, inherited_from="weld v2"))
    assert state_of(report, "Calibration") is CheckState.REFUSED
    assert "that of weld v2, inherited and not verified" in report.reasons[0]


def test_an_ancestor_that_is_not_registered_is_told_and_refuses_nothing() -> None:
    report = judge(replace(GOOD, unknown_ancestors=("weld v0",)))
    assert report.is_green
    assert "what weld v0 saw is not known" in report.checks[0].sentence


@pytest.mark.parametrize("figure", ["recall", "d_ece", "d_ece_band", "ms_per_image", "n_trained_on"])
def test_what_was_not_measured_refuses_and_says_why(figure: str) -> None:
    missing = {"recall": "no recorded boxes", "d_ece": "no detection", "ms_per_image": "another device",
               "n_trained_on": "no manifest"}  # fmt: skip
    report = judge(replace(GOOD, **{figure: None}, missing=missing))
    assert not report.is_green
    (reason,) = report.reasons
    assert "not evaluable" in reason
    assert missing[figure.removesuffix("_band")] in reason


def test_few_parts_cannot_tell_better_from_worse() -> None:
    report = judge(replace(GOOD, n_parts=5))
    assert state_of(report, "Recall") is CheckState.NOT_EVALUABLE
    assert "5 independent parts" in report.reasons[0]
    told = next(check for check in judge(replace(GOOD, n_parts=7)).checks if check.name.startswith("Recall"))
    assert told.state is CheckState.PASSED
    assert "likely too narrow" in told.sentence


def test_nothing_measured_gives_every_reason_at_once() -> None:
    report = judge(GateEvidence(candidate=2, champion=1, missing={"": "v2 was not evaluated on any set"}))
    assert len(report.reasons) == 4
    assert all("v2 was not evaluated on any set" in reason for reason in report.reasons)


def test_the_first_champion_is_compared_with_the_release_threshold() -> None:
    assert judge(FIRST).is_green
    assert judge(FIRST).compared_with == "no champion: the release threshold"
    below = judge(replace(FIRST, ap50=0.69))
    assert below.reasons == ("there is no champion, and AP50 0.690 is below the release threshold 0.70",)
    for unmeasured in ({"ap50": None}, {"minimum_ap50": None}, {"candidate_recall": None}):
        assert not judge(replace(FIRST, **unmeasured)).is_green  # type: ignore[arg-type]  # keywords


def test_another_rule_gives_another_judgement() -> None:
    assert not judge(GOOD, GateRule(recall_margin=0.01)).is_green


def test_the_report_is_plain_json_with_everything_it_rests_on() -> None:
    content = judge(GOOD).to_dict()
    assert json.loads(json.dumps(content)) == content
    assert set(content["evidence"]) == {one.name for one in fields(GateEvidence)}
    assert content["rule"]["recall_margin"] == 0.05
    assert [check["state"] for check in content["checks"]].count("passed") == 4


FOUND = PodFigure("e" * 64, 1.0)


@pytest.mark.parametrize(
    ("own", "other", "state", "said"),
    [
        (replace(FOUND, a90_95=1.1), FOUND, CheckState.PASSED, "not worse"),
        (replace(FOUND, a90_95=1.11), FOUND, CheckState.REFUSED, "1.11 mm against 1.00 mm"),
        (replace(FOUND, a90_95=None), FOUND, CheckState.REFUSED, "not reached against 1.00 mm"),
        (FOUND, replace(FOUND, a90_95=None), CheckState.NOTED, "champion reaches no a90/95"),
        (replace(FOUND, set_digest="f" * 64), FOUND, CheckState.NOTED, "different flaws"),
        (replace(FOUND, n_trained_on=1), FOUND, CheckState.NOTED, "trained one of them"),
        (None, FOUND, CheckState.NOTED, "did not measure v2"),
        (FOUND, None, CheckState.NOTED, "did not measure v1"),
    ],
)
def test_the_size_that_is_found_may_not_grow_beyond_the_tolerance(
    own: PodFigure | None, other: PodFigure | None, state: CheckState, said: str
) -> None:
    (check,) = (
        one for one in judge(replace(GOOD, pod=own, champion_pod=other)).checks if one.name.startswith("Size")
    )
    assert check.state is state
    assert said in check.sentence


@pytest.mark.parametrize(("n_shadow", "passes"), [(199, False), (200, True)])
def test_images_read_unseen_count_where_the_rule_asks_for_them(n_shadow: int, passes: bool) -> None:
    evidence = replace(GOOD, n_shadow=n_shadow)
    assert judge(evidence).is_green  # the usual rule does not ask
    report = judge(evidence, GateRule(min_shadow_images=200))
    assert report.is_green is passes
    assert "200 are asked for" in report.reasons[0] if not passes else not report.reasons
    first = judge(replace(FIRST, n_shadow=0), GateRule(min_shadow_images=200))
    assert state_of(first, "Images read unseen") is CheckState.NOTED
