"""Draws the parts of the page of retraining."""

from collections.abc import Sequence
from functools import partial
from html import escape

import streamlit as st

from app.learn.retrain import retrain_view as view
from app.learn.retrain.plots import draw_curves
from app.shared.access import current_identity
from app.shared.job_progress import draw_job
from app.shared.navigation import page_at
from app.shared.resources import MODELS, resources
from core.domain.accounts import Identity
from core.domain.permissions import Action, may
from core.services.training.retraining import RECIPES
from core.store.data_versions import DataVersion
from core.store.jobs import Job, JobState

_ROW_PX, _TABLE_PX = 28, 240
_POLL_S = 2.0
NOTHING = (
    '<div class="rk-welcome"><h1>Nothing was trained here yet</h1><p class="rk-muted">A training goes on '
    "from the weights of a version, learns what the labels of a data version correct, keeps what it knew by "
    "mixing in old data, and ends as a challenger that is compared with the champion.</p></div>"
)


def draw_form(identity: Identity, versions: Sequence[DataVersion]) -> None:
    """What to train from what."""
    view.prepare_recipe()
    st.segmented_control("Model", MODELS, key=view.app_state.MODEL_KEY, format_func=str.capitalize,
                         on_change=view.choose_model)  # fmt: skip
    if not may(identity.role, Action.JOBS_MANAGE):
        st.caption("Trainings are started by ML engineers; you see how they go.")
        return
    if not versions:
        entry = page_at("data")
        st.caption(f"There is no data version of {view.chosen_model()} yet. Make one first.")
        st.page_link(entry.file, label="Go to Data", icon=entry.icon)
        return
    st.selectbox("Starts from", view.base_versions(view.chosen_model()), key=view.BASE,
                 format_func=view.base_words)  # fmt: skip
    st.selectbox("Learns from", versions, index=view.first_data(versions), key=view.DATA,
                 format_func=view.data_words)  # fmt: skip
    st.segmented_control("Recipe", list(RECIPES), key=view.RECIPE, on_change=view.take_recipe)
    with st.container(horizontal=True):
        st.number_input("Steps", 1, 100_000, step=10, key=view.STEPS)
        st.number_input("Learning rate", 1e-6, 1e-2, step=1e-5, format="%.5f", key=view.RATE)
    with st.container(horizontal=True):
        st.number_input("Budget, minutes", 0.5, 10_000.0, step=5.0, format="%.1f", key=view.BUDGET,
                        help="The training ends after so long, even when steps are left.")  # fmt: skip
        st.selectbox("Device", view.devices(), key=view.DEVICE)
    st.button("Start training", type="primary", icon=":material/play_arrow:", key="retrain.start",
              on_click=view.start)  # fmt: skip


def draw_jobs(jobs: Sequence[Job], chosen: Job | None) -> None:
    """The trainings there were; a row that is selected is shown beside it."""
    if not jobs:
        return
    ids = [job.job_id for job in jobs]
    key = f"retrain.jobs.{len(ids)}.{ids[0][:8]}"
    st.dataframe(
        view.job_rows(jobs),
        hide_index=True,
        placeholder="–",
        row_height=_ROW_PX,
        height=min(_TABLE_PX, _ROW_PX * (len(jobs) + 1) + 10),
        on_select=partial(view.choose_row, key, ids),
        selection_mode="single-row",
        column_config={"Started": st.column_config.TextColumn("Started (UTC)")},
        key=key,
    )


def draw_chosen(job: Job) -> None:
    """One training: how far, its curves, what came out."""
    draw_job(job.job_id, title=view.title_of(job))
    if job.state is JobState.DONE:
        draw_result(job)
    if job.state.is_active:
        _live_curves(job.job_id, int(job.payload["steps"]))
    else:
        _draw_curves(job.job_id, int(job.payload["steps"]))


@st.fragment(run_every=_POLL_S)
def _live_curves(job_id: str, steps: int) -> None:
    _draw_curves(job_id, steps)


def _draw_curves(job_id: str, steps: int) -> None:
    curves = resources().services.retraining.curves(current_identity(touch=False), job_id)
    draw_curves(curves, key=f"retrain.curves.{job_id}", steps=steps)


def draw_result(job: Job) -> None:
    """The challenger, and the way to its comparison."""
    result = job.result
    n = result["n_corrections"]
    learnt = f"It learnt from {n} corrected image{'' if n == 1 else 's'}"
    short = (
        ""
        if result["n_steps"] == job.payload["steps"]
        else f" in {result['n_steps']} steps, then the budget ended"
    )
    words, address = view.comparison_address(job)
    st.html(
        f'<p class="rk-said"><b>{escape(result["model"])} v{result["version"]} is the challenger.</b> '
        f"{learnt}{short}; its card names them. Whether it is better is not known before it was compared.</p>"
        f'<a class="rk-go" href="{escape(address)}" target="_self">{escape(words)}</a>'
    )
