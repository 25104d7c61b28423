"""The queue of jobs as the server runs it: jobs that may begin, and jobs whose worker is gone."""

from datetime import datetime, timedelta

from core.domain.accounts import SYSTEM
from core.store.jobs import Job, JobState
from core.store.unit_of_work import Store, Work

#: A running job whose worker said nothing for so long has no worker any more.
SILENCE = timedelta(seconds=30)
_BEFORE_IT_BEGAN = "its worker ended before it began; the log says why"
_BEFORE_IT_WAS_DONE = "its worker ended before it was done; resuming goes on from what was kept"


class JobQueue:
    """The queue of each device."""

    def __init__(self, store: Store) -> None:
        self._store = store

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
        """The ids of running jobs without a sign of life, which are interrupted from now on."""
        with self._store.read() as work:
            silent = [job.job_id for job in work.jobs.active() if _is_silent(work, job)]
        if not silent:
            return []
        with self._store.write() as work:
            for job in [work.jobs.find(job_id) for job_id in silent]:
                if job.state is JobState.RUNNING and _is_silent(work, job):
                    _end(work, job, *_outcome(job))
        return silent


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


def _is_silent(work: Work, job: Job) -> bool:
    heard = job.heartbeat_at or job.started_at or job.updated_at
    return job.state is JobState.RUNNING and work.now - heard > SILENCE


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
