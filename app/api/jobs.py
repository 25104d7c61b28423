"""Long jobs: how far they are, what came of them, and stopping them."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import Field

from app.api.access import PREFIX, Caller
from app.api.answers import problems
from app.api.schemas import Moment, RecordId, Schema
from app.shared.resources import resources
from core.domain.accounts import Identity
from core.store.jobs import Job

router = APIRouter(prefix=f"{PREFIX}/jobs", tags=["jobs"])


class JobItem(Schema):
    """What came of one radiograph of a job that inspects."""

    file: str = Field(description="Name of the file that was handed in.")
    name: str = Field(description="Name of the radiograph in it.")
    frame: int | None = Field(
        description="Number of the frame or page, counted from 1; null for one picture."
    )
    inspection_id: str | None = Field(None, description="Id of its inspection; null where it failed.")
    n_reported: int | None = Field(None, description="Number of boxes at or above the operating probability.")
    picked: str = Field("", description="Why another model read it; empty where none did.")
    warning: str = Field("", description="What the picture has against the stated polarity; empty: nothing.")
    error: str = Field("", description="Why it failed; empty where it did not.")


class JobAnswer(Schema):
    """A long job."""

    job_id: RecordId
    kind: str = Field(description="inspect, retrain, evaluate and so on.")
    state: str = Field(description="queued, running, done, failed, cancelled or interrupted.")
    progress: float = Field(ge=0, le=1, description="Share that is done, 0 to 1.")
    message: str = Field(description="What it said last, or why it ended.")
    created_at: Moment
    started_at: datetime | None = Field(description="Moment in UTC, ISO 8601; null before it began.")
    left_s: float | None = Field(description="Time that it still needs in s, null where it cannot tell.")
    result: dict[str, Any] = Field(description="What came out, once it is done; empty before.")
    items: list[JobItem] = Field(description="Of a job that inspects: what came of each radiograph so far.")


@router.get("/{job_id}", summary="How far a job is", responses=problems(404))
def get_job(job_id: RecordId, identity: Caller) -> JobAnswer:
    """A job with its progress; of one that inspects, also what came of each radiograph so far.

    Whoever started a job may see it with the scope `detect`; others need the right to look at long jobs.
    """
    return job_answer(identity, resources().services.intake_jobs.find(identity, job_id))


@router.delete("/{job_id}", summary="Stop a job", responses=problems(404, 409))
def stop_job(job_id: RecordId, identity: Caller) -> JobAnswer:
    """Stop a job: at once while it waits, else before its next radiograph. What was done stays done."""
    return job_answer(identity, resources().services.intake_jobs.stop(identity, job_id))


@router.post("/{job_id}/resume", summary="Resume a job", responses=problems(404, 409))
def resume_job(job_id: RecordId, identity: Caller) -> JobAnswer:
    """Queue a job again that failed, was stopped or interrupted: it goes on behind the last it did."""
    return job_answer(identity, resources().services.intake_jobs.resume(identity, job_id))


def job_answer(identity: Identity, job: Job) -> JobAnswer:
    """The answer about a job."""
    return JobAnswer(
        job_id=job.job_id,
        kind=job.kind,
        state=job.state.value,
        progress=job.progress,
        message=job.message,
        created_at=job.created_at,
        started_at=job.started_at,
        left_s=job.left_s,
        result=dict(job.result),
        items=[JobItem(**one) for one in resources().services.intake_jobs.done(identity, job.job_id)],
    )
