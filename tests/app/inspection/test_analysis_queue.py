"""Running the detector beside the script thread."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from sqlalchemy import delete

from app.inspection.analysis_queue import AnalysisQueue, Answer, AnswerState, Question
from app.shared.resources import Resources
from app.shared.worklist import WorklistEntry
from core.domain.accounts import Identity, Role
from core.domain.errors import EngineBusyError, ModelArtefactError
from core.domain.inspection import DetectionResult
from core.domain.polarity import PolarityDecision
from core.domain.radiograph import Polarity, PolarityGround, Radiograph
from core.domain.reading import Setup
from core.services.inference.picking import Pick
from core.store.fingerprint_table import ImageFingerprintRow
from tests.artefacts import write_artefact
from tests.workplace import radiograph_png

GUEST = Identity("guest-0123456789abcdef", "guest", Role.GUEST, address="127.0.0.1")
FILM = WorklistEntry("k", "film.png", Polarity.UNKNOWN, setup=Setup(part="flange 7"))


class SlowDetect:
    """Detects when it is allowed to, in the order asked; fails where told to."""

    def __init__(self, real: object) -> None:
        self._real = real
        self.may_go = threading.Event()
        self.order: list[str] = []
        self.fails_with: Exception | None = None

    def detect(
        self, radiograph: Radiograph, name: str, *, model: str, version: int | None = None
    ) -> DetectionResult:
        self.order.append(name)
        assert self.may_go.wait(30)
        if self.fails_with is not None:
            raise self.fails_with
        return self._real.detect(radiograph, name, model=model, version=version)

    def polarity_of(
        self, radiograph: Radiograph, *, model: str, version: int | None = None
    ) -> PolarityDecision:
        return self._real.polarity_of(radiograph, model=model, version=version)


@pytest.fixture
def detect(workplace: Resources) -> SlowDetect:
    return SlowDetect(workplace.services.detect)


@pytest.fixture
def desk(workplace: Resources, detect: SlowDetect) -> Iterator[AnalysisQueue]:
    desk = AnalysisQueue(workplace.services.workspace_of, detect, workplace.services.picking)
    yield desk
    detect.may_go.set()
    desk.close()


@pytest.fixture
def question(workplace: Resources) -> Callable[[int], Question]:
    def make(seed: int) -> Question:
        stored = workplace.services.workspace_of(GUEST).images.add(GUEST, radiograph_png(seed), f"{seed}.png")
        return Question(GUEST.user_id, stored.sha256, Polarity.UNKNOWN, "weld", 1)

    return make


def until_done(desk: AnalysisQueue, question: Question) -> Answer:
    """The answer when it is ready or failed, or asks for the polarity."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        answer = desk.ask(question, FILM, GUEST)
        if answer.state in (AnswerState.READY, AnswerState.FAILED, AnswerState.ASKED):
            return answer
        time.sleep(0.01)
    raise AssertionError("no answer came")


def test_an_answer_comes_without_waiting_in_the_call(
    desk: AnalysisQueue, detect: SlowDetect, question: Callable[[int], Question]
) -> None:
    asked = question(1)
    assert desk.ask(asked, FILM, GUEST).state is AnswerState.WAITING
    assert desk.result(asked) is None
    detect.may_go.set()
    answer = until_done(desk, asked)
    assert answer.state is AnswerState.READY
    assert answer.result.radiograph.sha256 == asked.sha256
    assert desk.result(asked) is answer.result
    assert detect.order == ["film.png"]


def test_what_is_looked_at_comes_before_what_waits(
    desk: AnalysisQueue, detect: SlowDetect, question: Callable[[int], Question]
) -> None:
    asked = [question(seed) for seed in range(3)]
    for seed, one in enumerate(asked):
        desk.ask(one, WorklistEntry("k", f"{seed}", Polarity.UNKNOWN), GUEST)
    while not detect.order:
        time.sleep(0.01)
    desk.ask(asked[2], WorklistEntry("k", "2", Polarity.UNKNOWN), GUEST, urgent=True)
    detect.may_go.set()
    for one in asked:
        until_done(desk, one)
    assert detect.order == ["0", "2", "1"]


