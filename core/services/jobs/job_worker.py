"""One job, done in a process of its own: claimed, kept alive, ended."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from core.domain.accounts import SYSTEM
from core.domain.errors import JobCancelledError, JobTakenError, WorkbenchError
from core.logs import bound
from core.services.jobs.jobs import job_folder
from core.store.jobs import Job, JobState
from core.store.unit_of_work import Store
from core.tracing import span

log = logging.getLogger(__name__)
BEAT_EVERY_S = 2.0
#: Between two progress reports that are stored, seconds; the log gets them all.
_STORE_EVERY_S = 0.5


class WorkerLog:
    """Reports of a running job, and its question whether to stop; a `JobLog`.

    Attributes:
        folder: the job's own; its files are still there when the job is resumed.
    """

    def __init__(self, store: Store, job_id: str, folder: Path, stop: threading.Event) -> None:
        self.folder = folder
        self._store = store
        self._job_id = job_id
        self._stop = stop
        self._first: tuple[float, float] | None = None
        self._stored_at = float("-inf")

    def progress(self, done: float, total: float, message: str) -> None:
        """Record that `done` of `total` is finished; the time left is judged by the pace of this process."""
        share, now = min(max(done / max(total, 1e-9), 0.0), 1.0), time.monotonic()
        if self._first is None:
            self._first = (now, share)
        began, first = self._first
        left = (now - began) / (share - first) * (1 - share) if share > first else None
        log.info("%.0f %%: %s", 100 * share, message)
        if now - self._stored_at < _STORE_EVERY_S and share < 1:
            return
        self._stored_at = now
        with self._store.write() as work:
            work.jobs.report(self._job_id, progress=share, message=message, left_s=left)

    def is_cancelled(self) -> bool:
        """True when the job should stop: somebody asked, or the server ends."""
        return self._stop.is_set()


#: Does what the job's payload says and returns the result as plain JSON.
JobRun = Callable[[Job, WorkerLog], Mapping[str, Any]]


class JobWorker:
    """Does one job in this process.

    Args:
        store: where job rows live.
        folder: below it every job has a folder of its own.
        make_run: gives the function that does jobs of a kind.
        beat_every_s: seconds between two signs of life.
    """

    def __init__(
        self,
        store: Store,
        folder: Path,
        make_run: Callable[[str], JobRun],
        *,
        beat_every_s: float = BEAT_EVERY_S,
    ) -> None:
        self._store = store
        self._folder = folder
        self._make_run = make_run
        self._beat_every_s = beat_every_s
        self._stop = threading.Event()
        self._ended = threading.Event()

    def stop(self) -> None:
        """Ask it to stop; from a signal handler, too."""
        self._stop.set()

    def job(self, job_id: str) -> Job:
        """The job as it is stored now.

        Raises:
            BadInputError: there is none.
        """
        with self._store.read() as work:
            return work.jobs.find(job_id)

    def work(self, job_id: str) -> JobState:
        """Do the job; the state in which it ended.

        Raises:
            BadInputError: there is no such job.
            JobTakenError: it is not queued, or another one has its device.
        """
        folder = job_folder(self._folder, job_id)
        with self._store.write() as work:
            job = work.jobs.claim(job_id)
        if job is None:
            raise JobTakenError(f"the job {job_id} is not queued, or another one runs on its device")
        folder.mkdir(parents=True, exist_ok=True)
        beating = threading.Thread(target=self._beat, args=(job_id,), name="heartbeat", daemon=True)
        beating.start()
        try:
            return self._do(job, WorkerLog(self._store, job_id, folder, self._stop))
        finally:
            self._ended.set()
            beating.join()

    def _do(self, job: Job, worker_log: WorkerLog) -> JobState:
        """The state in which it ended; its id is that of its log lines and of its trace."""
        with bound(request_id=job.job_id), span(f"job {job.kind}") as measured:
            state = self._done(job, worker_log)
            measured.set_attribute("radikal.job.state", state.value)
            return state

    def _done(self, job: Job, worker_log: WorkerLog) -> JobState:
        log.info("%s begins, payload %s", job.kind, dict(job.payload))
        try:
            result = dict(self._make_run(job.kind)(job, worker_log))
        except JobCancelledError as error:
            return self._end_stopped(job, str(error))
        except WorkbenchError as error:
            return self._end(job, JobState.FAILED, message=str(error))
        except Exception as error:  # the worker's edge: logged, told
            log.exception("the job failed")
            return self._end(job, JobState.FAILED, message=f"{type(error).__name__}: {error}")
        return self._end(job, JobState.DONE, result=result)

    def _end_stopped(self, job: Job, message: str) -> JobState:
        """Cancelled when somebody asked for it, interrupted when the process was told to end."""
        with self._store.read() as work:
            is_wanted = work.jobs.find(job.job_id).is_cancel_wanted
        return self._end(job, JobState.CANCELLED if is_wanted else JobState.INTERRUPTED, message=message)

    def _end(
        self, job: Job, state: JobState, *, message: str = "", result: Mapping[str, Any] | None = None
    ) -> JobState:
        log.info("%s is %s%s", job.kind, state.value, f": {message}" if message else "")
        with self._store.write() as work:
            if state is JobState.DONE:
                work.jobs.report(job.job_id, progress=1.0, message=message)
            work.jobs.move(job.job_id, state, message=message, result=result)
            work.audit.record(
                SYSTEM,
                action="job.ended",
                object_type="job",
                object_id=job.job_id,
                details={"kind": job.kind, "state": state.value},
            )
        return state

    def _beat(self, job_id: str) -> None:
        """Say that this process lives, and hear whether it should stop."""
        while not self._ended.wait(self._beat_every_s):
            with suppress(SQLAlchemyError, WorkbenchError):  # the next beat says it again
                with self._store.write() as work:
                    job = work.jobs.beat(job_id)
                if job.is_cancel_wanted:
                    self._stop.set()
