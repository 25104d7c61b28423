"""Trainings as rows, and the versions that one can start from in words."""

from collections.abc import Sequence
from typing import Any

from app.shared.moments import minute
from core.domain.model_version import ModelVersion
from core.store.data_versions import DataVersion
from core.store.jobs import Job, JobState


def base_words(version: ModelVersion) -> str:
    """A version as the list of bases names it."""
    return f"{version.name} v{version.version}" + (
        f" ({', '.join(version.aliases)})" if version.aliases else ""
    )


def data_words(version: DataVersion) -> str:
    """A data version as the list names it."""
    images, boxes = version.counts["parts"]["train"]
    note = f" · {version.note}" if version.note else ""
    return f"data version {version.number}: {images} images, {boxes} boxes train{note}"


def title_of(job: Job) -> str:
    """The base version and the data of a training in words."""
    asked = job.payload
    return f"{asked['model_name']} v{asked['base_version']} on data version {asked['data_number']}"


def job_rows(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """Trainings as rows of a table."""
    return [
        {
            "Started": minute(job.created_at),
            "Training": title_of(job),
            "State": "stopped" if job.state is JobState.CANCELLED else job.state.value,
            "Steps": job.payload["steps"],
            "Result": f"v{job.result['version']}" if job.state is JobState.DONE else "",
        }
        for job in jobs
    ]


def comparison_address(job: Job) -> tuple[str, str]:
    """Words and address of the comparison of the challenger with its base version."""
    model, version, base = (job.result[key] for key in ("model", "version", "base_version"))
    return f"Compare v{version} with v{base}", f"/compare?model={model}&v={base},{version}"
