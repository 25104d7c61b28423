"""What the inspection page tells the viewer."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.inspection.analysis_queue import Answer, AnswerState, Question
from app.inspection.items import WorklistItem
from app.inspection.rows import polarity_data, start_threshold, viewer_data
from app.shared.worklist import EntryState, WorklistEntry
from core.domain.familiarity import Familiarity
from core.domain.polarity import PolarityEstimate, decide_polarity
from core.domain.radiograph import PitchSource, PixelPitch, Polarity, PolarityGround
from tests.reports.test_detection_json import result

ANALYSED = result(pitch=PixelPitch(0.05, PitchSource.FILE))
SHA = ANALYSED.radiograph.sha256
ENTRY = WorklistEntry("k1", "film.png", Polarity.FILM, EntryState.STORED, SHA)
QUESTION = Question("u-1", SHA, Polarity.FILM, "weld", 2)
READY = WorklistItem(ENTRY, QUESTION, Answer(AnswerState.READY, ANALYSED))
WORKING = WorklistItem(replace(ENTRY, key="k2"), QUESTION, Answer(AnswerState.WORKING))
READING = WorklistItem(WorklistEntry("k3", "next.png", Polarity.UNKNOWN))
BROKEN = WorklistItem(replace(READING.entry, key="k4", state=EntryState.FAILED, message="not a radiograph"))


def shown(current: WorklistItem, *others: WorklistItem, void: str = "") -> dict[str, object]:
    return viewer_data(
        [current, *others],
        current,
        radiograph=ANALYSED.radiograph if current.entry.sha256 else None,
        model=ANALYSED.model,
        threshold=0.4,
        void=void,
    )


def test_a_finished_image_has_boxes_numbered_from_one_and_links() -> None:
    data = shown(READY)
    assert [d["n"] for d in data["detections"]] == [1, 2]
    assert data["detections"][0]["class"] == "crack"
    assert data["status"]["state"] == "ready"
    assert data["image"]["mm_per_px"] == 0.05
    assert data["image"]["pitch_source"] == "resolution written in the file"
    assert data["links"]["json"] == f"/results/{SHA}/detections.json?model=weld&version=2&polarity=film"
    assert data["batch"][0]["summary"] == "1 at 0.40"
    assert data["model"]["data_notice"] == "ours"


def test_a_working_image_shows_its_pixels_and_no_boxes() -> None:
    data = shown(WORKING)
    assert (data["status"]["state"], data["detections"], data["links"]) == ("working", [], None)
    assert data["image"]["pixels_url"] == f"/pixels/{SHA}"
    assert data["status"]["message"] == "Looking for indications"


def test_an_image_that_waits_for_full_machines_says_so_and_so_does_the_progress_of_all() -> None:
    told = "The machines that read are full. Your image is stored."
    full = replace(WORKING, answer=Answer(AnswerState.WAITING, message=told))
    data = shown(full)
    assert (data["status"]["state"], data["status"]["message"]) == ("waiting", told)
    progress = shown(READY, full)["progress"]
    assert (progress["text"], progress["title"]) == ("1 of 2 analysed. The machines that read are full", told)
    assert shown(READY, WORKING)["progress"]["title"] == ""


def test_a_large_image_has_a_preview_and_what_measuring_needs() -> None:
    pixels = np.zeros((1300, 5000), np.uint16)
    large = replace(ANALYSED.radiograph, pixels=pixels)
    assert shown(READY)["image"]["preview_url"] is None
    data = viewer_data([READY], READY, radiograph=large, model=ANALYSED.model, threshold=0.4)
    assert data["image"]["preview_url"] == f"/pixels/{SHA}/preview"
    assert (data["image"]["polarity"], data["image"]["srb_um"]) == (large.polarity.value, None)


def test_what_else_the_file_holds_stands_beside_the_verdict() -> None:
    copies = replace(ANALYSED.radiograph, unread=("1 reduced copy not read (16 × 12 px)",))
    for radiograph, unread in ((copies, ["1 reduced copy not read (16 × 12 px)"]), (ANALYSED.radiograph, [])):
        data = viewer_data(
            [READY], READY, radiograph=radiograph, model=ANALYSED.model, threshold=0.4, reading={"version": 1}
        )
        assert data["reading"] == {"version": 1, "unread": unread}


def test_a_batch_says_how_far_it_is_how_long_it_takes_and_what_failed() -> None:
    progress = shown(WORKING, READING, READY, BROKEN)["progress"]
    assert progress["text"] == "1 of 4 analysed, about 1 s left"
    slow = WorklistItem(ENTRY, QUESTION, Answer(AnswerState.READY, replace(ANALYSED, elapsed_ms=4_000)))
    progress_of_many = shown(slow, *[WORKING] * 180)["progress"]
    assert progress_of_many["text"] == "1 of 181 analysed, about 12 min left"
    assert progress["is_running"]
    assert not progress["can_cancel"]
    assert progress["failed"] == [{"key": "k4", "name": "next.png", "message": "not a radiograph"}]
    assert "left" not in shown(WORKING, READING)["progress"]["text"]
    waiting = WorklistItem(ENTRY, QUESTION, Answer(AnswerState.WAITING))
    assert shown(WORKING, waiting)["progress"]["can_cancel"]


def test_a_batch_without_work_or_failures_says_nothing() -> None:
    assert shown(READY, READY)["progress"] is None
    assert shown(WORKING)["progress"] is None


def test_what_was_not_taken_is_told_also_when_nothing_else_is() -> None:
    def told(*items: WorklistItem) -> object:
        current, remark = items[0], "Skipped 1 file that is no radiograph: a.txt."
        radiograph, model = ANALYSED.radiograph, ANALYSED.model
        return viewer_data(items, current, radiograph=radiograph, model=model, threshold=0.4, remark=remark)[
            "progress"
        ]

    assert told(READY) == {
        "text": "1 of 1 analysed",
        "title": "",
        "is_running": False,
        "can_cancel": False,
        "failed": [],
        "remark": "Skipped 1 file that is no radiograph: a.txt.",
    }
    assert shown(READY)["progress"] is None


def test_a_cancelled_image_is_not_waited_for_and_says_why() -> None:
    cancelled = WorklistItem(ENTRY, QUESTION, Answer(AnswerState.CANCELLED, message="you cancelled it"))
    assert not cancelled.is_pending
    assert shown(cancelled)["status"]["message"] == "you cancelled it"
    assert shown(READY, cancelled)["progress"]["text"] == "1 of 2 analysed"


def test_an_image_being_read_is_said_to_be_read() -> None:
    data = shown(READING)
    assert (data["image"], data["status"]["message"]) == (None, "Reading next.png")
    assert READING.is_pending


def test_a_failed_image_says_why_and_is_not_waited_for() -> None:
    assert shown(BROKEN)["status"] == {"state": "failed", "message": "not a radiograph", "elapsed_ms": None}
    assert not BROKEN.is_pending
    failed = WorklistItem(ENTRY, QUESTION, Answer(AnswerState.FAILED, message="no weights"))
    assert shown(failed)["status"]["message"] == "no weights"


@pytest.mark.parametrize(("operating", "start"), [(0.4, 0.4), (0.02, 0.1), (0.97, 0.9)])
def test_the_threshold_starts_at_the_operating_point_within_its_range(operating: float, start: float) -> None:
    calibration = replace(ANALYSED.model.calibration, operating_probability=operating)
    assert start_threshold(replace(ANALYSED.model, calibration=calibration)) == start


SILENT = PolarityEstimate(Polarity.UNKNOWN, 0.6, "")
LOOKS_DIGITAL = PolarityEstimate(Polarity.DIGITAL, 0.99, "the weld is darker than the plate")


def polarity_shown(
    stated: Polarity, ground: PolarityGround, estimate: PolarityEstimate, expected: Polarity = Polarity.FILM
) -> dict[str, Any]:
    decision = decide_polarity(stated, ground, expected, estimate)
    return polarity_data(decision.applied(ANALYSED.radiograph), decision)


@pytest.mark.parametrize(
    ("stated", "ground", "estimate", "expected", "told"),
    [
        (Polarity.FILM, PolarityGround.FILE, SILENT, Polarity.FILM, "film · DICONDE"),
        (Polarity.DIGITAL, PolarityGround.PERSON, SILENT, Polarity.FILM, "digital · you"),
        (Polarity.UNKNOWN, PolarityGround.ASSUMED, LOOKS_DIGITAL, Polarity.DIGITAL, "digital · estimated"),
        (Polarity.FILM, PolarityGround.PERSON, LOOKS_DIGITAL, Polarity.FILM, "film · you ⚠"),
    ],
)
def test_the_polarity_is_told_with_its_ground(
    stated: Polarity, ground: PolarityGround, estimate: PolarityEstimate, expected: Polarity, told: str
) -> None:
    data = polarity_shown(stated, ground, estimate, expected)
    assert data["polarity_line"]["text"] == told
    assert data["polarity_ask"] is None


@pytest.mark.parametrize(
    ("estimate", "why"),
    [(SILENT, "does not tell clearly"), (LOOKS_DIGITAL, "looks digital: the weld is darker than the plate")],
)
def test_an_estimate_that_is_unsure_or_differs_from_the_model_asks(
    estimate: PolarityEstimate, why: str
) -> None:
    data = polarity_shown(Polarity.UNKNOWN, PolarityGround.ASSUMED, estimate)
    assert why in data["polarity_ask"]
    assert data["polarity_line"]["text"] == "polarity not stated"


def test_an_image_whose_polarity_is_asked_waits_for_a_person_not_for_us() -> None:
    decision = decide_polarity(Polarity.UNKNOWN, PolarityGround.ASSUMED, Polarity.FILM, SILENT)
    asked = WorklistItem(ENTRY, QUESTION, Answer(AnswerState.ASKED, polarity=decision))
    data = shown(asked, READY)
    assert (data["status"]["state"], data["detections"], data["links"]) == ("asked", [], None)
    assert (data["batch"][0]["summary"], data["progress"]) == ("polarity?", None)


def strange(current: WorklistItem = READY) -> dict[str, object]:
    """The data of an image that looks unlike those that calibrated the model."""
    seen = replace(ANALYSED, familiarity=Familiarity(3.0, 1.5))
    return shown(replace(current, answer=Answer(AnswerState.READY, seen)))


def test_an_image_that_looks_strange_has_probabilities_that_are_not_verified() -> None:
    data = strange()
    assert data["calibration"]["warning"] == "probability not verified for this kind of image"
    assert data["calibration"]["words"] == data["calibration"]["warning"]
    assert "distance 3.00, limit 1.50" in data["calibration"]["familiarity"]
    assert (data["calibration"]["is_verified"], data["detections"][0]["is_unverified"]) == (False, True)


def test_a_familiar_image_and_one_of_a_version_that_cannot_tell_have_theirs() -> None:
    familiar = replace(
        READY, answer=Answer(AnswerState.READY, replace(ANALYSED, familiarity=Familiarity(1, 2)))
    )
    for data in (shown(familiar), shown(READY)):
        assert data["calibration"]["is_verified"]
        assert "is_unverified" not in data["detections"][0]


def test_a_drift_alarm_voids_the_probabilities_of_a_familiar_image() -> None:
    familiar = replace(
        READY, answer=Answer(AnswerState.READY, replace(ANALYSED, familiarity=Familiarity(1, 2)))
    )
    void = "probability not verified: drift since yesterday"
    data = shown(familiar, void=void)
    assert data["calibration"]["warning"] == void
    assert data["calibration"]["familiarity"].startswith(void)
    assert (data["calibration"]["is_verified"], data["detections"][0]["is_unverified"]) == (False, True)


def test_what_a_person_chose_is_told_apart_in_the_links() -> None:
    chosen = replace(READY, question=replace(QUESTION, is_chosen=True))
    assert shown(chosen)["links"]["json"].endswith("polarity=film&chosen=1")


def test_the_model_that_was_picked_says_why() -> None:
    asked = replace(QUESTION, model="casting", version=3)
    picked = replace(ANALYSED.model, name="casting-any", version=1)
    own = replace(ANALYSED.model, name="casting", version=3)
    item = replace(READY, question=asked, version=picked)
    assert item.picked == "Read by casting-any: this part looks unlike those that taught casting"
    assert replace(item, version=own).picked == ""
    assert WORKING.picked == ""
