"""What is inspected, as it is stored and read back."""

from typing import Any

import pytest

from core.domain.errors import BadInputError
from core.domain.reading import Setup, setup_from
from core.domain.wire_sets import FIRST_WIRES, WIRE_SETS, indicator_words, wires_of_set


def test_a_setup_of_an_earlier_release_is_read() -> None:
    assert setup_from({"part": "flange 7", "wall_mm": 10.0}) == Setup(part="flange 7", wall_mm=10.0)
    assert setup_from({"part": "flange 7", "of a later release": 1}) == Setup(part="flange 7")


def test_a_setup_comes_back_as_it_was_stored() -> None:
    stated = Setup(wire_set="W10 FE", required_wire=13, srb_mm=0.1)
    assert setup_from(stated.to_dict()) == stated


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"wire_set": "W11 FE"}, "expected a set such as W10 FE, got 'W11 FE'"),
        ({"required_wire": 20}, "expected W1 to W19, got 20"),
        ({"required_wire": 0}, "expected W1 to W19, got 0"),
        ({"wire_set": "W10 FE", "required_wire": 9}, "W9 is not in the set W10 FE, which holds W10 to W16"),
        ({"wire_set": "W10 FE", "required_wire": 17}, "W17 is not in the set"),
        ({"srb_mm": 0.0}, "SRb: expected mm above 0"),
        ({"srb_mm": 5.01}, "at most 5, got 5.01"),
        ({"srb_mm": float("nan")}, "SRb: expected mm above 0"),
    ],
)
def test_an_indicator_that_cannot_be_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInputError, match=says):
        Setup(**wrong)


@pytest.mark.parametrize("wire", [10, 16])
def test_the_first_and_the_last_wire_of_a_set_may_be_required(wire: int) -> None:
    assert Setup(wire_set="W10 CU", required_wire=wire).required_wire == wire


def test_every_set_is_there_in_every_material() -> None:
    assert {WIRE_SETS[name] for name in WIRE_SETS if name.endswith(" FE")} == set(FIRST_WIRES)
    assert len(WIRE_SETS) == 20
    assert all(name.startswith(f"W{wires_of_set(first)[0]} ") for name, first in WIRE_SETS.items())


def test_an_indicator_in_words() -> None:
    assert indicator_words("W10 FE", 13) == "W10 FE, W13 required"
    assert indicator_words(None, 13) == "W13 required"
    assert indicator_words(None, None) == ""
