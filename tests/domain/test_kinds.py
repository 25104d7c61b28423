"""Kinds without an ISO 6520-1 number in a reading: kept, read back, and absent where nobody stated one."""

from typing import Any

import pytest

from core.domain.errors import BadInputError
from core.domain.indication import IndicationClass
from core.domain.kinds import WORD_KINDS, called
from core.domain.reading import indication_from

#: Without the keys that came later.
BOX: dict[str, Any] = {
    "id": "m1",
    "bbox": [10.0, 20.0, 30.0, 40.0],
    "class": "porosity",
    "source": "model",
    "call": "confirmed",
    "model_index": 0,
    "probability": 0.9,
    "iso6520": None,
    "note": "",
}


def test_a_kind_and_its_level_are_kept_and_read_back() -> None:
    box = {**BOX, "kind": "gas-hole", "grade": 3}
    one = indication_from(box)
    assert (one.kind, one.grade, one.stated_kind, one.kind_words) == ("gas-hole", 3, "gas-hole", "gas hole")
    assert one.to_box() == box


def test_what_states_neither_is_stored_as_before_so_its_signature_stays_good() -> None:
    assert indication_from(BOX).to_box() == BOX
    assert indication_from({**BOX, "iso6520": "2011"}).stated_kind == "2011"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"kind": "gashole"}, "expected one of gas-hole"),
        ({"kind": "crack"}, "crack is crack, got porosity"),
        ({"kind": "gas-hole", "iso6520": "2011"}, "got both"),
        ({"grade": 3}, "no kind is stated"),
        ({"kind": "gas-hole", "grade": 0}, "expected 1 to 8"),
        ({"kind": "gas-hole", "grade": 9}, "expected 1 to 8"),
        ({"kind": "gas-hole", "grade": True}, "expected 1 to 8"),
        ({"kind": "gas-hole", "grade": "3"}, "expected 1 to 8"),
    ],
)
def test_a_kind_or_level_that_cannot_be_is_refused(change: dict[str, object], told: str) -> None:
    with pytest.raises(BadInputError, match=told):
        indication_from({**BOX, **change})


@pytest.mark.parametrize(
    ("indication", "number", "kind", "words"),
    [
        ("porosity", None, None, "porosity"),
        ("porosity", "2011", None, "porosity 2011"),
        ("unclassified", "602", None, "spatter 602"),
        ("porosity", None, "round-gas-porosity", "round gas porosity"),
        ("unclassified", None, "film-artefact", "film artefact"),
    ],
)
def test_a_kind_is_called_by_the_word_that_people_use(
    indication: str, number: str | None, kind: str | None, words: str
) -> None:
    assert called(IndicationClass(indication), number, kind) == words


def test_the_name_of_a_kind_is_its_id_with_blanks() -> None:
    assert all(one.name.replace(" ", "-") == kind_id for kind_id, one in WORD_KINDS.items())
