"""Running the detector beside the script thread."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from app.analysis import AnalysisDesk, Answer, AnswerState, Question
from app.resources import Resources
from core.domain.errors import ModelArtefactError
from core.domain.inspection import DetectionResult
from core.domain.radiograph import Polarity, Radiograph
from tests.workplace import radiograph_png


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


@pytest.fixture
def detect(workplace: Resources) -> SlowDetect:
    return SlowDetect(workplace.services.detect)


@pytest.fixture
def desk(workplace: Resources, detect: SlowDetect) -> Iterator[AnalysisDesk]:
    desk = AnalysisDesk(workplace.services.images, detect)
    yield desk
    detect.may_go.set()
    desk.close()


@pytest.fixture
def question(workplace: Resources) -> Callable[[int], Question]:
    def make(seed: int) -> Question:
        stored = workplace.services.images.add(radiograph_png(seed, height=64, width=64), f"{seed}.png")
        return Question(stored.sha256, Polarity.UNKNOWN, "weld", 1)

    return make


def until_done(desk: AnalysisDesk, question: Question) -> Answer:
    """The answer when it is ready or failed."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        answer = desk.ask(question, "film.png")
        if answer.state in (AnswerState.READY, AnswerState.FAILED):
            return answer
        time.sleep(0.01)
    raise AssertionError("no answer came")


def test_an_answer_comes_without_waiting_in_the_call(
    desk: AnalysisDesk, detect: SlowDetect, question: Callable[[int], Question]
) -> None:
    asked = question(1)
    assert desk.ask(asked, "film.png").state is AnswerState.WAITING
    assert desk.result(asked) is None
    detect.may_go.set()
    answer = until_done(desk, asked)
    assert answer.state is AnswerState.READY
    assert answer.result.radiograph.sha256 == asked.sha256
    assert desk.result(asked) is answer.result
    assert detect.order == ["film.png"]


def test_what_is_looked_at_comes_before_what_waits(
    desk: AnalysisDesk, detect: SlowDetect, question: Callable[[int], Question]
) -> None:
    asked = [question(seed) for seed in range(3)]
    for seed, one in enumerate(asked):
        desk.ask(one, f"{seed}")
    while not detect.order:
        time.sleep(0.01)
    desk.ask(asked[2], "2", urgent=True)
    detect.may_go.set()
    for one in asked:
        until_done(desk, one)
    assert detect.order == ["0", "2", "1"]


def test_a_foreseen_failure_is_told_and_can_be_tried_again(
    desk: AnalysisDesk, detect: SlowDetect, question: Callable[[int], Question]
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


def test_an_unforeseen_failure_gets_a_reference_and_the_next_image_goes_on(
    desk: AnalysisDesk,
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


def test_only_so_many_answers_are_kept(
    desk: AnalysisDesk, detect: SlowDetect, question: Callable[[int], Question]
) -> None:
    detect.may_go.set()
    asked = question(1)
    until_done(desk, asked)
    detect.fails_with = ModelArtefactError("quick")
    for version in range(2, 44):
        until_done(desk, Question(asked.sha256, asked.polarity, "weld", version))
    assert desk.result(asked) is None
