"""Many radiographs, or a large one, inspected by a job: handed in now, inspected one after the other."""

import json
import logging
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from core.domain.accounts import Identity
from core.domain.errors import (
    BadInputError,
    EngineBusyError,
    JobCancelledError,
    NotAllowedError,
    WorkbenchError,
)
from core.domain.flaw_group import is_reported
from core.domain.permissions import Action, require
from core.domain.ports import ModelSource
from core.domain.records import Inspection, new_id
from core.imaging.limits import MAX_FRAMES
from core.imaging.names import clean_name
from core.imaging.uploads import IncomingFile
from core.services.accounts.api_keys import acting_with
from core.services.accounts.attempts import actor_of
from core.services.intake.asked import INSPECT, LANE, Asked, asked_from
from core.services.intake.taking_apart import radiographs_in
from core.services.jobs.job_worker import WorkerLog
from core.store.jobs import Job, JobState
from core.store.unit_of_work import Store, Work

if TYPE_CHECKING:
    from core.services.intake.inspecting_files import InspectFilesService

log = logging.getLogger(__name__)
_DONE_FILE = "done.jsonl"
#: What was handed in for a job that nobody resumed goes after so long.
_KEPT = timedelta(days=7)
_COPY_BYTES = 2**20


class IntakeJobService:
    """Starts, shows, stops and resumes jobs that inspect what was handed in.

    Whoever started one may see and stop it; others need the right to look at or manage long jobs.

    Args:
        store: the real one.
        folder: keeps what was handed in until it was inspected.
        models: knows the versions.
        job_folder: gives the folder of a job.
    """

    def __init__(
        self, store: Store, folder: Path, models: ModelSource, job_folder: Callable[[str], Path]
    ) -> None:
        self._store = store
        self._folder = folder
        self._models = models
        self._job_folder = job_folder

    def start(self, identity: Identity, files: Sequence[IncomingFile], asked: Asked) -> Job:
        """The new job; the files are copied first, and nothing is inspected yet.

        A version is fixed now, so that one that is promoted meanwhile reads none of them.

        Raises:
            NotAllowedError: the role, or the scopes of the API key, do not cover inspecting.
            BadInputError: there is no file, or too many.
            ModelNotFoundError: there is no such model, version or alias.
        """
        require(identity, Action.INSPECTIONS_RECORD)
        if not 1 <= len(files) <= MAX_FRAMES:
            raise BadInputError(f"expected 1 to {MAX_FRAMES} files at once, got {len(files)}")
        version, _ = self._models.resolve(asked.model, version=asked.version, alias=asked.alias)
        self._remove_old()
        key = new_id()
        try:
            kept = self._copied(self._folder / key, files)
            payload = {
                "folder": key,
                "files": kept,
                "asked": asked.to_dict(),
                "fixed": version.version,
                "api_key": identity.api_key,
            }
            with self._store.write() as work:
                job_id = work.jobs.add(INSPECT, payload, device=LANE, started_by=identity.account_id)
                _record(work, identity, "job.started", job_id, {"kind": INSPECT, "n_files": len(files)})
                return work.jobs.find(job_id)
        except BaseException:
            shutil.rmtree(self._folder / key, ignore_errors=True)
            raise

    def find(self, identity: Identity, job_id: str) -> Job:
        """The job, of any kind.

        Raises:
            BadInputError: there is none.
            NotAllowedError: it is somebody else's, and the role may not look at long jobs.
        """
        with self._store.read() as work:
            job = work.jobs.find(job_id)
        require(identity, Action.INSPECTIONS_RECORD if _is_own(identity, job) else Action.JOBS_READ)
        return job

    def done(self, identity: Identity, job_id: str) -> list[dict[str, Any]]:
        """What came of each radiograph so far, in order; empty for jobs of another kind. Raises as `find`."""
        job = self.find(identity, job_id)
        return [] if job.kind != INSPECT else _lines(self._job_folder(job_id) / _DONE_FILE)

    def stop(self, identity: Identity, job_id: str) -> Job:
        """The job, asked to stop: at once while it waits, else before its next radiograph.

        Raises:
            BadInputError: there is none, or it ended already.
            NotAllowedError: it is somebody else's, and the role may not manage long jobs.
        """
        with self._store.write() as work:
            job = work.jobs.find(job_id)
            require(identity, Action.INSPECTIONS_RECORD if _is_own(identity, job) else Action.JOBS_MANAGE)
            if not job.state.is_active:
                raise BadInputError(f"the job is {job.state.value} already")
            if job.state is JobState.QUEUED:
                work.jobs.move(job_id, JobState.CANCELLED, message="stopped before it began")
            else:
                work.jobs.ask_to_stop(job_id)
            _record(work, identity, "job.stopped", job_id, {"kind": job.kind, "was": job.state.value})
            return work.jobs.find(job_id)

    def resume(self, identity: Identity, job_id: str) -> Job:
        """The job, queued again; it goes on behind the last radiograph that it did.

        Raises:
            BadInputError: there is none, or it neither failed nor was stopped.
            NotAllowedError: it is somebody else's, and the role may not manage long jobs.
        """
        with self._store.write() as work:
            job = work.jobs.find(job_id)
            require(identity, Action.INSPECTIONS_RECORD if _is_own(identity, job) else Action.JOBS_MANAGE)
            if not job.state.is_resumable:
                raise BadInputError(f"the job is {job.state.value}: there is nothing to resume")
            work.jobs.requeue(job_id)
            _record(work, identity, "job.resumed", job_id, {"kind": job.kind, "was": job.state.value})
            return work.jobs.find(job_id)

    def _copied(self, folder: Path, files: Sequence[IncomingFile]) -> list[dict[str, str]]:
        folder.mkdir(parents=True, mode=0o700)
        kept = []
        for number, file in enumerate(files):
            with file.opened() as source, (folder / str(number)).open("wb") as target:
                shutil.copyfileobj(source, target, _COPY_BYTES)
            kept.append({"path": str(number), "name": clean_name(file.name)})
        return kept

    def _remove_old(self) -> None:
        """Remove what belongs to jobs that ended long ago, and what a killed process left."""
        if not self._folder.is_dir():
            return
        with self._store.read() as work:
            active = {str(job.payload.get("folder")) for job in work.jobs.active()}
            oldest = (work.now - _KEPT).timestamp()
        for one in self._folder.iterdir():
            if one.name not in active and one.stat().st_mtime < oldest:
                shutil.rmtree(one, ignore_errors=True)


