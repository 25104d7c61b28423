"""One training run shared by several processes: of this machine, or of a Ray cluster (`ray_workers`)."""

import logging
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

import torch
import torch.distributed as dist
from torch.multiprocessing.spawn import ProcessException, ProcessExitedException, start_processes

from core.domain.errors import JobCancelledError, TrainingWorkerLostError
from core.training.images import TrainingImage
from core.training.logs import ConsoleJobLog, FileRunLog
from core.training.loop import RunSettings, train
from core.training.recipe import Recipe
from core.training.together import Together

log = logging.getLogger(__name__)
#: The run stops after the step at hand once this file lies in its folder.
_STOP = "stop"
_EXIT_CANCELLED = 3


@dataclass(frozen=True, slots=True)
class SharedRun:
    """What each worker needs to take its part; may be pickled.

    Attributes:
        recipe: of the run; a step's crops are shared by the workers.
        load: reads the images, the same in every worker.
        settings: of the run; `out` is seen by every worker.
        threads: of each worker, on the CPU.
    """

    recipe: Recipe
    load: Callable[[], list[TrainingImage]]
    settings: RunSettings
    threads: int = 1

    @property
    def backend(self) -> str:
        """The backend of torch.distributed for the device."""
        return "nccl" if self.settings.device.startswith("cuda") else "gloo"

    def take_part(self, together: Together, device: str) -> Path:
        """Train as one of the workers, in their process group; the path of the weights.

        Raises:
            JobCancelledError: the run was stopped; the checkpoint stays.
        """
        torch.set_num_threads(self.threads)
        settings = replace(self.settings, together=together, device=device)
        if not together.is_first:
            return train(self.recipe, self.load(), settings, _NoLog(), _NoLog())
        job_log = _StoppableJobLog(settings.out / _STOP)
        return train(self.recipe, self.load(), settings, FileRunLog(settings.out), job_log)


def train_on_this_machine(run: SharedRun, n_workers: int) -> Path:
    """Train in so many processes; the path of the weights. SIGTERM stops them with a checkpoint.

    On a GPU, worker i takes device i.

    Raises:
        JobCancelledError: the run was stopped.
        TrainingWorkerLostError: a worker died or failed; the others were ended.
    """
    with tempfile.TemporaryDirectory(prefix="radikal-training-") as folder, stoppable(run.settings.out):
        asked = (run, n_workers, Path(folder) / "meeting")
        started = start_processes(_work, args=asked, nprocs=n_workers, join=False)  # type: ignore[no-untyped-call]  # torch's
        assert started is not None
        try:
            while not started.join(timeout=1.0):
                pass
        except ProcessException as error:
            if isinstance(error, ProcessExitedException) and error.exit_code == _EXIT_CANCELLED:
                raise JobCancelledError("stopped; --resume goes on from the checkpoint") from error
            log.error("worker %d: %s", error.error_index, error)
            raise TrainingWorkerLostError(
                f"worker {error.error_index} of the training died: --resume goes on from the checkpoint"
            ) from error
    return run.settings.out / "weights.safetensors"


@contextmanager
def stoppable(folder: Path) -> Iterator[Callable[[], bool]]:
    """While this lasts, SIGTERM asks the workers of the run in `folder` to stop; tells whether it came."""
    asked = folder / _STOP
    asked.unlink(missing_ok=True)

    def ask(_number: int, _frame: FrameType | None) -> None:
        asked.touch()

    before = signal.signal(signal.SIGTERM, ask)
    try:
        yield asked.exists
    finally:
        signal.signal(signal.SIGTERM, before)
        asked.unlink(missing_ok=True)


def _work(rank: int, run: SharedRun, count: int, meeting: Path) -> None:
    """What a process does."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # all stop together, when the first one is told
    is_cuda = run.settings.device.startswith("cuda")
    dist.init_process_group(run.backend, init_method=f"file://{meeting}", rank=rank, world_size=count)
    try:
        run.take_part(Together(rank, count), f"cuda:{rank}" if is_cuda else run.settings.device)
    except JobCancelledError:
        raise SystemExit(_EXIT_CANCELLED) from None
    finally:
        dist.destroy_process_group()


class _StoppableJobLog(ConsoleJobLog):
    """Cancels once a file is there."""

    def __init__(self, asked: Path) -> None:
        super().__init__()
        self._asked = asked

    def is_cancelled(self) -> bool:
        """True once the file is there."""
        return self._asked.exists()


class _NoLog:
    """The logs of a worker that is not the first."""

    def parameters(self, values: Mapping[str, str | float | int]) -> None:
        """Nothing: the first worker tells."""

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Nothing: the first worker tells."""

    def progress(self, done: int, total: int, message: str) -> None:
        """Nothing: the first worker tells."""

    def is_cancelled(self) -> bool:
        """False: the first worker is asked."""
        return False
