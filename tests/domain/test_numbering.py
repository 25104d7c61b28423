"""Numbers of images: a counter, the file name, or none."""

import pytest

from core.domain.errors import BadInputError
from core.domain.numbering import OWN_FIELDS, Numbering, numbering_from


def given(numbering: Numbering, name: str = "a.tif", count: int = 7) -> tuple[str, ...]:
    return tuple(numbering.numbers(name, count)[field] for field in OWN_FIELDS)


@pytest.mark.parametrize(
    ("template", "number"),
    [("", ""), ("W-{n:03}", "W-007"), ("W-{n}", "W-7"), ("{n:2}/{n}", "07/7"), ("W-12", "W-12")],
)
def test_a_template_counts(template: str, number: str) -> None:
    assert given(Numbering(weld_number=template)) == (number, "", "")


@pytest.mark.parametrize(
    ("pattern", "name", "numbers"),
    [
        ("{weld}_{film}", "W0001_0002.png", ("W0001", "0002", "")),
        ("{weld}-{film}_{position}", "W3-F2_0-25.dcm", ("W3", "F2", "0-25")),
        ("{any} W{weld} p{position}", "line 4 W12 p3.tif", ("12", "", "3")),
        ("{weld}_{film}", "something.png", ("", "", "")),
        ("{weld}_{film}", "folder/W1_2.png", ("W1", "2", "")),
        ("W.{weld}", "WX7.png", ("", "", "")),
    ],
)
def test_a_pattern_takes_numbers_from_the_file_name(
    pattern: str, name: str, numbers: tuple[str, ...]
) -> None:
    assert given(Numbering(name_pattern=pattern), name) == numbers


def test_the_file_name_goes_before_the_counter_which_goes_before_nothing() -> None:
    both = Numbering(weld_number="W-{n}", film_number="{n}", name_pattern="{weld} a")
    assert given(both, "W9 a.png") == ("W9", "7", "")
    assert given(both, "other.png") == ("W-7", "7", "")


@pytest.mark.parametrize(
    "wrong",
    [
        {"weld_number": "W-{m}"},
        {"film_number": "{n"},
        {"position": "{0.__class__}"},
        {"weld_number": "x" * 129},
        {"first": -1},
        {"name_pattern": "{weld}{film}"},
        {"name_pattern": "{weld}_{weld}"},
        {"name_pattern": "{part}_{weld}"},
        {"name_pattern": "{any}"},
        {"name_pattern": "film"},
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadInputError):
        Numbering(**wrong)


def test_a_numbering_comes_back_from_its_json() -> None:
    kept = Numbering("W-{n:03}", "{n}", "A", 12, "{weld}_{film}")
    assert numbering_from({**kept.to_dict(), "something": 1}) == kept
    assert numbering_from({}) == Numbering()
    assert (kept.is_counting, Numbering(weld_number="W-12").is_counting) == (True, False)