class IntakeRun:
    """Does such a job, in the name of whoever started it.

    Args:
        store: the real one.
        folder: as of `IntakeJobService`.
        inspecting: inspects one radiograph.
        full_pause_s: before a radiograph is offered again to other machines that were full.
    """

    def __init__(
        self, store: Store, folder: Path, inspecting: "InspectFilesService", *, full_pause_s: float = 2.0
    ) -> None:
        self._store = store
        self._folder = folder
        self._inspecting = inspecting
        self._full_pause_s = full_pause_s

    def run(self, job: Job, worker_log: WorkerLog) -> dict[str, Any]:
        """Counts of what was inspected and what failed; a resumed job goes on behind the last it did.

        Raises:
            JobCancelledError: the log said so.
            NotAllowedError: the account was disabled meanwhile, or the API key revoked.
        """
        folder = self._folder / str(job.payload["folder"])
        asked, done_path = asked_from(job.payload["asked"]), worker_log.folder / _DONE_FILE
        fixed, n_done = int(job.payload["fixed"]), _whole_lines(done_path)
        files: Sequence[Mapping[str, str]] = job.payload["files"]
        n_seen, n_read = 0, 0
        for n_files, kept in enumerate(files):
            path = folder / kept["path"]
            file = IncomingFile(kept["name"], path.read_bytes, open=partial(_opened, path))
            for radiograph, error in radiographs_in(file):
                n_seen += 1
                if n_seen <= n_done:
                    continue
                n_read, line, doing = n_read + 1, None, f"inspecting {radiograph.name}"
                while line is None:
                    if worker_log.is_cancelled():
                        raise JobCancelledError(f"stopped after {n_seen - 1} radiographs")
                    worker_log.progress(n_files, len(files), doing)
                    try:
                        line = self._inspected(job, file.name, radiograph, error, asked, fixed)
                    except EngineBusyError:
                        doing = f"the machines that read are full: {radiograph.name} waits"
                        time.sleep(self._full_pause_s)
                with done_path.open("a", encoding="utf-8") as out:
                    out.write(json.dumps(line) + "\n")
        lines = _lines(done_path)
        shutil.rmtree(folder, ignore_errors=True)
        failed = sum("error" in one for one in lines)
        return {"n_inspected": len(lines) - failed, "n_failed": failed}

    def _inspected(
        self,
        job: Job,
        file_name: str,
        radiograph: IncomingFile,
        error: WorkbenchError | None,
        asked: Asked,
        fixed: int,
    ) -> dict[str, Any]:
        """The line of one radiograph.

        Raises:
            NotAllowedError: the account was disabled meanwhile, or the API key revoked.
            EngineBusyError: other machines read it, and too much waits for them.
        """
        about = {"file": file_name, "name": radiograph.name, "frame": radiograph.frame}
        if error is not None:
            return about | {"error": str(error)}
        identity = self._whose(job)
        try:
            found = self._inspecting.inspect(identity, radiograph, asked, fixed=fixed)
        except (NotAllowedError, EngineBusyError):
            raise
        except WorkbenchError as refused:
            return about | {"error": str(refused)}
        except Exception:  # the edge of one radiograph: logged, told, the next one goes on
            log.exception("%s failed", radiograph.name)
            return about | {"error": "it failed unexpectedly; the log of the job says how"}
        inspection = found.inspection
        return about | {
            "inspection_id": inspection.inspection_id,
            "n_reported": n_reported(inspection),
            "picked": found.picked,
            "warning": found.warning,
        }

    def _whose(self, job: Job) -> Identity:
        """Whoever started the job, with the role as it is now, narrowed to the key that it came with.

        Raises:
            NotAllowedError: the account may not sign in any more, or the key is revoked or expired.
        """
        key_id = job.payload.get("api_key")
        with self._store.read() as work:
            user = work.users.find(job.started_by) if job.started_by else None
            key, now = work.api_keys.find(str(key_id)) if key_id else None, work.now
        if user is None or not user.is_active:
            raise NotAllowedError("the account that handed this in was disabled")
        if key_id is None:
            return actor_of(user)
        if key is None or key.state(now) != "active":
            raise NotAllowedError("the API key that this was handed in with was revoked or has expired")
        return acting_with(user, key)


def n_reported(inspection: Inspection, threshold: float | None = None) -> int:
    """Number of the model's boxes that a threshold of probability reports, by default the operating one."""
    cut = inspection.model.operating_probability if threshold is None else threshold
    return sum(is_reported(one, cut) for one in inspection.detections)


def _is_own(identity: Identity, job: Job) -> bool:
    return job.kind == INSPECT and identity.account_id is not None and job.started_by == identity.account_id


def _opened(path: Path) -> IO[bytes]:
    return path.open("rb")


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    whole = path.read_text(encoding="utf-8").split("\n")[:-1]  # a line that was cut off is done again
    return [json.loads(line) for line in whole]


def _whole_lines(path: Path) -> int:
    """Number of lines; one that a killed process left unfinished is cut off, so that it is done again."""
    lines = _lines(path)
    if path.is_file():
        text = path.read_text(encoding="utf-8")
        path.write_text(text[: text.rfind("\n") + 1], encoding="utf-8")
    return len(lines)


def _record(work: Work, identity: Identity, action: str, job_id: str, details: Mapping[str, Any]) -> None:
    work.audit.record(identity, action=action, object_type="job", object_id=job_id, details=details)
