"""The repository of long pieces of work."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core.domain.errors import BadInputError
from core.store.images import now_utc
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
    """Rows of `jobs`. Every method is one transaction."""

    def __init__(self, engine: Engine, *, clock: Callable[[], datetime] = now_utc) -> None:
        self._engine = engine
        self._clock = clock

    def add(self, kind: str, payload: Mapping[str, Any]) -> str:
        """The id of a new, queued job."""
        now, job_id = self._clock(), uuid.uuid4().hex
        row = JobRow(
            id=job_id,
            kind=kind,
            state=JobState.QUEUED.value,
            progress=0.0,
            message="",
            created_at=now,
            updated_at=now,
            payload=dict(payload),
        )
        with Session(self._engine) as session, session.begin():
            session.add(row)
        return job_id

    def find(self, job_id: str) -> Job:
        """The job.

        Raises:
            BadInputError: when there is none.
        """
        with Session(self._engine) as session:
            row = session.get(JobRow, job_id)
            if row is None:
                raise BadInputError(f"there is no job {job_id}")
            return Job(row.id, row.kind, JobState(row.state), row.progress, row.message, row.payload)

    def report(self, job_id: str, *, progress: float, message: str) -> None:
        """Record how far a running job is; a cancelled one stays cancelled."""
        self._change(job_id, progress=progress, message=message[:_LONGEST_MESSAGE])

    def move(self, job_id: str, state: JobState, *, message: str = "") -> None:
        """Put the job into `state`."""
        self._change(job_id, state=state.value, message=message[:_LONGEST_MESSAGE])

    def _change(self, job_id: str, **values: Any) -> None:
        with Session(self._engine) as session, session.begin():
            row = session.get(JobRow, job_id)
            if row is None:
                raise BadInputError(f"there is no job {job_id}")
            for name, value in {**values, "updated_at": self._clock()}.items():
                setattr(row, name, value)
