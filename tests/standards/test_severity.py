import pytest

from core.domain.flaw_group import FlawGroup, GroupClaim, TypeHint
from core.domain.indication import IndicationClass
from core.standards.kinds import class_of
from core.standards.severity import claim_rank, severity_rank

FROM_THE_MOST_SEVERE = [
    ("1011", "104", "100", "crack", "hot-tear"),
    ("401", "4013", "cold-shut"),
    ("402", "4021"),
    ("501", "5012", "510"),
    ("2014", "2015", "2016", "3011", "dendritic-shrinkage"),
    ("shrinkage-cavity", "shrinkage-sponge"),
    ("301", "3041", "3014", "more-dense-foreign-material"),
    ("2012", "2013", "round-gas-porosity"),
    ("2011", "201", "2017", "gas-hole"),
    ("515", "602", "core-shift"),
    ("film-artefact",),
]


def test_planar_comes_before_volumetric_and_the_finest_group_counts() -> None:
    ranks = [{severity_rank(class_of(code), code) for code in codes} for codes in FROM_THE_MOST_SEVERE]
    assert ranks == [{place} for place in range(len(FROM_THE_MOST_SEVERE))]


@pytest.mark.parametrize("code", ["100", "201", "300", "401", "402", "501"])
def test_a_class_without_a_number_ranks_as_its_group(code: str) -> None:
    assert severity_rank(class_of(code), None) == severity_rank(class_of(code), code)


def test_an_unclassified_one_comes_last() -> None:
    last = severity_rank(IndicationClass.UNCLASSIFIED, None)
    assert last > severity_rank(IndicationClass.POROSITY, "2011")


def claim(group: FlawGroup | None, *types: tuple[IndicationClass, float]) -> GroupClaim:
    return GroupClaim(group, 0.9, tuple(TypeHint(*one) for one in types))


def test_claims_rank_planar_first_then_what_may_be_planar() -> None:
    crack, slag = (IndicationClass.CRACK, 0.25), (IndicationClass.INCLUSION, 0.6)
    fusion, porosity = (IndicationClass.LACK_OF_FUSION, 0.7), (IndicationClass.POROSITY, 0.9)
    claims = [
        claim(FlawGroup.LINEAR, slag, crack),
        claim(FlawGroup.LINEAR, fusion),
        claim(FlawGroup.LINEAR, slag),
        claim(None),
        claim(FlawGroup.DENSE, slag),
        claim(FlawGroup.ROUNDED, porosity),
    ]
    ranks = [claim_rank(one) for one in claims]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)
    assert ranks[0] == severity_rank(IndicationClass.CRACK, None)
    assert claim_rank(claim(FlawGroup.EDGE)) == ranks[3] == severity_rank(IndicationClass.UNDERCUT, None)
