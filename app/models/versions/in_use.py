"""Draws what is known of a version in use: drift, shadow readings, live calibration, qualification."""

import streamlit as st

from app.models.versions import actions, state
from app.models.versions.in_use_plots import live_diagram
from app.models.versions.in_use_rows import (
    BIAS,
    alarm_words,
    drift_words,
    live_facts,
    live_rows,
    qualification_facts,
    shadow_facts,
    shadow_rows,
    shift_rows,
)
from app.shared.resources import resources
from app.shared.state import chosen_model
from app.shared.templates import draw_html
from core.domain.accounts import Identity
from core.domain.model_version import ModelVersion
from core.domain.permissions import Action, may
from core.domain.serving import CHALLENGER, CHAMPION
from core.services.monitoring.drift import LONGEST_NOTE

_PLOT = {"displayModeBar": False}
_LONGEST = 255


def draw_in_use(identity: Identity, version: ModelVersion, detection: str) -> None:
    """Everything of the version, the most urgent first; `detection` is what was measured of it by size."""
    for problem in resources().services.frozen.problems():
        st.error(f"{problem[0].upper()}{problem[1:]}.")
    draw_drift(identity, version)
    draw_qualification(identity, version, detection)
    draw_live(identity, version)
    if {CHAMPION, CHALLENGER} & set(version.aliases):
        draw_shadow(identity)


def draw_drift(identity: Identity, version: ModelVersion) -> None:
    """Alarms with the way to acknowledge them, and the last window."""
    st.html("<h3>Drift</h3>")
    found = resources().services.drift.state(identity, version.sha256)
    st.caption(drift_words(found))
    for one in found.alarms:
        if not one.is_standing:
            st.caption(alarm_words(one))
            continue
        st.warning(alarm_words(one))
        if may(identity.role, Action.DRIFT_ACKNOWLEDGE):
            st.text_input(
                "What changed, and why it is right",
                key=state.drift_note_key(one.alarm_id),
                max_chars=LONGEST_NOTE,
            )
            st.checkbox(
                "Compare later images with those since the change", key=state.reference_key(one.alarm_id)
            )
            st.button("Acknowledge", key=f"versions.acknowledge.{one.alarm_id}",
                      on_click=actions.acknowledge, args=(one.alarm_id,))  # fmt: skip
        else:
            st.caption("A reviewer or an ML engineer acknowledges it.")
    if found.last is not None:
        st.dataframe(shift_rows(found.last), hide_index=True, height="content")


def draw_qualification(identity: Identity, version: ModelVersion, detection: str) -> None:
    """Records of the version, and the form for a new one, which offers the measured detection by size."""
    st.html("<h3>Qualification</h3>")
    records = resources().services.qualifying.records(identity, version)
    if not records:
        st.caption("Nobody recorded a qualification of this version: it is not qualified for anything.")
    is_allowed = may(identity.role, Action.MODELS_QUALIFY)
    for one, by in records:
        draw_html("shared/facts.html", facts=qualification_facts(one, by))
        if is_allowed and one.withdrawn_at is None:
            st.text_input("Why it is withdrawn", key=state.withdraw_key(one.qualification_id), max_chars=500)
            st.button("Withdraw", key=f"versions.withdraw.{one.qualification_id}",
                      on_click=actions.withdraw, args=(one.qualification_id,))  # fmt: skip
    if is_allowed:
        # tracked, so that a refusal leaves it open
        with st.expander("Record a qualification", key=state.form_key(version), on_change="rerun"):
            _draw_form(identity, version, detection)


def _draw_form(identity: Identity, version: ModelVersion, detection: str) -> None:
    """The fields of a qualification, each with why it was refused."""
    state.prepare_detection(detection[: 2 * _LONGEST])
    st.text_input("Procedure", key=state.field_key(state.PROCEDURE), max_chars=_LONGEST)
    _draw_fault(state.PROCEDURE)
    sets = resources().services.promoting.sets(identity, version.name, version.version)
    told = {one.name: "" if one.is_measured else " · not measured yet" for one in sets}
    st.selectbox(
        "Evaluation set that it rests on",
        list(told),
        index=None,
        key=state.field_key(state.QUALIFIED_ON),
        format_func=lambda name: f"{name}{told.get(name, '')}",
        placeholder="choose a set" if sets else "there is none yet: Compare makes them",
    )
    _draw_fault(state.QUALIFIED_ON)
    st.text_input(
        "Probability of detection, in short", key=state.field_key(state.DETECTION), max_chars=2 * _LONGEST
    )
    _draw_fault(state.DETECTION)
    for name, label in ((state.EQUIPMENT, "Equipment"), (state.MATERIALS, "Material")):
        st.text_area(f"{label}, one a line; empty for any", key=state.field_key(name), height=80)
        _draw_fault(name)
    st.date_input("Last day", key=state.field_key(state.EXPIRES), value=None, format="YYYY-MM-DD")
    _draw_fault(state.EXPIRES)
    st.button("Record", key="versions.qualify", on_click=actions.qualify, args=(version,))
    if why := state.refused():
        st.error(why)


def _draw_fault(name: str) -> None:
    if why := state.refused(name):
        draw_html("shared/fault.html", why=why)


def draw_live(identity: Identity, version: ModelVersion) -> None:
    """What inspectors confirmed and dismissed of its boxes."""
    st.html("<h3>Live calibration</h3>")
    found = resources().services.live.of(identity, version)
    draw_html("shared/facts.html", facts=live_facts(found))
    if found.all.bins:
        st.plotly_chart(live_diagram(found.all), key="versions.live", config=_PLOT)
    st.caption(BIAS)
    if rows := live_rows(found):
        st.dataframe(rows, hide_index=True, height="content")


def draw_shadow(identity: Identity) -> None:
    """Where the challenger, which nobody sees, differs from the champion."""
    st.html("<h3>The challenger in shadow</h3>")
    found = resources().services.shadow.summary(identity, chosen_model())
    if found is None:
        st.caption("No other version is challenger: nothing is read in shadow.")
        return
    draw_html("shared/facts.html", facts=shadow_facts(found))
    if found.differing:
        link = st.column_config.LinkColumn
        st.dataframe(
            shadow_rows(found, chosen_model()),
            hide_index=True,
            column_config={
                "Image": st.column_config.TextColumn(width=150),
                "Differences": st.column_config.TextColumn(width=230),
                "Inspection": link(display_text="open", width=60),
                "Compare": link(display_text="open", width=60),
            },
        )
