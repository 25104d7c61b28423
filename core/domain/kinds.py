"""Kinds of imperfection that have no ISO 6520-1 number, and the model family whose words they are.

Castings are spoken of in the words of their reference radiographs: ASTM E155, E2422 and E2973 (aluminium and
magnesium), E446, E186 and E280 (steel), E272 (copper), EN 12681. A weld has the numbers of ISO 6520-1, which
`core.standards.kinds` names. The network's classes are those of `IndicationClass`, whatever the family; a
kind is what a person states.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from core.domain.errors import BadInputError
from core.domain.indication import IndicationClass

#: The most severe level that any set of reference radiographs here has.
HIGHEST_GRADE = 8


class Family(StrEnum):
    """What is inspected, and in whose words; the value is the name of the model for parts that taught it."""

    WELD = "weld"
    CASTING = "casting"


#: Ends the name of a model that is made for parts which nobody taught, beside the one for those that were.
_FOR_NEW_PARTS = "-any"
#: Every registered model that ships.
MODEL_NAMES = ("weld", "casting", "casting-any")


def reads_taught_parts(model_name: str) -> bool:
    """True of a model that is made for other views of the parts that taught it: they may judge it.

    Each film of a weld is a part of its own, so what else was cut from it is no new weld.
    """
    return model_name == Family.CASTING.value


def family_of(model_name: str) -> Family:
    """The family that a model reads, also one for new parts; WELD for a name that is none of a family."""
    name = model_name.removesuffix(_FOR_NEW_PARTS)
    return Family(name) if name in list(Family) else Family.WELD


def is_for_new_parts(model_name: str) -> bool:
    """True for a model that reads parts which nobody taught, beside the one of its family."""
    return model_name.endswith(_FOR_NEW_PARTS)


def model_for_new_parts(model_name: str) -> str | None:
    """The model that may read what looks unlike the parts which taught this one; None where there is none."""
    name = f"{model_name}{_FOR_NEW_PARTS}"
    return name if name in MODEL_NAMES else None


def other_reader(model_name: str) -> str | None:
    """The other model of the same family, for a part that was taught or for a new one; None without one."""
    return model_for_new_parts(model_name) or (
        model_name.removesuffix(_FOR_NEW_PARTS) if is_for_new_parts(model_name) else None
    )


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of imperfection without an ISO 6520-1 number.

    Attributes:
        kind_id: stored and written in rule tables; the words of the name with hyphens.
        indication_class: the network's class for it, UNCLASSIFIED where it has none.
        families: that offer it.
        hint: further words of the field for it.
        is_imperfection: False for what lies on the radiograph and not in the part.
    """

    kind_id: str
    indication_class: IndicationClass
    families: tuple[Family, ...] = (Family.CASTING,)
    hint: str = ""
    is_imperfection: bool = True

    @property
    def name(self) -> str:
        """Such as "gas hole"."""
        return self.kind_id.replace("-", " ")


_KINDS = (
    Kind("gas-hole", IndicationClass.POROSITY),
    Kind("round-gas-porosity", IndicationClass.POROSITY),
    Kind("elongated-gas-porosity", IndicationClass.POROSITY),
    Kind("shrinkage-cavity", IndicationClass.UNCLASSIFIED),
    Kind("shrinkage-sponge", IndicationClass.UNCLASSIFIED),
    Kind("dendritic-shrinkage", IndicationClass.UNCLASSIFIED, hint="filamentary"),
    Kind("feathery-microshrinkage", IndicationClass.UNCLASSIFIED, hint="magnesium"),
    Kind("sponge-microshrinkage", IndicationClass.UNCLASSIFIED, hint="magnesium"),
    Kind("less-dense-foreign-material", IndicationClass.INCLUSION, hint="sand, slag, dross"),
    Kind("more-dense-foreign-material", IndicationClass.INCLUSION),
    Kind("crack", IndicationClass.CRACK),
    Kind("hot-tear", IndicationClass.CRACK),
    Kind("cold-shut", IndicationClass.UNCLASSIFIED),
    Kind("core-shift", IndicationClass.UNCLASSIFIED),
    Kind(
        "film-artefact",
        IndicationClass.UNCLASSIFIED,
        tuple(Family),
        hint="not an imperfection",
        is_imperfection=False,
    ),
)
#: Every kind by its id, in the order in which they are offered.
WORD_KINDS: Mapping[str, Kind] = MappingProxyType({one.kind_id: one for one in _KINDS})
#: Names of ISO 6520-1 numbers that no class of the network stands for.
OTHER_NUMBERS: Mapping[str, str] = MappingProxyType(
    {
        "504": "excess penetration",
        "507": "linear misalignment",
        "510": "burn-through",
        "515": "root concavity",
        "602": "spatter",
    }
)


def called(indication: IndicationClass, iso6520: str | None, kind: str | None = None) -> str:
    """Class and kind in words, such as "porosity", "porosity 2011", "spatter 602", "gas hole"."""
    if kind is not None:
        return WORD_KINDS[kind].name if kind in WORD_KINDS else kind.replace("-", " ")
    name = OTHER_NUMBERS.get(iso6520 or "", indication.value)
    return f"{name} {iso6520}" if iso6520 else name


def is_imperfection(kind: str | None) -> bool:
    """False only for a kind that lies on the radiograph and not in the part."""
    known = WORD_KINDS.get(kind or "")
    return known is None or known.is_imperfection


def word_kind_in(box: Mapping[str, Any]) -> str | None:
    """The id of a kind without a number in a kept or handed-in box, None where there is none.

    Raises:
        BadInputError: there is no such kind, it is of another class, or a number stands beside it.
    """
    kind = box.get("kind")
    if not kind:
        return None
    known = WORD_KINDS.get(str(kind))
    if known is None:
        raise BadInputError(f"kind: expected one of {', '.join(WORD_KINDS)}, got {str(kind)[:40]!r}")
    if box.get("iso6520"):
        raise BadInputError(f"kind: expected {known.name} or an ISO 6520-1 number, got both")
    if box["class"] != known.indication_class.value:
        raise BadInputError(f"kind: {known.name} is {known.indication_class}, got {str(box['class'])[:40]}")
    return known.kind_id