def test_a_foreseen_failure_is_told_and_can_be_tried_again(
    desk: AnalysisQueue, detect: SlowDetect, question: Callable[[int], Question]
) -> None:
    asked = question(1)
    detect.may_go.set()
    detect.fails_with = ModelArtefactError("the weights are gone")
    answer = until_done(desk, asked)
    assert (answer.state, "the weights are gone" in answer.message) == (AnswerState.FAILED, True)
    detect.fails_with = None
    desk.forget_failure(asked)
    assert until_done(desk, asked).state is AnswerState.READY
    desk.forget_failure(asked)
    assert desk.result(asked) is not None


def test_an_image_waits_in_words_while_the_machines_that_read_are_full_and_is_read_once(
    desk: AnalysisQueue,
    detect: SlowDetect,
    question: Callable[[int], Question],
    workplace: Resources,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.inspection.analysis_queue._FULL_PAUSE_S", 0.05)
    asked = question(1)
    detect.may_go.set()
    detect.fails_with = EngineBusyError("full")
    while len(detect.order) < 3:
        answer = desk.ask(asked, FILM, GUEST)
        time.sleep(0.01)
    assert answer.state in (AnswerState.WAITING, AnswerState.WORKING)
    assert answer.message.startswith("The machines that read are full")
    detect.fails_with = None
    done = until_done(desk, asked)
    assert (done.state, done.message) == (AnswerState.READY, "")
    kept = workplace.services.workspace_of(GUEST).inspections.latest(GUEST, 10)
    assert [one.inspection_id for one in kept] == [done.inspection.inspection_id]


@pytest.mark.parametrize("told_after_s", [None, 0.0, 3600.0])
def test_an_image_that_other_machines_do_not_answer_says_why_it_waits(
    detect: SlowDetect,
    question: Callable[[int], Question],
    workplace: Resources,
    told_after_s: float | None,
) -> None:
    services, asked = workplace.services, question(1)
    desk = AnalysisQueue(services.workspace_of, detect, services.picking, told_after_s=told_after_s)
    try:
        desk.ask(asked, FILM, GUEST)
        while not detect.order:
            time.sleep(0.01)
        waiting = desk.ask(asked, FILM, GUEST)
        detect.may_go.set()
        done = until_done(desk, asked)
    finally:
        detect.may_go.set()
        desk.close()
    assert waiting.state is AnswerState.WORKING
    assert ("are slow to answer" in waiting.message) == (told_after_s == 0.0)
    assert (done.state, done.message) == (AnswerState.READY, "")


def test_where_other_machines_read_several_images_are_read_at_once_and_each_once(
    detect: SlowDetect, question: Callable[[int], Question], workplace: Resources
) -> None:
    services = workplace.services
    desk = AnalysisQueue(services.workspace_of, detect, services.picking, n_workers=2)
    asked = [question(seed) for seed in range(4)]
    try:
        for one in asked:
            desk.ask(one, FILM, GUEST)
        end = time.monotonic() + 30
        while len(detect.order) < 2 and time.monotonic() < end:
            time.sleep(0.01)
        assert (len(detect.order), desk.n_waiting) == (2, 2)
        detect.may_go.set()
        found = [until_done(desk, one).inspection.inspection_id for one in asked]
    finally:
        detect.may_go.set()
        desk.close()
    assert len(detect.order) == 4
    kept = services.workspace_of(GUEST).inspections.latest(GUEST, 10)
    assert sorted(one.inspection_id for one in kept) == sorted(found)


def test_an_image_that_waits_for_full_machines_can_be_cancelled(
    desk: AnalysisQueue, detect: SlowDetect, question: Callable[[int], Question]
) -> None:
    asked = question(1)
    detect.may_go.set()
    detect.fails_with = EngineBusyError("full")
    while not desk.ask(asked, FILM, GUEST).message:
        time.sleep(0.01)
    while desk.cancel(GUEST.user_id) == 0:
        time.sleep(0.01)
    assert desk.ask(asked, FILM, GUEST).state is AnswerState.CANCELLED
    assert desk.n_waiting == 0


def test_an_unforeseen_failure_gets_a_reference_and_the_next_image_goes_on(
    desk: AnalysisQueue,
    detect: SlowDetect,
    question: Callable[[int], Question],
    caplog: pytest.LogCaptureFixture,
) -> None:
    detect.may_go.set()
    detect.fails_with = RuntimeError("inner detail")
    answer = until_done(desk, question(1))
    reference = answer.message.rsplit(" ", 1)[-1].rstrip(".")
    assert "inner detail" not in answer.message
    assert reference in caplog.text
    detect.fails_with = None
    assert until_done(desk, question(2)).state is AnswerState.READY


def test_only_so_many_results_are_kept_and_the_rest_is_answered_again_when_looked_at(
    desk: AnalysisQueue, detect: SlowDetect, question: Callable[[int], Question]
) -> None:
    detect.may_go.set()
    asked = [question(seed) for seed in range(42)]
    first = until_done(desk, asked[0])
    for one in asked[1:]:
        until_done(desk, one)
    assert desk.result(asked[0]) is None
    assert desk.ask(asked[0], FILM, GUEST).inspection == first.inspection
    n_done = len(detect.order)
    assert desk.ask(asked[0], FILM, GUEST, urgent=True).state is AnswerState.WAITING
    assert until_done(desk, asked[0]).result is not None
    assert len(detect.order) == n_done + 1


def test_what_was_not_begun_can_be_cancelled_and_asked_again(
    desk: AnalysisQueue, detect: SlowDetect, question: Callable[[int], Question]
) -> None:
    asked = [question(seed) for seed in range(3)]
    for one in asked:
        desk.ask(one, FILM, GUEST)
    while not detect.order:
        time.sleep(0.01)
    assert desk.cancel("somebody else") == 0
    assert desk.cancel(GUEST.user_id) == 2
    assert desk.ask(asked[2], FILM, GUEST).state is AnswerState.CANCELLED
    detect.may_go.set()
    assert until_done(desk, asked[0]).state is AnswerState.READY
    assert detect.order == ["film.png"]
    desk.forget_failure(asked[2])
    assert until_done(desk, asked[2]).state is AnswerState.READY


def test_an_answer_is_recorded_before_it_is_shown_and_only_once(
    desk: AnalysisQueue, detect: SlowDetect, question: Callable[[int], Question], workplace: Resources
) -> None:
    asked = question(1)
    detect.may_go.set()
    answer = until_done(desk, asked)
    desk.forget(GUEST.user_id)
    assert desk.result(asked) is None
    again = until_done(desk, asked)
    inspections = workplace.services.workspace_of(GUEST).inspections.latest(GUEST, 10)
    assert [one.inspection_id for one in inspections] == [answer.inspection.inspection_id]
    assert again.inspection.inspection_id == answer.inspection.inspection_id
    assert inspections[0].setup["part"] == "flange 7"
    assert len(inspections[0].detections) == len(answer.result.detections)
    assert inspections[0].model.calibration_id == answer.result.model.calibration.calibration_id


def test_nothing_is_shown_that_could_not_be_recorded(
    desk: AnalysisQueue, detect: SlowDetect, question: Callable[[int], Question]
) -> None:
    asked = question(1)
    engineer = Identity(GUEST.user_id, "engineer", Role.ML_ENGINEER)
    detect.may_go.set()
    desk.ask(asked, FILM, engineer)
    answer = until_done(desk, asked)
    assert answer.state is AnswerState.FAILED
    assert answer.result is None


def test_images_of_an_earlier_release_get_their_fingerprint_while_nobody_waits(
    desk: AnalysisQueue, detect: SlowDetect, question: Callable[[int], Question], workplace: Resources
) -> None:
    asked = [question(seed) for seed in range(3)]
    store = workplace.services.workspace_of(GUEST).store
    with store.engine.begin() as connection:
        connection.execute(delete(ImageFingerprintRow))
    detect.may_go.set()
    until_done(desk, asked[0])
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with store.read() as work:
            if work.fingerprints.counts() == (3, 3):
                return
        time.sleep(0.05)
    raise AssertionError("not caught up")


def test_a_scale_set_while_the_analysis_runs_counts_for_its_report(
    desk: AnalysisQueue, detect: SlowDetect, question: Callable[[int], Question], workplace: Resources
) -> None:
    asked = question(1)
    desk.ask(asked, FILM, GUEST)
    while not detect.order:
        time.sleep(0.01)
    workspace = workplace.services.workspace_of(GUEST)
    workspace.scales.set(GUEST, asked.sha256, known_mm=1, measured_px=20)
    detect.may_go.set()
    inspection = until_done(desk, asked).inspection
    assert inspection.image_quality["basis"]["mm_per_px"] == pytest.approx(0.05)


def flat_png() -> bytes:
    pixels = np.full((64, 64), 700, np.uint16)
    return cv2.imencode(".png", pixels)[1].tobytes()


def test_a_picture_that_does_not_tell_its_polarity_is_not_read_before_somebody_states_it(
    workplace: Resources, desk: AnalysisQueue, detect: SlowDetect
) -> None:
    detect.may_go.set()
    workspace = workplace.services.workspace_of(GUEST)
    stored = workspace.images.add(GUEST, flat_png(), "flat.png")
    unstated = Question(GUEST.user_id, stored.sha256, Polarity.UNKNOWN, "weld", 1)
    asked = until_done(desk, unstated)
    assert (asked.state, asked.result, asked.inspection) == (AnswerState.ASKED, None, None)
    assert detect.order == []
    stated = until_done(desk, replace(unstated, polarity=Polarity.DIGITAL))
    assert stated.state is AnswerState.READY
    found = stated.inspection
    assert (found.polarity, found.polarity_ground) == (Polarity.DIGITAL, PolarityGround.PERSON)


def test_an_estimate_that_agrees_with_the_model_is_taken_and_kept_as_such(
    desk: AnalysisQueue, detect: SlowDetect, question: Callable[[int], Question]
) -> None:
    detect.may_go.set()
    answer = until_done(desk, question(3))
    assert answer.result.radiograph.polarity is Polarity.FILM
    assert answer.inspection.polarity_ground is PolarityGround.ESTIMATED
    assert answer.polarity.warning == ""


def test_what_a_person_stated_is_not_replaced_by_the_estimate_which_warns(
    desk: AnalysisQueue, detect: SlowDetect, question: Callable[[int], Question]
) -> None:
    detect.may_go.set()
    answer = until_done(desk, replace(question(4), polarity=Polarity.DIGITAL))
    assert answer.inspection.polarity is Polarity.DIGITAL
    assert "you said digital, but the image looks film" in answer.polarity.warning


class PicksAnother:
    """Lets the version of the same model that is one higher read what it is asked about."""

    def __init__(self) -> None:
        self.earlier: list[int | None] = []

    def pick(
        self, radiograph: Radiograph, *, model: str, version: int | None = None, earlier: int | None = None
    ) -> Pick:
        self.earlier.append(earlier)
        return Pick(model, (version or 0) + 1, "casting")


def test_what_looks_strange_is_read_by_the_picked_version_unless_a_person_chose(
    workplace: Resources, detect: SlowDetect, question: Callable[[int], Question], tmp_path: Path
) -> None:
    workplace.services.registry.add(write_artefact(tmp_path / "weld-2", seed=7))
    picking = PicksAnother()
    desk = AnalysisQueue(workplace.services.workspace_of, detect, picking)
    detect.may_go.set()
    asked = question(5)
    try:
        assert until_done(desk, asked).result.model.version == 2
        assert desk.result(asked).model.version == 2, "found under what was asked"
        assert until_done(desk, replace(asked, is_chosen=True)).result.model.version == 1
    finally:
        desk.close()
    assert picking.earlier == [None], "what a person chose is not asked about"
