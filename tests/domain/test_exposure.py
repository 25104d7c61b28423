"""What is known of how a radiograph was made."""

import pytest

from core.domain.errors import BadInputError
from core.domain.exposure import (
    Exposure,
    Group,
    exposure_fields,
    exposure_from,
    exposure_words,
    stated_by_file,
)
from core.domain.reading import Setup, setup_from

MADE = Exposure(
    customer="A works", testing_class="B", tube_kv=180.0, sfd_mm=700.0, f_mm=680.0, n_exposures=4.0
)


def test_every_field_has_a_label_and_a_group() -> None:
    labels = [one.metadata["label"] for one in exposure_fields()]
    assert len(set(labels)) == len(labels)
    assert {one.metadata["group"] for one in exposure_fields()} == set(Group)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"tube_kv": 0.0}, "Tube voltage: expected kV above 0"),
        ({"tube_ma": float("nan")}, "Tube current: expected mA"),
        ({"wire_reached": 20.0}, "Wire reached: expected W above 0 and at most 19"),
        ({"wire_reached": 12.5}, "wire reached: expected a whole number"),
        ({"n_exposures": 1.5}, "n exposures: expected a whole number"),
        ({"density_reached": 7.0}, "Density reached: expected a number above 0 and at most 6"),
        ({"testing_class": "C"}, "Testing class: expected A or B"),
        ({"exposed_on": "1.3.2026"}, "date of exposure: expected a date such as 2026-03-01"),
        ({"sfd_mm": 500.0, "f_mm": 600.0}, "SFD: expected at least f and b"),
        ({"customer": "x" * 257}, "Customer: expected at most 256 characters"),
    ],
)
def test_what_cannot_be_is_refused_by_name(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        Exposure(**wrong)


def test_only_what_was_stated_is_kept_and_comes_back() -> None:
    assert set(MADE.to_dict()) == {"customer", "testing_class", "tube_kv", "sfd_mm", "f_mm", "n_exposures"}
    assert exposure_from({**MADE.to_dict(), "something": 1}) == MADE
    assert setup_from(Setup(part="flange", exposure=MADE).to_dict()) == Setup(part="flange", exposure=MADE)
    assert setup_from({"part": "of an earlier release"}).exposure == Exposure()


def test_a_file_states_voltage_current_time_distance_and_date() -> None:
    attributes = {
        "KVP": "120", "XRayTubeCurrent": "4", "ExposureTime": "60000", "FocalSpots": "0.4, 1.0",
        "DistanceSourceToDetector": "700.5", "AcquisitionDate": "20260301",
        "ManufacturerModelName": "a panel",
    }  # fmt: skip
    found = stated_by_file(attributes)
    assert (found.tube_kv, found.tube_ma, found.exposure_s, found.focal_spot_mm) == (120.0, 4.0, 60.0, 0.4)
    assert (found.sfd_mm, found.exposed_on, found.detector) == (700.5, "2026-03-01", "a panel")


def test_what_a_file_says_wrong_is_not_stated() -> None:
    assert stated_by_file({"KVP": "many", "AcquisitionDate": "someday", "FocalSpots": "-1"}) == Exposure()
    assert stated_by_file({}) == Exposure()


def test_a_person_goes_before_the_file_and_what_nobody_says_is_said() -> None:
    words = {label: said for _, label, said in exposure_words(MADE, Exposure(tube_kv=120.0, tube_ma=4.0))}
    assert words["Tube voltage"] == "180 kV"
    assert words["Tube current"] == "4 mA (DICONDE)"
    assert words["Number of exposures"] == "4"
    assert words["Screens"] == "not stated"
    assert len(words) == len(exposure_fields())
