"""The page of retraining in this session: the recipe, the training in the address."""

from collections.abc import Sequence

import streamlit as st

from app.shared.state import chosen_model
from core.services.training.retraining import RECIPES, RetrainRequest
from core.store.data_versions import DataVersion
from core.store.jobs import Job

BASE, DATA, RECIPE = "retrain.base", "retrain.data", "retrain.recipe"
STEPS, RATE, BUDGET, DEVICE = (f"retrain.{name}" for name in ("steps", "rate", "budget", "device"))
_JOB, _ASKED_DATA = "job", "data"
_FIRST_RECIPE = next(iter(RECIPES))


def first_data(versions: Sequence[DataVersion]) -> int:
    """The place of the version in the address, else of the newest."""
    asked = st.query_params.get(_ASKED_DATA, "")
    return next((n for n, one in enumerate(versions) if str(one.number) == asked), 0)


def prepare_recipe() -> None:
    """Give the fields of the recipe their first values."""
    if RECIPE not in st.session_state:
        st.session_state[RECIPE] = _FIRST_RECIPE
        take_recipe()


def take_recipe() -> None:
    """Put the values of the chosen recipe into the fields; only before they are drawn."""
    recipe = RECIPES[st.session_state[RECIPE] or _FIRST_RECIPE]
    st.session_state[STEPS] = recipe["steps"]
    st.session_state[RATE] = recipe["learning_rate"]
    st.session_state[BUDGET] = recipe["budget_minutes"]


def wanted() -> tuple[RetrainRequest, str | None] | None:
    """The training that the form describes and its device; None while a version is missing."""
    asked = st.session_state
    base, data = asked.get(BASE), asked.get(DATA)
    if base is None or data is None:
        return None
    request = {
        **RECIPES[asked.get(RECIPE) or _FIRST_RECIPE],
        "model_name": chosen_model(),
        "base_version": base.version,
        "data_number": data.number,
        "steps": int(asked[STEPS]),
        "learning_rate": float(asked[RATE]),
        "budget_minutes": float(asked[BUDGET]),
    }
    return RetrainRequest(**request), asked.get(DEVICE)


def chosen_job(jobs: Sequence[Job]) -> Job | None:
    """The job in the address, else the newest; None when there is none."""
    asked = st.query_params.get(_JOB, "")
    return next((job for job in jobs if job.job_id == asked), jobs[0] if jobs else None)


def choose_job(job_id: str | None) -> None:
    """Put a job into the address; only from a callback."""
    if job_id is not None:
        st.query_params[_JOB] = job_id
