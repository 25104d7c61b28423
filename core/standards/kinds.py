"""The kinds of imperfection and which of them an indication may be.

A kind is an ISO 6520-1 number such as "2011", or the id of a kind that has none, such as "gas-hole".
"""

from collections.abc import Mapping
from types import MappingProxyType

from core.domain.indication import IndicationClass
from core.domain.kinds import OTHER_NUMBERS, WORD_KINDS, Family

#: Names of the ISO 6520-1 numbers the tables speak of. Others may be entered; they have no name here.
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "100": "crack",
        "1011": "longitudinal crack",
        "1021": "transverse crack",
        "104": "crater crack",
        "201": "gas cavity",
        "2011": "gas pore",
        "2012": "uniformly distributed porosity",
        "2013": "clustered porosity",
        "2014": "linear porosity",
        "2015": "elongated cavity",
        "2016": "wormhole",
        "2017": "surface pore",
        "300": "solid inclusion",
        "301": "slag inclusion",
        "3011": "slag inclusion, in line",
        "3012": "slag inclusion, isolated",
        "3014": "slag inclusion, clustered",
        "302": "flux inclusion",
        "303": "oxide inclusion",
        "304": "metallic inclusion",
        "3041": "tungsten inclusion",
        "3042": "copper inclusion",
        "401": "lack of fusion",
        "4011": "lack of side-wall fusion",
        "4012": "lack of inter-run fusion",
        "4013": "lack of root fusion",
        "402": "lack of penetration",
        "4021": "incomplete root penetration",
        "501": "undercut",
        "5011": "continuous undercut",
        "5012": "intermittent undercut",
        "5013": "shrinkage groove",
        **OTHER_NUMBERS,
    }
)

#: Kinds that an indication of a class, or of a number that covers several kinds, may turn out to be.
_KINDS_OF_CLASS: Mapping[IndicationClass, tuple[str, ...]] = MappingProxyType(
    {
        IndicationClass.CRACK: ("1011", "1021", "104"),
        IndicationClass.POROSITY: ("2011", "2012", "2013", "2014", "2015", "2016", "2017"),
        IndicationClass.INCLUSION: ("3011", "3012", "3014", "302", "303", "3041", "3042"),
        IndicationClass.LACK_OF_FUSION: ("4011", "4012", "4013"),
        IndicationClass.LACK_OF_PENETRATION: ("402", "4021"),
        IndicationClass.UNDERCUT: ("5011", "5012", "5013"),
        IndicationClass.UNCLASSIFIED: (),
    }
)
_CLASS_OF_PREFIX: Mapping[str, IndicationClass] = MappingProxyType(
    {
        "1": IndicationClass.CRACK,
        "201": IndicationClass.POROSITY,
        "3": IndicationClass.INCLUSION,
        "401": IndicationClass.LACK_OF_FUSION,
        "402": IndicationClass.LACK_OF_PENETRATION,
        "501": IndicationClass.UNDERCUT,
    }
)


def is_number(code: str) -> bool:
    """True for three to five digits, the form of an ISO 6520-1 number."""
    return code.isascii() and code.isdigit() and 3 <= len(code) <= 5


def is_kind(code: str) -> bool:
    """True for the form of an ISO 6520-1 number and for the id of a kind that has none."""
    return is_number(code) or code in WORD_KINDS


def prefix(code: str) -> str:
    """Common beginning of the numbers under `code`: "1" for the group 100, "2011" for 2011."""
    return code[0] if len(code) == 3 and code.endswith("00") else code


def covers(code: str, kind: str) -> bool:
    """True when `kind` is `code` or one of the kinds under it; words have none under them."""
    return code == kind or (is_number(code) and is_number(kind) and kind.startswith(prefix(code)))


def class_of(code: str) -> IndicationClass:
    """The class a kind belongs to, UNCLASSIFIED where the detector has no class for it."""
    if code in WORD_KINDS:
        return WORD_KINDS[code].indication_class
    for start, indication in _CLASS_OF_PREFIX.items():
        if prefix(code).startswith(start):
            return indication
    return IndicationClass.UNCLASSIFIED


def families_of(code: str) -> tuple[Family, ...]:
    """The families that speak of this kind."""
    return WORD_KINDS[code].families if code in WORD_KINDS else (Family.WELD,)


def kinds_of(family: Family) -> dict[str, str]:
    """The kinds of a family by id or number, with their names, in the order in which they are offered."""
    words = {one.kind_id: one.name for one in WORD_KINDS.values() if family in one.families}
    return {**(KINDS if family is Family.WELD else {}), **words}


def offered_kinds(indication: IndicationClass, family: Family) -> tuple[str, ...]:
    """The finer kinds of a class that a person may choose; UNCLASSIFIED holds those no class stands for."""
    words = tuple(
        one.kind_id
        for one in WORD_KINDS.values()
        if family in one.families and one.indication_class is indication
    )
    if family is not Family.WELD:
        return words
    is_other = indication is IndicationClass.UNCLASSIFIED
    return (*(OTHER_NUMBERS if is_other else _KINDS_OF_CLASS[indication]), *words)


def possible_kinds(
    indication: IndicationClass, code: str | None, family: Family = Family.WELD
) -> tuple[str, ...]:
    """Every kind an indication may be; none for an unclassified one of which nobody stated the kind.

    A number that covers several kinds (201, 300) leaves all of them open; no kind leaves open all of the
    class; a kind without others under it stands for itself.
    """
    if code is None:
        is_other = indication is IndicationClass.UNCLASSIFIED
        return () if is_other else offered_kinds(indication, family)
    under = tuple(kind for kind in _KINDS_OF_CLASS[class_of(code)] if covers(code, kind))
    return under or (code,)


def name_of(kind: str) -> str:
    """Such as "gas pore (2011)" or "gas hole"; a number without a name here stands alone."""
    if kind in WORD_KINDS:
        return WORD_KINDS[kind].name
    return f"{KINDS[kind]} ({kind})" if kind in KINDS else f"ISO 6520-1 no. {kind}"
