"""What the page of retraining remembers and shows as data."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app.shared import state as app_state
from app.shared.access import acting, current_identity
from app.shared.navigation import PAGES
from app.shared.resources import resources
from core.domain.errors import WorkbenchError
from core.domain.model_version import ModelVersion
from core.services.training.retraining import RECIPES, RetrainRequest
from core.store.data_versions import DataVersion
from core.store.jobs import Job, JobState

BASE, DATA, RECIPE = "retrain.base", "retrain.data", "retrain.recipe"
STEPS, RATE, BUDGET, DEVICE = (f"retrain.{name}" for name in ("steps", "rate", "budget", "device"))
_JOB, _ASKED_DATA = "job", "data"
FIRST_RECIPE = next(iter(RECIPES))


def chosen_model() -> str:
    """The model that is trained; it is the one of the header."""
    return app_state.chosen_model()


def choose_model() -> None:
    """Put the chosen model into the address, and no job; only from a callback."""
    st.query_params.from_dict({"model": chosen_model()})


def base_versions(model: str) -> list[ModelVersion]:
    """Versions that a training can start from, the champion first, then the newest."""
    try:
        versions = resources().services.registry.versions(model)
    except WorkbenchError:
        return []
    return sorted(versions, key=lambda one: ("champion" not in one.aliases, -one.version))


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


def first_data(versions: Sequence[DataVersion]) -> int:
    """The place of the version in the address, else of the newest."""
    asked = st.query_params.get(_ASKED_DATA, "")
    return next((n for n, one in enumerate(versions) if str(one.number) == asked), 0)


def prepare_recipe() -> None:
    """Give the fields of the recipe their first values."""
    if RECIPE not in st.session_state:
        st.session_state[RECIPE] = FIRST_RECIPE
        take_recipe()


def take_recipe() -> None:
    """Put what the chosen recipe says into the fields; only before they are drawn."""
    said = RECIPES[st.session_state[RECIPE] or FIRST_RECIPE]
    st.session_state[STEPS] = said["steps"]
    st.session_state[RATE] = said["learning_rate"]
    st.session_state[BUDGET] = said["budget_minutes"]


def devices() -> list[str]:
    """What a training can run on here."""
    found = resources().services.detect.device
    return [found, "cpu"] if found != "cpu" else ["cpu"]


@acting
def start() -> None:
    """Start the job; only from a callback."""
    base, data = st.session_state.get(BASE), st.session_state.get(DATA)
    if base is None or data is None:
        return
    recipe = dict(RECIPES[st.session_state.get(RECIPE) or FIRST_RECIPE])
    request = RetrainRequest(
        **{
            **recipe,
            "model_name": chosen_model(),
            "base_version": base.version,
            "data_number": data.number,
            "steps": int(st.session_state[STEPS]),
            "learning_rate": float(st.session_state[RATE]),
            "budget_minutes": float(st.session_state[BUDGET]),
        }
    )
    device = st.session_state.get(DEVICE) or devices()[0]
    st.query_params[_JOB] = resources().services.retraining.start(current_identity(), request, device=device)


def chosen_job(jobs: Sequence[Job]) -> Job | None:
    """The job in the address, else the newest; None when there is none."""
    asked = st.query_params.get(_JOB, "")
    return next((job for job in jobs if job.job_id == asked), jobs[0] if jobs else None)


def choose_row(key: str, ids: Sequence[str]) -> None:
    """Put the job of the selected row into the address; only from a callback."""
    rows = st.session_state[key].selection.rows
    if rows:
        st.query_params[_JOB] = ids[rows[0]]


def title_of(job: Job) -> str:
    """What a training does, in words."""
    asked = job.payload
    return f"{asked['model_name']} v{asked['base_version']} on data version {asked['data_number']}"


def job_rows(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """Trainings as rows of a table."""
    return [
        {
            "Started": f"{job.created_at:%Y-%m-%d %H:%M}",
            "Training": title_of(job),
            "State": "stopped" if job.state is JobState.CANCELLED else job.state.value,
            "Steps": job.payload["steps"],
            "Result": f"v{job.result['version']}" if job.state is JobState.DONE else "",
        }
        for job in jobs
    ]


def comparison_address(job: Job) -> tuple[str, str]:
    """Where the challenger is seen beside its base version: words and address."""
    model, version, base = (job.result[key] for key in ("model", "version", "base_version"))
    if any(page.url_path == "compare" for page in PAGES):
        return f"Compare v{version} with v{base}", f"/compare?model={model}&v={base},{version}"
    return f"Look at v{version}", f"/versions?model={model}&version={version}"
