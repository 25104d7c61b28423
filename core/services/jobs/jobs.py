"""Long pieces of work as people see them: started, watched, stopped, resumed.

A new kind of job is one entry of `JOB_KINDS` in `core.container`: its name and, out of the container, a
function `run(job, log)`. That does what `job.payload` says, tells `log.progress` how
far it is, asks `log.is_cancelled` at every point where it can stop and then raises `JobCancelledError`,
keeps what it needs to go on in `log.folder`, and returns its result as plain JSON. It is called again with
the same payload and the same folder when somebody resumes it. Start one with `JobService.start(identity,
kind, payload)`; show it with `app.shared.job_progress.draw_job`.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from core.domain.accounts import Identity
from core.domain.errors import BadInputError
from core.domain.permissions import Action, require
from core.store.jobs import Job, JobState
from core.store.unit_of_work import Store, Work

LOG_FILE = "log.txt"
_TAIL_BYTES = 16_384


class JobService:
    """Jobs of the real workspace. Every method raises NotAllowedError for a role without the right to it.

    Args:
        store: where job rows live.
        folder: below it every job has a folder of its own.
        kinds: names that may be started.
    """

    def __init__(self, store: Store, folder: Path, *, kinds: Collection[str]) -> None:
        self._store = store
        self._folder = folder
        self._kinds = frozenset(kinds)

    def start(self, identity: Identity, kind: str, payload: Mapping[str, Any], *, device: str = "cpu") -> str:
        """The id of a new job, which waits until its device is free.

        Args:
            identity: who starts it.
            kind: a key of `JOB_KINDS`.
            payload: what to do, plain JSON.
            device: "cpu", "cuda" or "cuda:N".

        Raises:
            BadInputError: there is no such kind.
        """
        require(identity, Action.JOBS_MANAGE)
        if kind not in self._kinds:
            raise BadInputError(f"there is no kind of job {kind!r}, only {', '.join(sorted(self._kinds))}")
        with self._store.write() as work:
            job_id = work.jobs.add(kind, payload, device=device, started_by=identity.account_id)
            _record(work, identity, "job.started", job_id, {"kind": kind, "device": device})
        return job_id

    def find(self, identity: Identity, job_id: str) -> Job:
        """The job.

        Raises:
            BadInputError: there is none.
        """
        require(identity, Action.JOBS_READ)
        with self._store.read() as work:
            return work.jobs.find(job_id)

    def latest(
        self, identity: Identity, kinds: Collection[str] | None = None, *, limit: int = 50
    ) -> list[Job]:
        """Jobs, the newest first; None takes every kind."""
        require(identity, Action.JOBS_READ)
        with self._store.read() as work:
            return work.jobs.latest(kinds, limit=limit)

    def ahead_of(self, identity: Identity, job: Job) -> int:
        """The number of jobs that run or wait on the same device before this one."""
        require(identity, Action.JOBS_READ)
        with self._store.read() as work:
            active = [one for one in work.jobs.active() if one.device == job.device]
        return sum(
            one.state is JobState.RUNNING or (one.created_at, one.job_id) < (job.created_at, job.job_id)
            for one in active
            if one.job_id != job.job_id
        )

    def cancel(self, identity: Identity, job_id: str) -> None:
        """Stop it: a waiting job at once, a running one at the next point where it can.

        Raises:
            BadInputError: there is none, or it ended already.
        """
        require(identity, Action.JOBS_MANAGE)
        with self._store.write() as work:
            job = work.jobs.find(job_id)
            if not job.state.is_active:
                raise BadInputError(f"the job is {job.state.value} already")
            if job.state is JobState.QUEUED:
                work.jobs.move(job_id, JobState.CANCELLED, message="stopped before it began")
            else:
                work.jobs.ask_to_stop(job_id)
            _record(work, identity, "job.stopped", job_id, {"kind": job.kind, "was": job.state.value})

    def resume(self, identity: Identity, job_id: str) -> None:
        """Queue it again; it goes on from what it kept.

        Raises:
            BadInputError: there is none, or it neither failed nor was stopped.
        """
        require(identity, Action.JOBS_MANAGE)
        with self._store.write() as work:
            job = work.jobs.find(job_id)
            if not job.state.is_resumable:
                raise BadInputError(f"the job is {job.state.value}: there is nothing to resume")
            work.jobs.requeue(job_id)
            _record(work, identity, "job.resumed", job_id, {"kind": job.kind, "was": job.state.value})

    def folder_of(self, job_id: str) -> Path:
        """The folder of the job; ids are hex digits, so that no other folder can be reached.

        Raises:
            BadInputError: it is no id.
        """
        return job_folder(self._folder, job_id)

    def log_tail(self, identity: Identity, job_id: str, n_lines: int = 12) -> list[str]:
        """The last lines of its log, the newest last; empty before it began."""
        require(identity, Action.JOBS_READ)
        path = self.folder_of(job_id) / LOG_FILE
        if not path.is_file():
            return []
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            lines = file.read().decode("utf-8", errors="replace").splitlines()
        return lines[-n_lines:]


def job_folder(folder: Path, job_id: str) -> Path:
    """The folder of one job below that of all.

    Raises:
        BadInputError: it is no id.
    """
    if not job_id or not set(job_id) <= set("0123456789abcdef"):
        raise BadInputError(f"there is no job {job_id}")
    return folder / job_id


def _record(work: Work, identity: Identity, action: str, job_id: str, details: Mapping[str, Any]) -> None:
    work.audit.record(identity, action=action, object_type="job", object_id=job_id, details=details)
