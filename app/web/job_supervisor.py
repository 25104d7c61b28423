"""Starts the workers of queued jobs, one a device, and notices when they are gone."""

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from core.cli.jobs import TAKEN
from core.domain.errors import WorkbenchError
from core.services.jobs.job_queue import JobQueue, next_jobs
from core.services.jobs.jobs import LOG_FILE

log = logging.getLogger(__name__)
_LOOK_EVERY_S = 1.0
_SWEEP_EVERY_S = 10.0
#: A worker that was asked to stop may take so long for its current step.
_PATIENCE_S = 60.0
_GRACE_S = 15.0


def worker_command(job_id: str) -> list[str]:
    """The command that does a job."""
    return [sys.executable, "-c", "from core.cli import main; main()", "work", "--job", job_id]


class JobSupervisor:
    """A thread beside the server that looks after the jobs.

    It queues nothing again by itself: what was interrupted waits until somebody resumes it.

    Args:
        queue: says which job may begin, and is told how it ended.
        folder_of: gives the folder of a job.
        working_dir: of the workers.
        command: makes the command that does a job.
    """

    def __init__(
        self,
        queue: JobQueue,
        folder_of: Callable[[str], Path],
        working_dir: Path,
        command: Callable[[str], Sequence[str]] = worker_command,
    ) -> None:
        self._queue = queue
        self._folder_of = folder_of
        self._working_dir = working_dir
        self._command = command
        self._workers: dict[str, subprocess.Popen[bytes]] = {}
        self._begun_before: dict[str, datetime | None] = {}
        self._asked_at: dict[str, float] = {}
        self._swept_at = float("-inf")
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="job-supervisor", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Stop the workers so that their jobs can be resumed, and look no more."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()
        for worker in self._workers.values():
            worker.terminate()
        deadline = time.monotonic() + _GRACE_S
        for worker in self._workers.values():
            try:
                worker.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
        self._reap()

    def look(self) -> None:
        """Look once: bury, stop, begin."""
        self._reap()
        if time.monotonic() - self._swept_at > _SWEEP_EVERY_S:
            self._swept_at = time.monotonic()
            for job_id in self._queue.end_silent():
                log.warning("the job %s has no worker any more", job_id)
        active = self._queue.active()
        self._end_deaf({job.job_id for job in active if job.is_cancel_wanted})
        begun = {job.device for job in active if job.job_id in self._workers}
        for job in next_jobs(active):
            if job.device not in begun:
                self._begun_before[job.job_id] = job.started_at
                self._begin(job.job_id)

    def _keep(self) -> None:
        told = ""
        while not self._closing.wait(_LOOK_EVERY_S):
            try:
                self.look()
                told = ""
            except WorkbenchError as error:  # the database is away; the next look tells
                if told != (told := str(error)):  # once: every second the same would hide all else
                    log.warning("jobs cannot be looked after: %s", error)
            except Exception as error:  # the thread's edge: logged once, and tried again
                if told != (told := repr(error)):
                    log.exception("jobs could not be looked after")

    def _begin(self, job_id: str) -> None:
        folder = self._folder_of(job_id)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / LOG_FILE).open("ab") as output:
            worker = subprocess.Popen(
                list(self._command(job_id)),
                cwd=self._working_dir,
                env=os.environ.copy(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl+C reaches the server alone, which stops its workers itself
            )
        self._workers[job_id] = worker
        log.info("the worker %d begins the job %s", worker.pid, job_id)

    def _end_deaf(self, cancelled: set[str]) -> None:
        """End workers that were asked to stop long ago."""
        now = time.monotonic()
        self._asked_at = {job_id: self._asked_at.get(job_id, now) for job_id in cancelled}
        for job_id, asked_at in self._asked_at.items():
            if now - asked_at > _PATIENCE_S and job_id in self._workers:
                self._workers[job_id].kill()

    def _reap(self) -> None:
        for job_id, worker in list(self._workers.items()):
            if (code := worker.poll()) is not None:
                del self._workers[job_id]
                before = self._begun_before.pop(job_id)
                if code == TAKEN:
                    log.info("the job %s was taken by another worker", job_id)
                    continue
                state = self._queue.worker_ended(job_id, begun_before=before)
                log.info("the job %s is %s, its worker ended with %d", job_id, state.value, code)
