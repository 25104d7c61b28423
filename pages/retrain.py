"""Retrain: start a training, watch it, stop it, resume it, and go on to the comparison."""

import streamlit as st

from app.learn.retrain import render, state
from app.shared.access import require_page
from app.shared.resources import resources
from app.shared.state import chosen_model


def draw() -> None:
    """Draw the page."""
    identity = require_page("retrain")
    services = resources().services
    jobs = services.retraining.latest(identity)
    chosen = state.chosen_job(jobs)
    form, shown = st.columns([7, 13], gap="small")
    with form:
        with st.container(border=True, key="retrain-form"):
            render.draw_form(identity, services.data.all(identity, chosen_model()))
        render.draw_jobs(jobs)
    with shown:
        if chosen is None:
            render.draw_nothing()
        else:
            with st.container(border=True, key="retrain-job"):
                render.draw_chosen(chosen)


draw()
