"""The group that an indication of a weld looks like, as a model claims it, and the types within the group.

A film shows the shape of a discontinuity more surely than its cause: a straight dark line may be a crack, a
lack of fusion or elongated slag. So the group is the claim, and the type a hint. A person's class decides; a
claim never does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from core.domain.indication import IndicationClass

#: A type is "probably" it from this reliability on, and "perhaps" from the second one on.
PROBABLY, PERHAPS = 0.5, 0.2
UNCLASSIFIED = "unclassified"


class FlawGroup(StrEnum):
    """Group of indications that look alike."""

    LINEAR = "linear"
    EDGE = "edge"
    ROUNDED = "rounded"
    DENSE = "dense"


#: The types of each group, the field's words in brackets where one class stands in several groups.
TYPES: Mapping[FlawGroup, tuple[IndicationClass, ...]] = MappingProxyType(
    {
        FlawGroup.LINEAR: (
            IndicationClass.CRACK,
            IndicationClass.LACK_OF_FUSION,
            IndicationClass.LACK_OF_PENETRATION,
            IndicationClass.INCLUSION,
        ),
        FlawGroup.EDGE: (IndicationClass.UNDERCUT,),
        FlawGroup.ROUNDED: (IndicationClass.POROSITY, IndicationClass.INCLUSION),
        FlawGroup.DENSE: (IndicationClass.INCLUSION,),
    }
)
_TYPE_WORDS = {
    (FlawGroup.LINEAR, IndicationClass.INCLUSION): "elongated slag",
    (FlawGroup.ROUNDED, IndicationClass.INCLUSION): "slag",
    (FlawGroup.DENSE, IndicationClass.INCLUSION): "tungsten or copper",
}
#: ISO 6520-1 codes by how they begin, the finest first.
_GROUP_OF_CODE = (
    ("3011", FlawGroup.LINEAR),
    ("304", FlawGroup.DENSE),
    ("602", FlawGroup.DENSE),
    ("30", FlawGroup.ROUNDED),
    ("1", FlawGroup.LINEAR),
    ("20", FlawGroup.ROUNDED),
    ("401", FlawGroup.LINEAR),
    ("402", FlawGroup.LINEAR),
    ("5", FlawGroup.EDGE),
)


def group_of_code(code: str) -> FlawGroup | None:
    """The group that an ISO 6520-1 code looks like; None for a code of another kind."""
    return next((group for start, group in _GROUP_OF_CODE if code.startswith(start)), None)


@dataclass(frozen=True, slots=True)
class TypeHint:
    """A type that an indication may be of.

    Attributes:
        indication_class: the type.
        reliability: 0 to 1, how often such a hint was right where the type is known.
    """

    indication_class: IndicationClass
    reliability: float


@dataclass(frozen=True, slots=True)
class GroupClaim:
    """What a model claims of an indication beside its place.

    Attributes:
        group: None when no group is sure enough: "unclassified".
        reliability: 0 to 1, how often a claim of the likeliest group was right where the group is known.
        types: hints within the group, the likeliest first; none without a group.
        operating_share: the group is reported from this share of the operating probability on.

    Raises:
        ValueError: on a reliability out of range, a type of another group, a share that is not above 0.
    """

    group: FlawGroup | None
    reliability: float
    types: tuple[TypeHint, ...] = ()
    operating_share: float = 1.0

    def __post_init__(self) -> None:
        if not self.operating_share > 0:
            raise ValueError(f"a share of the operating probability is above 0, got {self.operating_share}")
        for value in (self.reliability, *(one.reliability for one in self.types)):
            if not 0 <= value <= 1:
                raise ValueError(f"a reliability lies within 0..1, got {value}")
        known = TYPES[self.group] if self.group else ()
        if wrong := [one.indication_class for one in self.types if one.indication_class not in known]:
            raise ValueError(f"{wrong[0]} is no type of the group {self.group}")

    @property
    def words(self) -> str:
        """Such as "linear: probably crack, perhaps lack of fusion", "dense", "unclassified"."""
        if self.group is None:
            return UNCLASSIFIED
        hints = [
            f"{'probably' if one.reliability >= PROBABLY else 'perhaps'} {type_words(self.group, one)}"
            for one in self.types
            if one.reliability >= PERHAPS
        ]
        return f"{self.group}: {', '.join(hints)}" if hints else str(self.group)

    @property
    def short_words(self) -> str:
        """For narrow columns, such as "linear: crack?", without the mark where it is probable."""
        hints = [one for one in self.types if one.reliability >= PERHAPS]
        if self.group is None or not hints:
            return self.group or UNCLASSIFIED
        mark = "" if hints[0].reliability >= PROBABLY else "?"
        return f"{self.group}: {type_words(self.group, hints[0])}{mark}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; `claim_from` reads it back."""
        return {
            "group": self.group.value if self.group else None,
            "reliability": round(self.reliability, 4),
            "types": [
                {"class": one.indication_class.value, "reliability": round(one.reliability, 4)}
                for one in self.types
            ],
            "operating_share": round(self.operating_share, 4),
        }


def type_words(group: FlawGroup, hint: TypeHint) -> str:
    """The type of a hint in the words of its group, such as "crack" or "elongated slag"."""
    return _TYPE_WORDS.get((group, hint.indication_class), hint.indication_class.value)


def claim_from(found: Mapping[str, Any]) -> GroupClaim | None:
    """The claim of a kept detection; None where a model without a second stage made it."""
    kept = found.get("claim")
    if kept is None:
        return None
    return GroupClaim(
        None if kept["group"] is None else FlawGroup(kept["group"]),
        float(kept["reliability"]),
        tuple(TypeHint(IndicationClass(one["class"]), float(one["reliability"])) for one in kept["types"]),
        float(kept.get("operating_share", 1.0)),
    )


def is_reported(found: Mapping[str, Any], threshold: float) -> bool:
    """True for a detection that a threshold of its probability lets through, as its group asks for it.

    Args:
        found: as `DetectionResult.rows` gives it.
        threshold: of the probability: the operating one, or what a person set.
    """
    share = (found.get("claim") or {}).get("operating_share", 1.0)
    return bool(found["probability"] >= threshold * share)
