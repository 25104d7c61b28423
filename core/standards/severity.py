"""How severe a kind of imperfection is, for the order in which a person reads a list.

Planar imperfections come before volumetric ones, because a crack or a lack of fusion runs on under load.
The order says nothing about acceptance: the tables do.
"""

from core.domain.flaw_group import PERHAPS, TYPES, FlawGroup, GroupClaim
from core.domain.indication import IndicationClass
from core.standards.kinds import covers

#: Groups of ISO 6520-1 numbers and of kinds without one, the most severe first.
_ORDER = (
    ("100", "crack", "hot-tear"),
    ("401", "cold-shut"),  # lack of fusion
    ("402",),  # lack of penetration
    ("501", "510"),  # undercut, burn-through: an edge or an open hole
    ("2014", "2015", "2016", "3011", "elongated-gas-porosity", "dendritic-shrinkage"),  # elongated, in line
    ("shrinkage-cavity", "shrinkage-sponge", "feathery-microshrinkage", "sponge-microshrinkage"),
    ("300", "less-dense-foreign-material", "more-dense-foreign-material"),
    ("2013", "2012", "round-gas-porosity"),  # many pores
    ("201", "gas-hole"),  # pore
    ("core-shift", "504", "507", "515", "602"),  # shape and surface
)
_NUMBER = {
    IndicationClass.CRACK: "100",
    IndicationClass.LACK_OF_FUSION: "401",
    IndicationClass.LACK_OF_PENETRATION: "402",
    IndicationClass.UNDERCUT: "501",
    IndicationClass.INCLUSION: "300",
    IndicationClass.POROSITY: "201",
}


def severity_rank(indication: IndicationClass, kind: str | None) -> int:
    """The rank of a kind from 0, the most severe; the finest group that holds the kind counts.

    A kind in no group comes last.
    """
    code = kind or _NUMBER.get(indication)
    if code is None:
        return len(_ORDER)
    holding = [
        (len(number), rank)
        for rank, numbers in enumerate(_ORDER)
        for number in numbers
        if covers(number, code)
    ]
    return max(holding, key=lambda found: (found[0], -found[1]))[1] if holding else len(_ORDER)


def claim_rank(claim: GroupClaim) -> int:
    """The rank of what a model claims: of the most severe type that it may be.

    Where no group is sure it may be planar, so it comes before what is surely volumetric.
    """
    if claim.group is None:
        return severity_rank(IndicationClass.UNDERCUT, None)
    if claim.group is FlawGroup.DENSE:
        return severity_rank(IndicationClass.INCLUSION, "304")
    hints = [one.indication_class for one in claim.types if one.reliability >= PERHAPS]
    if claim.group is FlawGroup.LINEAR:
        hints = [one for one in hints if one is not IndicationClass.INCLUSION] or [
            IndicationClass.LACK_OF_PENETRATION
        ]
    ranks = [severity_rank(one, None) for one in hints or TYPES[claim.group]]
    return min(ranks)
