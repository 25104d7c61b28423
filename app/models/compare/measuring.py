"""Draws the measurements that a comparison needs: the way to start them, and the one that runs."""

import streamlit as st

from app.models.compare import actions
from app.models.compare.state import Choice
from app.shared.job_progress import draw_job
from app.shared.resources import resources
from core.domain.accounts import Identity
from core.domain.permissions import Action, may
from core.services.evaluation.evaluations import BUILT_IN_COUNT, BUILT_IN_NAME, SIMULATED_MODEL
from core.store.evaluations import EvaluationSet

_ADD = (
    "radikal evaluation-sets add --name NAME --model {model} --coco FILE.json --images FOLDER [--split FILE]"
)


def draw_first_use(identity: Identity, choice: Choice) -> None:
    """Explain what an evaluation set is and how to get the first one."""
    st.html(
        '<div class="rk-welcome"><h1>No evaluation set yet</h1><p class="rk-muted">Versions are compared '
        "on images with recorded indications that none of them was trained on.</p></div>"
    )
    if choice.model == SIMULATED_MODEL and may(identity.role, Action.EVALUATIONS_MANAGE):
        st.button(
            f"Make {BUILT_IN_NAME} and measure the chosen versions",
            type="primary",
            key="compare.simulate",
            icon=":material/play_circle:",
            on_click=actions.simulate,
            args=(choice.numbers,),
            disabled=not choice.numbers,
            help=f"Renders {BUILT_IN_COUNT} radiographs with known flaws and runs the versions on them; "
            "it takes some minutes and needs no data of yours.",
        )
    st.caption("Sets of recorded radiographs are added on the server; the images stay where they lie:")
    st.code(_ADD.format(model=choice.model), language=None)


def draw_missing(identity: Identity, choice: Choice, chosen: EvaluationSet) -> None:
    """Chosen versions that were not measured: one click."""
    if not choice.missing:
        return
    names = " and ".join(f"v{number}" for number in choice.missing)
    with st.container(horizontal=True, vertical_alignment="center", key="compare-missing"):
        if may(identity.role, Action.EVALUATIONS_MANAGE):
            st.button(
                f"Measure {names} on {chosen.name}",
                type="primary",
                icon=":material/play_circle:",
                key="compare.measure",
                on_click=actions.measure,
                args=(chosen, tuple(choice.missing)),
            )
            said = "Stored once; everybody sees it then."
        else:
            said = f"{names} must be measured on {chosen.name} first; an ML engineer starts that."
        st.caption(said)


def draw_running(identity: Identity, choice: Choice) -> bool:
    """The job that measures versions of this model; True while there is one."""
    job = resources().services.evaluations.latest_job(identity, choice.model)
    if job is None or not (job.state.is_active or job.state.is_resumable):
        return False
    if job.state.is_resumable and not choice.missing and choice.chosen is not None:
        return False
    names = ", ".join(f"v{number}" for number in job.payload.get("versions", ()))
    draw_job(job.job_id, title=f"Measuring {choice.model} {names}", has_log=job.state.is_resumable)
    return job.state.is_active
