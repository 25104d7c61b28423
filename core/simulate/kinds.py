"""The kinds of flaw that can be simulated, with class and ISO 6520-1 code."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from core.domain.indication import IndicationClass


class FlawKind(StrEnum):
    """A kind of flaw as it is placed; a kind may yield many indications."""

    GAS_PORE = "gas pore"
    UNIFORM_POROSITY = "uniform porosity"
    CLUSTERED_POROSITY = "clustered porosity"
    LINEAR_POROSITY = "linear porosity"
    ELONGATED_CAVITY = "elongated cavity"
    WORMHOLE = "wormhole"
    LONGITUDINAL_CRACK = "longitudinal crack"
    TRANSVERSE_CRACK = "transverse crack"
    SLAG_INCLUSION = "slag inclusion"
    SLAG_LINE = "slag line"
    TUNGSTEN_INCLUSION = "tungsten inclusion"
    LACK_OF_PENETRATION = "lack of penetration"
    LACK_OF_FUSION = "lack of fusion"
    UNDERCUT = "undercut"


#: Class and ISO 6520-1 code of each kind.
IDENTITY: Mapping[FlawKind, tuple[IndicationClass, str]] = MappingProxyType(
    {
        FlawKind.GAS_PORE: (IndicationClass.POROSITY, "2011"),
        FlawKind.UNIFORM_POROSITY: (IndicationClass.POROSITY, "2012"),
        FlawKind.CLUSTERED_POROSITY: (IndicationClass.POROSITY, "2013"),
        FlawKind.LINEAR_POROSITY: (IndicationClass.POROSITY, "2014"),
        FlawKind.ELONGATED_CAVITY: (IndicationClass.POROSITY, "2015"),
        FlawKind.WORMHOLE: (IndicationClass.POROSITY, "2016"),
        FlawKind.LONGITUDINAL_CRACK: (IndicationClass.CRACK, "1011"),
        FlawKind.TRANSVERSE_CRACK: (IndicationClass.CRACK, "1021"),
        FlawKind.SLAG_INCLUSION: (IndicationClass.INCLUSION, "301"),
        FlawKind.SLAG_LINE: (IndicationClass.INCLUSION, "301"),
        FlawKind.TUNGSTEN_INCLUSION: (IndicationClass.INCLUSION, "3041"),
        FlawKind.LACK_OF_PENETRATION: (IndicationClass.LACK_OF_PENETRATION, "4021"),
        FlawKind.LACK_OF_FUSION: (IndicationClass.LACK_OF_FUSION, "4011"),
        FlawKind.UNDERCUT: (IndicationClass.UNDERCUT, "5011"),
    }
)

#: Relative frequency of each kind when nothing else is asked for.
DEFAULT_MIX: Mapping[FlawKind, float] = MappingProxyType(
    {
        FlawKind.GAS_PORE: 4.0,
        FlawKind.UNIFORM_POROSITY: 0.6,
        FlawKind.CLUSTERED_POROSITY: 1.2,
        FlawKind.LINEAR_POROSITY: 1.2,
        FlawKind.ELONGATED_CAVITY: 1.2,
        FlawKind.WORMHOLE: 1.0,
        FlawKind.LONGITUDINAL_CRACK: 2.0,
        FlawKind.TRANSVERSE_CRACK: 1.5,
        FlawKind.SLAG_INCLUSION: 1.8,
        FlawKind.SLAG_LINE: 0.8,
        FlawKind.TUNGSTEN_INCLUSION: 0.2,
        FlawKind.LACK_OF_PENETRATION: 1.0,
        FlawKind.LACK_OF_FUSION: 0.7,
        FlawKind.UNDERCUT: 0.3,
    }
)


def mix_with(changes: Mapping[str, float]) -> dict[FlawKind, float]:
    """`DEFAULT_MIX` with other frequencies for the kinds that `changes` names.

    Raises:
        ValueError: when a name is no kind of flaw.
    """
    return {**DEFAULT_MIX, **{FlawKind(name): float(weight) for name, weight in changes.items()}}
