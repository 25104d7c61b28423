"""The repository of long pieces of work."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from core.domain.errors import BadInputError
from core.store.tables import JobRow

_LONGEST_MESSAGE = 1000


class JobState(StrEnum):
    """How far a job is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Job:
    """A job as stored; `progress` runs from 0 to 1."""

    job_id: str
    kind: str
    state: JobState
    progress: float
    message: str
    payload: Mapping[str, Any]


class JobRepository:
    """Rows of `jobs` within one transaction.

    Args:
        session: of the transaction.
        now: the moment that changes bear, UTC.
    """

    def __init__(self, session: Session, *, now: datetime) -> None:
        self._session = session
        self._now = now

    def add(self, kind: str, payload: Mapping[str, Any]) -> str:
        """The id of a new, queued job."""
        job_id = uuid.uuid4().hex
        row = JobRow(
            id=job_id,
            kind=kind,
            state=JobState.QUEUED.value,
            progress=0.0,
            message="",
            created_at=self._now,
            updated_at=self._now,
            payload=dict(payload),
        )
        self._session.add(row)
        self._session.flush()
        return job_id

    def find(self, job_id: str) -> Job:
        """The job.

        Raises:
            BadInputError: when there is none.
        """
        row = self._row(job_id)
        return Job(row.id, row.kind, JobState(row.state), row.progress, row.message, row.payload)

    def report(self, job_id: str, *, progress: float, message: str) -> None:
        """Record how far a running job is; a cancelled one stays cancelled."""
        self._change(job_id, progress=progress, message=message[:_LONGEST_MESSAGE])

    def move(self, job_id: str, state: JobState, *, message: str = "") -> None:
        """Put the job into `state`."""
        self._change(job_id, state=state.value, message=message[:_LONGEST_MESSAGE])

    def _change(self, job_id: str, **values: Any) -> None:
        row = self._row(job_id)
        for name, value in {**values, "updated_at": self._now}.items():
            setattr(row, name, value)
        self._session.flush()

    def _row(self, job_id: str) -> JobRow:
        row = self._session.get(JobRow, job_id)
        if row is None:
            raise BadInputError(f"there is no job {job_id}")
        return row
