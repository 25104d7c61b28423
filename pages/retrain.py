"""Retrain: start a training, watch it, stop it, resume it, and go on to the comparison."""

import streamlit as st

from app.learn.retrain import render as parts
from app.learn.retrain import retrain_view as view
from app.shared.access import require_page
from app.shared.resources import resources


def draw() -> None:
    """The whole page."""
    identity = require_page("retrain")
    services = resources().services
    jobs = services.retraining.latest(identity)
    chosen = view.chosen_job(jobs)
    form, shown = st.columns([7, 13], gap="small")
    with form:
        with st.container(border=True, key="retrain-form"):
            parts.draw_form(identity, services.data.all(identity, view.chosen_model()))
        parts.draw_jobs(jobs, chosen)
    with shown:
        if chosen is None:
            st.html(parts.NOTHING)
        else:
            with st.container(border=True, key="retrain-job"):
                parts.draw_chosen(chosen)


draw()
