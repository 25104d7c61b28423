"""Wire image quality indicators (IQI): their diameters, sets and names, as facts of ISO 19232-1:2013.

A set is named by its first wire and what its wires are made of, "W10 FE" for W10 to W16 of steel.
"""

from collections.abc import Mapping
from types import MappingProxyType

#: Diameter in mm of the wires W1 to W19 (ISO 19232-1, table 1).
WIRE_DIAMETERS_MM: Mapping[int, float] = MappingProxyType(
    dict(
        enumerate(
            (3.2, 2.5, 2.0, 1.6, 1.25, 1.0, 0.8, 0.63, 0.5, 0.4)
            + (0.32, 0.25, 0.2, 0.16, 0.125, 0.1, 0.08, 0.063, 0.05),
            start=1,
        )
    )
)
#: The four indicators begin with these wires: W1 to W7, W6 to W12, W10 to W16, W13 to W19.
FIRST_WIRES = (1, 6, 10, 13)
WIRES_PER_SET = 7
#: Materials of the wires, by the letters of the lettering.
WIRE_MATERIALS: Mapping[str, str] = MappingProxyType(
    {"FE": "steel", "NI": "nickel", "TI": "titanium", "AL": "aluminium", "CU": "copper"}
)
#: Name of each set to its first wire.
WIRE_SETS: Mapping[str, int] = MappingProxyType(
    {f"W{first} {letters}": first for letters in WIRE_MATERIALS for first in FIRST_WIRES}
)


def wires_of_set(first_wire: int) -> tuple[int, ...]:
    """The seven wire numbers of the set that begins with `first_wire`, thickest first.

    Raises:
        ValueError: when no set begins with that wire.
    """
    if first_wire not in FIRST_WIRES:
        raise ValueError(f"a set begins with W1, W6, W10 or W13, got W{first_wire}")
    return tuple(range(first_wire, first_wire + WIRES_PER_SET))


def indicator_words(wire_set: str | None, required_wire: int | None) -> str:
    """Indicator and wire that has to be visible, such as "W10 FE, W13 required"; empty for neither."""
    required = "" if required_wire is None else f"W{required_wire} required"
    return ", ".join(filter(None, (wire_set, required)))
