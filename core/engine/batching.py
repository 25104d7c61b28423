"""Batching of requests that several threads make within a few milliseconds."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

#: Wait of the first request of a batch for others.
WINDOW_S = 0.006
#: More than this do not run together.
AT_MOST = 16

Item = TypeVar("Item")
Result = TypeVar("Result")


class MicroBatcher(Generic[Item, Result]):
    """Gathers single requests into batches; each caller gets the answer to its own.

    The first to ask waits for the window to end, or the batch to be full, and then runs it in its own
    thread, so there is nothing to start or to close. While one batch runs the next one keeps gathering. When
    a batch fails, its requests run one by one, and only those that fail alone raise.

    Args:
        run: (N,) requests to N answers in their order; one call at a time.
        window_s: how long the first request of a batch waits, 0.005 to 0.010 where a GPU answers.
        at_most: requests in one batch.
        clock: seconds, rising.

    Raises:
        ValueError: when the window is negative or the batch has no room.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Item]], Sequence[Result]],
        *,
        window_s: float = WINDOW_S,
        at_most: int = AT_MOST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if window_s < 0 or at_most < 1:
            raise ValueError(f"window of {window_s} s for {at_most} requests")
        self._run = run
        self._window_s, self._at_most, self._clock = window_s, at_most, clock
        self._changed = threading.Condition()
        self._running = threading.Lock()
        self._gathering: list[tuple[Item, Future[Result]]] | None = None

    def submit(self, item: Item) -> Result:
        """The answer to one request; blocks until it is there.

        Raises:
            Exception: what `run` raised for this request alone.
        """
        answer: Future[Result] = Future()
        with self._changed:
            is_first = self._gathering is None
            batch = self._gathering = self._gathering or []
            batch.append((item, answer))
            if len(batch) == self._at_most:
                self._gathering = None
            self._changed.notify_all()
        if is_first:
            self._lead(batch)
        return answer.result()

    def _lead(self, batch: list[tuple[Item, Future[Result]]]) -> None:
        """Wait until the batch is due and the device is free, then answer all of it."""
        with self._changed:
            deadline = self._clock() + self._window_s
            while len(batch) < self._at_most and (left := deadline - self._clock()) > 0:
                self._changed.wait(left)
        with self._running:
            with self._changed:
                if self._gathering is batch:
                    self._gathering = None
            self._answer(batch)

    def _answer(self, batch: Sequence[tuple[Item, Future[Result]]]) -> None:
        """Answer every request, with an error if need be: whoever waits must not wait for ever."""
        try:
            answers = self._run([item for item, _ in batch])
            answered = list(zip(batch, answers, strict=True))
        except Exception as error:  # noqa: BLE001  # goes to the one whose request it is
            if len(batch) == 1:
                batch[0][1].set_exception(error)
            else:
                for one in batch:
                    self._answer([one])
        except BaseException as stop:  # the thread that leads is being stopped; the others are told
            for _, waiting in batch:
                waiting.set_exception(stop)
            raise
        else:
            for (_, waiting), answer in answered:
                waiting.set_result(answer)
