"""Counts of a version in use read without guessing, and too few boxes are no figure."""

from dataclasses import replace

from app.models.versions.in_use_rows import live_facts, live_rows, shadow_facts, shadow_rows
from core.domain.shadow import ShadowReading
from core.evaluate.live_calibration import DecidedBox, live_by, live_calibration
from core.services.monitoring.live import LiveReliability
from core.services.monitoring.shadow import ShadowSummary
from tests.records import START


def test_a_part_with_few_boxes_has_no_figure() -> None:
    boxes = [DecidedBox(0.6, True, "flange", "")]
    found = LiveReliability(1, 0, 0, live_calibration(boxes), live_by(boxes, "part"), {})
    (row,) = live_rows(found)
    assert (row["Of"], row["D-ECE"], row["Perfect up to"]) == ("Part flange", "too few boxes", "")


def test_boxes_of_few_readings_are_no_verdict() -> None:
    boxes = [DecidedBox(0.95, n % 5 == 0, "", "") for n in range(200)]
    found = LiveReliability(3, 0, 0, live_calibration(boxes), {}, {})
    assert "miscalibrated" not in found.words
    assert "from 3 readings whose boxes are alike: too few to tell" in live_facts(found)["Calibration"]
    assert replace(found, n_readings=10).words.endswith(": miscalibrated")


def test_a_disagreement_leads_to_its_image_in_both_versions() -> None:
    remarks = (
        "only v1 reports it",
        "v1 does not report it",
        "v1: crack instead of porosity",
        "v1: probability 0.60 instead of 0.20",
        "only v1 reports it",
    )
    boxes = tuple({"bbox": [1, 2, 3, 4], "class": "crack", "remark": one} for one in remarks)
    reading = ShadowReading("a" * 64, "i-7", "weld", 2, "b" * 64, 1, "c" * 64, START, 3, 4, boxes)
    summary = ShadowSummary(2, 1, 1, 0, 0, (reading,), {}, {}, {"a" * 64: "ring 7.png"})
    (row,) = shadow_rows(summary, "weld")
    assert row["Image"] == "ring 7.png"
    assert row["Differences"] == "only v1: 2, class: 1, only v2: 1, probability: 1"
    assert row["Compare"] == "/compare?model=weld&v=2%2C1&inspection=i-7"


def test_counts_stand_apart_from_sizes_and_say_out_of_how_many() -> None:
    found = ShadowSummary(2, 1, 12, 0, 0, (), {"porosity": 25, "crack": 4}, {"16 to 32 px": 16}, {})
    facts = shadow_facts(found)
    assert facts["By class"] == "porosity: 25, crack: 4"
    assert facts["By size"] == "16 to 32 px: 16"
    assert facts["Differ"] == "0 of the newest 12"
    assert shadow_facts(replace(found, n_images=700))["Differ"] == "0 of the newest 500"
