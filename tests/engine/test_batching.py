import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from core.domain.radiograph import Polarity
from core.engine.batching import MicroBatcher
from core.engine.detector import Detector, Request


class Clock:
    """A clock that stands still until it is moved on."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Recorded:
    """Doubles numbers and remembers what ran together; fails for negative ones."""

    def __init__(self):
        self.batches = []

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.batches.append(sorted(items))
        if min(items) < 0:
            raise ValueError(f"{min(items)} is negative")
        return [2 * item for item in items]


def wait_until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)


def gathered(batcher: MicroBatcher) -> int:
    return len(batcher._gathering or ())


def test_a_request_waits_for_its_window_and_no_longer():
    clock, run = Clock(), Recorded()
    batcher = MicroBatcher(run, window_s=0.006, clock=clock)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(batcher.submit, 4)
        wait_until(lambda: gathered(batcher) == 1)
        clock.now = 0.0059
        time.sleep(0.05)
        assert not answer.done()
        clock.now = 0.0061
        assert answer.result(10) == 8


def test_what_is_asked_within_the_window_runs_together():
    clock, run = Clock(), Recorded()
    batcher = MicroBatcher(run, window_s=0.006, clock=clock)
    with ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(batcher.submit, i) for i in (1, 2, 3)]
        wait_until(lambda: gathered(batcher) == 3)
        clock.now = 1.0
        assert [answer.result(10) for answer in answers] == [2, 4, 6]
    assert run.batches == [[1, 2, 3]]


def test_a_full_batch_does_not_wait_for_the_window():
    run = Recorded()
    batcher = MicroBatcher(run, window_s=0.006, at_most=2, clock=Clock())  # its window never ends
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(batcher.submit, i) for i in range(4)]
        assert [answer.result(10) for answer in answers] == [0, 2, 4, 6]
    assert [len(batch) for batch in run.batches] == [2, 2]


def test_the_next_batch_gathers_while_one_runs():
    is_running, may_end = threading.Event(), threading.Event()
    seen = []

    def run(items):
        seen.append(len(items))
        is_running.set()
        may_end.wait(10)
        return items

    batcher = MicroBatcher(run, window_s=0.0)
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(batcher.submit, 0)]
        assert is_running.wait(10)
        answers += [pool.submit(batcher.submit, i) for i in (1, 2, 3)]
        wait_until(lambda: gathered(batcher) == 3)
        may_end.set()
        assert [answer.result(10) for answer in answers] == [0, 1, 2, 3]
    assert seen == [1, 3]


def test_an_error_reaches_the_one_whose_request_it_is_and_nobody_else():
    clock = Clock()
    batcher = MicroBatcher(Recorded(), window_s=0.006, clock=clock)
    with ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(batcher.submit, i) for i in (1, -2, 3)]
        wait_until(lambda: gathered(batcher) == 3)
        clock.now = 1.0
        assert answers[0].result(10) == 2
        assert answers[2].result(10) == 6
        with pytest.raises(ValueError, match="-2 is negative"):
            answers[1].result(10)


def test_it_works_on_after_an_error():
    batcher = MicroBatcher(Recorded(), window_s=0.0)
    with pytest.raises(ValueError, match="negative"):
        batcher.submit(-1)
    assert batcher.submit(5) == 10


def test_too_few_answers_are_an_error_and_not_a_wait_for_ever():
    batcher = MicroBatcher(lambda _: [], window_s=0.0)
    with pytest.raises(ValueError, match="zip"):
        batcher.submit(1)


@pytest.mark.parametrize(("window_s", "at_most"), [(-0.1, 4), (0.005, 0)])
def test_a_window_or_a_batch_that_cannot_be_is_refused(window_s, at_most):
    with pytest.raises(ValueError, match="window of"):
        MicroBatcher(Recorded(), window_s=window_s, at_most=at_most)


def test_users_of_one_network_get_together_what_each_would_get_alone(tiny_network):
    detector = Detector(
        tiny_network, Polarity.FILM, torch.device("cpu"), dtype=torch.float32, views_at_once=4
    )
    rng = np.random.default_rng(2)
    images = [rng.random((100 + 30 * (i % 2), 140), dtype=np.float32) for i in range(6)]
    floors = [0.05 + 0.01 * i for i in range(6)]
    requests = [Request(image, floor) for image, floor in zip(images, floors, strict=True)]
    batcher = MicroBatcher(detector.detect_many, at_most=6, window_s=5.0)
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(batcher.submit, requests))
    for request, found in zip(requests, together, strict=True):
        alone = detector.detect(request.image, score_floor=request.score_floor)
        assert len(alone) == len(found) > 0
        np.testing.assert_allclose(found.scores, alone.scores, atol=1e-4)
        # equal scores may change places when batched convolutions round differently
        apart = np.abs(found.boxes[:, None] - alone.boxes[None]).max(axis=2)
        assert apart.min(axis=0).max() < 0.01
        assert apart.min(axis=1).max() < 0.01
