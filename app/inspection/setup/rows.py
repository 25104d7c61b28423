"""The setup of an inspection, and the rules to choose from, in words."""

from collections.abc import Sequence

from core.domain.kinds import family_of
from core.domain.numbering import Numbering
from core.domain.reading import Setup
from core.domain.wire_sets import WIRE_DIAMETERS_MM, WIRE_MATERIALS, WIRE_SETS, wires_of_set
from core.standards.rule_set import RuleSet


def summary(setup: Setup, tables: Sequence[RuleSet]) -> str:
    """The setup in one line, such as "flange 7 · weld 3 · t 10 mm · ISO 5817, level B"."""
    own = (
        setup.weld_number and f"weld {setup.weld_number}",
        setup.film_number and f"film {setup.film_number}",
    )
    words = [setup.part or "No part", *filter(None, (*own, setup.position))]
    if setup.wall_mm is not None:
        words.append(f"t {setup.wall_mm:g} mm")
    if setup.standard is None:
        return " · ".join([*words, "no rule"])
    table = next((table for table in tables if table.rule_set_id == setup.standard), None)
    rule = setup.standard if table is None else table.title
    if setup.quality_level:
        rule += f", level {setup.quality_level}"
    elif table is not None and len(table.levels) > 1:
        rule += ", no level chosen"
    return " · ".join([*words, rule])


def offered_tables(tables: Sequence[RuleSet], model: str | None, chosen: str | None) -> tuple[RuleSet, ...]:
    """The tables in whose words the image is read, and the chosen one.

    Args:
        tables: all of them.
        model: the one that reads the image; None: all tables are offered.
        chosen: id of the table of the setup, None where there is none.
    """
    family = None if model is None else family_of(model)
    return tuple(one for one in tables if family in (None, one.family) or one.rule_set_id == chosen)


def next_numbers(numbering: Numbering) -> str:
    """The numbers of the next image in words; "none" where it gets none of a counter."""
    given = numbering.numbers("", numbering.first)
    said = [f"{name.removesuffix('_number')} {text}" for name, text in given.items() if text]
    if numbering.name_pattern:
        said.insert(0, f"from names like {numbering.name_pattern}")
    return f"next {', '.join(said)}" if said else "none"


def rule_title(table: RuleSet | None) -> str:
    """The rule as it is offered; None stands for no rule."""
    if table is None:
        return "No rule: no verdict"
    return table.title if table.is_verified else f"{table.title} (illustrative)"


def wire_set_title(name: str | None) -> str:
    """The wire set with its wires and their material."""
    if name is None:
        return "not stated"
    wires, letters = wires_of_set(WIRE_SETS[name]), name.split()[1]
    return f"{name} · W{wires[0]} to W{wires[-1]}, {WIRE_MATERIALS[letters]}"


def wire_title(wire: int | None) -> str:
    """The wire with its diameter."""
    return "not stated" if wire is None else f"W{wire} · {WIRE_DIAMETERS_MM[wire]:g} mm"
