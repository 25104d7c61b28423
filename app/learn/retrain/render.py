"""Draws the page of retraining."""

from collections.abc import Sequence

import streamlit as st

from app.learn.retrain import state
from app.learn.retrain.actions import start
from app.learn.retrain.plots import draw_curves
from app.learn.retrain.rows import base_words, comparison_address, data_words, job_rows, title_of
from app.shared.access import current_identity, identified
from app.shared.job_progress import draw_job
from app.shared.lists.render import draw_choice
from app.shared.model_choice import draw_model_choice
from app.shared.navigation import page_at
from app.shared.resources import resources
from app.shared.state import chosen_model
from app.shared.templates import draw_html, draw_welcome
from core.domain.accounts import Identity
from core.domain.errors import WorkbenchError
from core.domain.model_version import ModelVersion
from core.domain.permissions import Action, may
from core.services.training.retraining import RECIPES
from core.store.data_versions import DataVersion
from core.store.jobs import Job, JobState

_TABLE_PX = 240
_POLL_S = 2.0


def draw_form(identity: Identity, versions: Sequence[DataVersion]) -> None:
    """The form for a training."""
    state.prepare_recipe()
    draw_model_choice()
    if not may(identity.role, Action.JOBS_MANAGE):
        st.caption("Trainings are started by ML engineers; you see how they go.")
        return
    if not versions:
        entry = page_at("data")
        st.caption(f"There is no data version of {chosen_model()} yet. Make one first.")
        st.page_link(entry.file, label="Go to Data", icon=entry.icon)
        return
    st.selectbox("Starts from", _base_versions(chosen_model()), key=state.BASE,
                 format_func=base_words)  # fmt: skip
    st.selectbox("Learns from", versions, index=state.first_data(versions), key=state.DATA,
                 format_func=data_words)  # fmt: skip
    st.segmented_control("Recipe", list(RECIPES), key=state.RECIPE, on_change=state.take_recipe)
    with st.container(horizontal=True):
        st.number_input("Steps", 1, 100_000, step=10, key=state.STEPS)
        st.number_input("Learning rate", 1e-6, 1e-2, step=1e-5, format="%.5f", key=state.RATE)
    with st.container(horizontal=True):
        st.number_input("Budget, minutes", 0.5, 10_000.0, step=5.0, format="%.1f", key=state.BUDGET,
                        help="The training ends after so long, even when steps are left.")  # fmt: skip
        st.selectbox("Device", _devices(), key=state.DEVICE)
    is_refused = _draw_outlook(identity)
    st.button("Start training", type="primary", icon=":material/play_arrow:", key="retrain.start",
              disabled=is_refused, on_click=start)  # fmt: skip


def _draw_outlook(identity: Identity) -> bool:
    """What will teach, calibrate and judge, before anything starts; True where it cannot end."""
    try:
        asked = state.wanted()
        if asked is None:
            return True
        told = resources().services.retraining.outlook(identity, asked[0])
    except WorkbenchError as error:
        st.caption(f"{error}.")
        return True
    if told.refusal:
        st.warning(f"{told.refusal[0].upper()}{told.refusal[1:]}.")
        return True
    for line in told.lines:
        st.caption(line)
    return False


def _base_versions(model: str) -> list[ModelVersion]:
    """Versions that a training can start from, the champion first, then the newest."""
    try:
        versions = resources().services.registry.versions(model)
    except WorkbenchError:
        return []
    return sorted(versions, key=lambda one: ("champion" not in one.aliases, -one.version))


def _devices() -> list[str]:
    """The devices that a training can run on here."""
    found = resources().services.detect.device
    return [found, "cpu"] if found != "cpu" else ["cpu"]


def draw_jobs(jobs: Sequence[Job]) -> None:
    """The trainings; a row that is selected is shown beside it."""
    if not jobs:
        return
    ids = [job.job_id for job in jobs]
    draw_choice(
        job_rows(jobs),
        ids,
        chosen=None,
        on_choose=state.choose_job,
        key=f"retrain.jobs.{len(ids)}.{ids[0][:8]}",
        most_px=_TABLE_PX,
        column_config={"Started": st.column_config.TextColumn("Started (UTC)")},
    )


def draw_nothing() -> None:
    """The page before there was a training."""
    draw_welcome(
        "Nothing was trained here yet",
        "A training goes on from the weights of a version, learns what the labels of a data version correct, "
        "keeps what it knew by mixing in old data, and ends as a challenger that is compared with the "
        "champion.",
    )


def draw_chosen(job: Job) -> None:
    """One training: its progress, its curves, its result."""
    why_ended = ""
    if job.state.is_resumable:
        why_ended = resources().services.retraining.resume_refusal(current_identity(), job)
    draw_job(job.job_id, title=title_of(job), why_ended=why_ended)
    if job.state is JobState.DONE:
        draw_result(job)
    if job.state.is_active:
        _live_curves(job.job_id, int(job.payload["steps"]))
    else:
        _draw_curves(job.job_id, int(job.payload["steps"]))


@st.fragment(run_every=_POLL_S)
@identified(touch=False)
def _live_curves(job_id: str, steps: int) -> None:
    _draw_curves(job_id, steps)


def _draw_curves(job_id: str, steps: int) -> None:
    curves = resources().services.retraining.curves(current_identity(), job_id)
    draw_curves(curves, key=f"retrain.curves.{job_id}", steps=steps)


def draw_result(job: Job) -> None:
    """The challenger, and the way to its comparison."""
    words, address = comparison_address(job)
    draw_html(
        "learn/retrain/templates/result.html",
        result=job.result,
        is_cut_short=job.result["n_steps"] != job.payload["steps"],
        words=words,
        address=address,
    )
