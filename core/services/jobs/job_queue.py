"""The queue of jobs as the server runs it: jobs that may begin, and jobs whose worker is gone."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from core.domain.accounts import SYSTEM
from core.store.jobs import Job, JobState
from core.store.unit_of_work import Store, Work

#: A running job whose worker said nothing for so long has no worker any more.
SILENCE = timedelta(seconds=30)
_SILENCE_S = SILENCE.total_seconds()
_BEFORE_IT_BEGAN = "its worker ended before it began; the log says why"
_BEFORE_IT_WAS_DONE = "its worker ended before it was done; resuming goes on from what was kept"


class JobQueue:
    """The queue of each device.

    Args:
        store: where job rows live.
        clock: seconds that only go forward, whatever the machine's date is set to.
    """

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._heard: dict[
            str, tuple[datetime, float]
        ] = {}  # last sign of life, and since when it is the last

    def active(self) -> list[Job]:
        """Jobs that are queued or running, the oldest first."""
        with self._store.read() as work:
            return work.jobs.active()

    def worker_ended(self, job_id: str, *, begun_before: datetime | None) -> JobState:
        """The state of the job after the process that did it ended, however it ended.

        One that never began failed; one that was not done was interrupted, or cancelled if that was asked.
        One that is queued although it began was resumed meanwhile.

        Args:
            job_id: of the job.
            begun_before: its `started_at` when the process was started.
        """
        with self._store.write() as work:
            job = work.jobs.find(job_id)
            if job.state is JobState.QUEUED and job.started_at == begun_before:
                return _end(work, job, JobState.FAILED, _BEFORE_IT_BEGAN)
            if job.state is JobState.RUNNING:
                return _end(work, job, *_outcome(job))
            return job.state

    def end_silent(self) -> list[str]:
        """The ids of running jobs without a new sign of life, which are interrupted from now on.

        A sign of life is compared with the one of the call before, not with the time of day: a date that is
        set forward ends no job, one that is set back keeps none alive.
        """
        with self._store.read() as work:
            running = {job.job_id: _heard(job) for job in work.jobs.active() if job.state is JobState.RUNNING}
        now, known = self._clock(), self._heard
        self._heard = {
            job_id: known[job_id] if job_id in known and known[job_id][0] == heard else (heard, now)
            for job_id, heard in running.items()
        }
        silent = [job_id for job_id, (_, since) in self._heard.items() if now - since > _SILENCE_S]
        return [job_id for job_id in silent if self._end_if_silent(job_id)]

    def _end_if_silent(self, job_id: str) -> bool:
        with self._store.write() as work:
            job = work.jobs.find(job_id)
            is_silent = job.state is JobState.RUNNING and _heard(job) == self._heard[job_id][0]
            if is_silent:
                _end(work, job, *_outcome(job))
        return is_silent


def next_jobs(active: list[Job]) -> list[Job]:
    """The oldest queued job of every device that is free.

    Args:
        active: queued and running jobs, the oldest first.
    """
    taken = {job.device for job in active if job.state is JobState.RUNNING}
    found = []
    for job in active:
        if job.state is JobState.QUEUED and job.device not in taken:
            taken.add(job.device)
            found.append(job)
    return found


def _heard(job: Job) -> datetime:
    return job.heartbeat_at or job.started_at or job.updated_at


def _outcome(job: Job) -> tuple[JobState, str]:
    if job.is_cancel_wanted:
        return JobState.CANCELLED, "stopped"
    return JobState.INTERRUPTED, _BEFORE_IT_WAS_DONE


def _end(work: Work, job: Job, state: JobState, message: str) -> JobState:
    work.jobs.move(job.job_id, state, message=message)
    work.audit.record(
        SYSTEM,
        action="job.ended",
        object_type="job",
        object_id=job.job_id,
        details={"kind": job.kind, "state": state.value},
    )
    return state
