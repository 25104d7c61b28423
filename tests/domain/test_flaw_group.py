import pytest

from core.domain.flaw_group import (
    FlawGroup,
    GroupClaim,
    TypeHint,
    claim_from,
    group_of_code,
    is_reported,
)
from core.domain.indication import IndicationClass

CRACK, FUSION, SLAG = (
    TypeHint(IndicationClass.CRACK, 0.62),
    TypeHint(IndicationClass.LACK_OF_FUSION, 0.2),
    TypeHint(IndicationClass.INCLUSION, 0.19),
)


@pytest.mark.parametrize(
    ("claim", "full", "short"),
    [
        (
            GroupClaim(FlawGroup.LINEAR, 0.9, (CRACK, FUSION, SLAG)),
            "linear: probably crack, perhaps lack of fusion",
            "linear: crack",
        ),
        (
            GroupClaim(FlawGroup.LINEAR, 0.9, (FUSION,)),
            "linear: perhaps lack of fusion",
            "linear: lack of fusion?",
        ),
        (GroupClaim(FlawGroup.LINEAR, 0.9, (SLAG,)), "linear", "linear"),
        (
            GroupClaim(FlawGroup.DENSE, 0.9, (TypeHint(IndicationClass.INCLUSION, 0.9),)),
            "dense: probably tungsten or copper",
            "dense: tungsten or copper",
        ),
        (GroupClaim(None, 0.4), "unclassified", "unclassified"),
    ],
)
def test_a_claim_in_words(claim: GroupClaim, full: str, short: str) -> None:
    assert (claim.words, claim.short_words) == (full, short)


def test_a_claim_comes_back_from_a_kept_detection() -> None:
    claim = GroupClaim(FlawGroup.LINEAR, 0.91, (CRACK, FUSION), 0.5)
    assert claim_from({"claim": claim.to_dict()}) == claim
    unsure = GroupClaim(None, 0.4)
    assert claim_from({"claim": unsure.to_dict()}) == unsure


def test_a_detection_of_a_model_without_a_second_stage_claims_nothing() -> None:
    assert claim_from({"class": "crack", "probability": 0.7}) is None


@pytest.mark.parametrize(
    "arguments",
    [
        (FlawGroup.LINEAR, 1.1),
        (FlawGroup.LINEAR, -0.1),
        (FlawGroup.LINEAR, 0.9, (TypeHint(IndicationClass.POROSITY, 0.5),)),
        (FlawGroup.LINEAR, 0.9, (TypeHint(IndicationClass.CRACK, 2.0),)),
        (None, 0.9, (CRACK,)),
        (FlawGroup.LINEAR, 0.9, (), 0.0),
    ],
)
def test_a_claim_that_cannot_be_is_refused(arguments: tuple) -> None:
    with pytest.raises(ValueError, match="reliability|no type|above 0"):
        GroupClaim(*arguments)


@pytest.mark.parametrize(
    ("probability", "share", "expected"),
    [(0.4, None, True), (0.39, None, False), (0.2, 0.5, True), (0.19, 0.5, False), (0.4, 1.5, False)],
)
def test_a_group_is_reported_from_its_own_share_of_the_threshold_on(probability, share, expected) -> None:
    found = {"probability": probability}
    if share is not None:
        found["claim"] = GroupClaim(FlawGroup.LINEAR, 0.9, (), share).to_dict()
    assert is_reported(found, 0.4) is expected


@pytest.mark.parametrize(
    ("code", "group"),
    [
        ("1011", FlawGroup.LINEAR),
        ("2014", FlawGroup.ROUNDED),
        ("3011", FlawGroup.LINEAR),
        ("3012", FlawGroup.ROUNDED),
        ("3041", FlawGroup.DENSE),
        ("4013", FlawGroup.LINEAR),
        ("402", FlawGroup.LINEAR),
        ("5013", FlawGroup.EDGE),
        ("602", FlawGroup.DENSE),
        ("900", None),
    ],
)
def test_the_group_that_a_code_looks_like(code: str, group: FlawGroup | None) -> None:
    assert group_of_code(code) is group
