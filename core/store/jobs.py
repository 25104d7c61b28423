"""The repository of long pieces of work."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.domain.errors import UnknownRecordError
from core.domain.records import new_id
from core.store.tables import JobRow

_LONGEST_MESSAGE = 1000
_LEFT = "left_s"


class JobState(StrEnum):
    """State of a job. `INTERRUPTED`: its worker ended without finishing or being asked to."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def is_active(self) -> bool:
        """True while something still happens by itself."""
        return self in (JobState.QUEUED, JobState.RUNNING)

    @property
    def is_resumable(self) -> bool:
        """True where starting again goes on from what was kept."""
        return self in (JobState.FAILED, JobState.CANCELLED, JobState.INTERRUPTED)


@dataclass(frozen=True, slots=True)
class Job:
    """A job as stored.

    Attributes:
        progress: runs from 0 to 1.
        message: what it said last, or why it ended.
        payload: what it was asked to do.
        device: where it runs; one job a device runs at a time.
        started_by: id of the account, None for a command.
        started_at: when its worker began, None before. UTC like all moments here.
        heartbeat_at: when its worker was last alive.
        is_cancel_wanted: somebody asked it to stop.
        result: what came out, once it is done.
        left_s: seconds it says it still needs, as of `updated_at`; None when it cannot tell.
    """

    job_id: str
    kind: str
    state: JobState
    progress: float
    message: str
    payload: Mapping[str, Any]
    device: str
    created_at: datetime
    updated_at: datetime
    started_by: str | None = None
    started_at: datetime | None = None
    heartbeat_at: datetime | None = None
    is_cancel_wanted: bool = False
    result: Mapping[str, Any] = field(default_factory=dict)
    left_s: float | None = None


class JobRepository:
    """Rows of `jobs` within one transaction.

    Args:
        session: of the transaction.
        now: the moment that changes bear, UTC.
    """

    def __init__(self, session: Session, *, now: datetime) -> None:
        self._session = session
        self._now = now

    def add(
        self, kind: str, payload: Mapping[str, Any], *, device: str = "cpu", started_by: str | None = None
    ) -> str:
        """The id of a new, queued job."""
        job_id = new_id()
        row = JobRow(
            id=job_id,
            kind=kind,
            state=JobState.QUEUED.value,
            progress=0.0,
            message="",
            created_at=self._now,
            updated_at=self._now,
            payload=dict(payload),
            device=device,
            started_by=started_by,
            is_cancel_wanted=False,
            result={},
        )
        self._session.add(row)
        self._session.flush()
        return job_id

    def find(self, job_id: str) -> Job:
        """The job.

        Raises:
            BadInputError: when there is none.
        """
        return _job(self._row(job_id))

    def latest(self, kinds: Collection[str] | None = None, *, limit: int = 50) -> list[Job]:
        """Jobs, the newest first; None takes every kind."""
        query = select(JobRow).order_by(JobRow.created_at.desc(), JobRow.id).limit(limit)
        if kinds is not None:
            query = query.where(JobRow.kind.in_(list(kinds)))
        return [_job(row) for row in self._session.scalars(query)]

    def active(self) -> list[Job]:
        """Jobs that are queued or running, the oldest first."""
        return [_job(row) for row in self._session.scalars(_active())]

    def claim(self, job_id: str) -> Job | None:
        """The job, running from now on; None when it is not queued or another one has its device."""
        device = self._row(job_id).device
        query = _active().where(JobRow.device == device)
        # PostgreSQL: whoever claims on this device next waits here, then sees what was decided
        rows = {
            row.id: row
            for row in self._session.scalars(
                query.with_for_update().execution_options(populate_existing=True)
            )
        }
        is_busy = any(row.state == JobState.RUNNING for row in rows.values())
        if job_id not in rows or is_busy:
            return None
        self._change(
            job_id,
            state=JobState.RUNNING.value,
            started_at=self._now,
            heartbeat_at=self._now,
            message="",
            result={},
        )
        return self.find(job_id)

    def beat(self, job_id: str) -> Job:
        """The job, whose worker is alive now."""
        self._row(job_id).heartbeat_at = self._now
        self._session.flush()
        return self.find(job_id)

    def report(self, job_id: str, *, progress: float, message: str, left_s: float | None = None) -> None:
        """Record how far a running job is; a cancelled one stays cancelled."""
        left = {} if left_s is None else {_LEFT: left_s}
        self._change(job_id, progress=progress, message=message[:_LONGEST_MESSAGE], result=left)

    def move(
        self, job_id: str, state: JobState, *, message: str = "", result: Mapping[str, Any] | None = None
    ) -> None:
        """Put the job into `state`."""
        self._change(job_id, state=state.value, message=message[:_LONGEST_MESSAGE], result=dict(result or {}))

    def ask_to_stop(self, job_id: str) -> None:
        """Let the worker of a running job know that it should stop."""
        self._change(job_id, is_cancel_wanted=True)

    def requeue(self, job_id: str) -> None:
        """Queue a job again; what it kept in its folder and how far it was stays."""
        self._change(job_id, state=JobState.QUEUED.value, is_cancel_wanted=False, message="", result={})

    def _change(self, job_id: str, **values: Any) -> None:
        row = self._row(job_id)
        for name, value in {**values, "updated_at": self._now}.items():
            setattr(row, name, value)
        self._session.flush()

    def _row(self, job_id: str) -> JobRow:
        row = self._session.get(JobRow, job_id)
        if row is None:
            raise UnknownRecordError(f"there is no job {job_id}")
        return row


def _active() -> Any:
    active = [state.value for state in JobState if state.is_active]
    return select(JobRow).where(JobRow.state.in_(active)).order_by(JobRow.created_at, JobRow.id)


def _job(row: JobRow) -> Job:
    state = JobState(row.state)
    return Job(
        job_id=row.id,
        kind=row.kind,
        state=state,
        progress=row.progress,
        message=row.message,
        payload=row.payload,
        device=row.device,
        created_at=row.created_at,
        updated_at=row.updated_at,
        started_by=row.started_by,
        started_at=row.started_at,
        heartbeat_at=row.heartbeat_at,
        is_cancel_wanted=row.is_cancel_wanted,
        result={} if state.is_active else row.result,
        left_s=row.result.get(_LEFT) if state is JobState.RUNNING else None,
    )
