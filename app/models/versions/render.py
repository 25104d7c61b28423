"""Draws the page of versions."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from app.models.pod import draw_pod, pod_summary
from app.models.versions import actions, state
from app.models.versions.in_use import draw_in_use
from app.models.versions.in_use_plots import timeline
from app.models.versions.rows import (
    card_content,
    change_rows,
    columns_on_show,
    common_set,
    gate_content,
    inspection_words,
    overview_facts,
    served_content,
    version_rows,
)
from app.shared.lists.render import draw_choice
from app.shared.model_choice import draw_model_choice
from app.shared.moments import minute
from app.shared.resources import resources
from app.shared.state import chosen_model
from app.shared.templates import draw_html, draw_said
from core.domain.accounts import Identity
from core.domain.errors import WorkbenchError
from core.domain.permissions import Action, may
from core.domain.serving import CHALLENGER, CHAMPION, served_spans
from core.evaluate.gate_report import GateReport
from core.services.evaluation.version_records import pod_of
from core.services.lifecycle.alias_moves import LONGEST_NOTE, Move
from core.services.lifecycle.hub_card import hub_card
from core.services.lifecycle.overriding import NOTE
from core.services.lifecycle.versions import VersionSummary

_TABLE_PX = 690
_SET_NAME_CHARACTERS = 60
_MOMENT = "%Y-%m-%d %H:%M"
_ALIASES = (CHAMPION, CHALLENGER, state.NO_ALIAS)


def draw_nothing() -> None:
    """The page before a version is registered."""
    st.html(
        '<div class="rk-welcome"><h1>No version is registered</h1><p class="rk-muted">Run '
        "<code>radikal setup</code> on the server to register the versions that are shipped, or import "
        "one.</p></div>"
    )


def draw_bar(identity: Identity, models: Sequence[str], versions: Sequence[VersionSummary]) -> None:
    """The model, the filter, and the button that rolls back."""
    n_shown = len(state.found(versions))
    with st.container(horizontal=True, vertical_alignment="bottom", key="versions-bar"):
        draw_model_choice(models, state.choose_model)
        st.text_input("Find", key=state.FIND, placeholder="text, sha256, run", width=190)
        st.selectbox("Alias", _ALIASES, key=state.ALIAS, index=None, placeholder="any", width=140)
        draw_roll_back(identity, versions)
        st.caption(f"{n_shown} of {len(versions)} versions · times are UTC")


def draw_roll_back(identity: Identity, versions: Sequence[VersionSummary]) -> None:
    """The button that lets the champion before this one serve again, for those who may."""
    if not may(identity.role, Action.MODELS_PROMOTE):
        return
    model = chosen_model()
    target = resources().services.promoting.rollback_target(identity, model)
    st.button(
        "Roll back" if target is None else f"Roll back to v{target}",
        icon=":material/undo:",
        key="versions.roll_back",
        disabled=target is None,
        help="Lets the champion before this one serve again, at once; no gate is asked."
        if target is not None
        else "No other version was champion before.",
        on_click=actions.roll_back,
        args=(model, CHAMPION, _pointing(versions, CHAMPION)),
    )


def draw_notices(identity: Identity) -> None:
    """The line about the last action, warnings, and requests that wait for a second person."""
    draw_said(state.versions_state().said)
    for words in (_registry_words(), _refusal_words(chosen_model())):
        if words:
            st.warning(words)
    for request, asker in resources().services.overriding.waiting(identity, chosen_model()):
        is_own = request.requested_by == identity.user_id
        with st.container(border=True, key=f"versions-request-{request.request_id}"):
            reasons = "; ".join(str(one) for one in request.gate.get("reasons", ()))
            who = "You ask" if is_own else f"{asker} asks"
            wanted = f"{who} for v{request.version} as {request.alias} against the gate."
            draw_html(
                "models/versions/templates/request.html", wanted=wanted, note=request.note, reasons=reasons
            )
            with st.container(horizontal=True):
                if not is_own:
                    st.button("Consent", key=f"versions.consent.{request.request_id}", type="primary",
                              on_click=actions.consent, args=(request.request_id,))  # fmt: skip
                st.button("Withdraw" if is_own else "Decline", key=f"versions.refuse.{request.request_id}",
                          on_click=actions.refuse, args=(request.request_id,))  # fmt: skip
                if is_own:
                    st.caption("A second person has to consent: a reviewer, an ML engineer or an admin.")


def draw_table(versions: Sequence[VersionSummary], chosen: VersionSummary | None) -> None:
    """The versions; a row that is selected is shown beside it."""
    if not versions:
        st.caption("No version is like this. Clear the filter to see them all.")
        return
    numbers = [one.number for one in versions]
    common = common_set(versions)
    column = st.column_config
    draw_choice(
        version_rows(versions),
        numbers,
        chosen=chosen.number if chosen else None,
        on_choose=state.choose_row,
        key=f"versions.table.{chosen_model()}.{hash(tuple(numbers))}",
        most_px=_TABLE_PX,
        column_order=columns_on_show(common),
        column_config={
            "Version": column.NumberColumn("Version", format="v%d", width=55),
            "Aliases": column.TextColumn(width=85),
            "In use since": column.TextColumn(width=115),
            "Trained": column.TextColumn(width=85),
            **{name: column.NumberColumn(format="%.3f", width=52) for name in ("AP50", "Recall", "D-ECE")},
            "False calls": column.NumberColumn(
                format="%.2f", width=70, help="An image, at the operating point"
            ),
            "Images": column.NumberColumn(width=52, help="That it was trained on"),
            "MB": column.NumberColumn(format="%.1f", width=45),
            "By": column.TextColumn(width=90),
            "Measured on": column.TextColumn(),
            "From": column.TextColumn(width=75, help="The version whose weights it started from"),
            "Data version": column.TextColumn(width=60, help="That it learnt from"),
            "Run": column.TextColumn(width=75, help="In MLflow; the overview holds all of its id"),
        },
    )
    figures = (
        f"Figures of all versions on the same images: {common}."
        if common
        else "Figures of each version on images of its own (Measured on): they cannot be compared. Compare "
        "measures versions on the same images."
    )
    st.caption(f"{figures} The eye above the table shows more columns.")


def draw_detail(identity: Identity, one: VersionSummary, versions: Sequence[VersionSummary]) -> None:
    """One version: overview, card, gate, or the history of what served."""
    draw_html("models/versions/templates/head.html", one=one, model=chosen_model())
    aspect = state.prepare_aspect()
    st.segmented_control("Show", list(state.ASPECTS), format_func=state.ASPECTS.__getitem__, key=state.ASPECT,
                         label_visibility="collapsed", on_change=state.choose_aspect)  # fmt: skip
    match aspect:
        case state.CARD:
            draw_html("models/versions/templates/card.html", **card_content(one, _explanations(one)))
            _draw_hub_card(one)
        case state.POD:
            draw_pod([(f"v{one.number}", _pod(one))], model=chosen_model(), key="versions.pod", height=330)
        case state.GATE:
            draw_gate(identity, one, versions)
        case state.IN_USE if one.version is not None:
            draw_in_use(identity, one.version, pod_summary(_pod(one)))
        case state.SERVED:
            draw_served(identity)
        case _:
            draw_html(
                "models/versions/templates/overview.html",
                one=one,
                facts=overview_facts(one, _explanations(one), pod_summary(_pod(one))),
            )


def _explanations(one: VersionSummary) -> Mapping[str, Any] | None:
    if one.version is None:
        return None
    return resources().services.explanation_records.of(one.version.sha256)


def _draw_hub_card(one: VersionSummary) -> None:
    if one.version is not None:
        st.download_button(
            "Card for the Hugging Face Hub",
            hub_card(one.version, _pod(one)),
            "README.md",
            "text/markdown",
            key="versions.hub",
            icon=":material/download:",
        )


def _pod(one: VersionSummary) -> Mapping[str, Any] | None:
    return None if one.version is None else pod_of(resources().services.pod_records, one.version)


def draw_gate(identity: Identity, one: VersionSummary, versions: Sequence[VersionSummary]) -> None:
    """The report of the gate on this version, and the promotion."""
    if one.version is None:
        draw_html("models/versions/templates/problem.html", one=one)
        return
    if CHAMPION in one.aliases:
        st.caption("It is the champion: the gate compares the others with it.")
        return
    promoting = resources().services.promoting
    model, sets = chosen_model(), promoting.sets(identity, chosen_model(), one.number)
    digest = None
    if sets:
        names = {entry.digest: entry for entry in sets}
        digest = st.selectbox(
            "Judged on",
            list(names),
            format_func=lambda key: (
                f"{names[key].name[:_SET_NAME_CHARACTERS]} · {names[key].n_images} images"
                + ("" if names[key].is_measured else " · not measured yet")
            ),
            key=f"{state.SET}.{model}.{one.number}",
        )
    report = promoting.gate(identity, model, one.number, set_digest=digest)
    draw_html("models/versions/templates/gate.html", **gate_content(report))
    if may(identity.role, Action.MODELS_PROMOTE):
        draw_promotion(one, versions, report, digest)
    else:
        st.caption("ML engineers promote. The rule is written in docs/promotion.md.")


def draw_promotion(
    one: VersionSummary, versions: Sequence[VersionSummary], report: GateReport, digest: str | None
) -> None:
    """Promote when the gate is green; else ask a second person."""
    model = chosen_model()
    aliases = [alias for alias in (CHAMPION, CHALLENGER) if alias not in one.aliases]
    st.text_input(
        "Note" if report.is_green else "Why it should serve all the same",
        key=state.note_key(),
        max_chars=LONGEST_NOTE,
        placeholder="kept for good"
        if report.is_green
        else "needed; a second person reads it and has to consent",
    )
    if why := state.refused(f"{NOTE}.{one.number}"):
        draw_html("shared/fault.html", why=why)
    with st.container(horizontal=True, key="versions-promote"):
        for alias in aliases:
            move = Move(model, one.number, alias, _pointing(versions, alias), digest)
            st.button(
                f"Promote to {alias}" if report.is_green else f"Ask to override for {alias}",
                key=f"versions.promote.{alias}",
                type="primary" if report.is_green and alias == CHAMPION else "secondary",
                on_click=actions.promote if report.is_green else actions.ask,
                args=(move,),
            )


def draw_served(identity: Identity) -> None:
    """The version that served at a moment, or when an inspection was made; every change."""
    serving, model = resources().services.alias_history, chosen_model()
    with st.container(horizontal=True, vertical_alignment="bottom", key="versions-served"):
        asked = st.text_input("Champion at (UTC)", key=state.AT, placeholder="2026-03-01 14:00", width=170)
        inspection = st.text_input(
            "When an inspection was made", key=state.INSPECTION, placeholder="its id", width=250
        )
    if asked:
        try:
            at = datetime.strptime(asked.strip(), _MOMENT).replace(tzinfo=UTC)
        except ValueError:
            st.caption(f"Expected a moment such as 2026-03-01 14:00, got {asked[:40]!r}.")
        else:
            served = served_content(serving.at(identity, model, at))
            draw_html("models/versions/templates/served.html", served=served)
    if inspection:
        try:
            then = serving.of_inspection(identity, inspection.strip())
        except WorkbenchError as error:
            st.caption(f"{error}.")
        else:
            made, told = inspection_words(then)
            served = served_content(then.champion)
            draw_html("models/versions/templates/inspection.html", made=made, told=told, served=served)
    history = serving.history(identity, model)
    spans = [one for alias in (CHAMPION, CHALLENGER)
             for one in served_spans([change.change for change in history], alias)]  # fmt: skip
    if spans:
        config = {"displayModeBar": False}
        st.plotly_chart(timeline(spans, datetime.now(UTC)), key="versions.timeline", config=config)
    changes = change_rows(history)
    draw_html("models/versions/templates/history.html", changes=changes)


def _pointing(versions: Sequence[VersionSummary], alias: str) -> int | None:
    """The version that bears the alias; None when none does."""
    return next((one.number for one in versions if alias in one.aliases), None)


def _registry_words() -> str:
    """The warning while MLflow does not answer, else empty."""
    known = resources().services.registry_sync.state()
    if not known.is_away:
        return ""
    return (
        f"MLflow does not answer since {minute(known.away_since)} UTC. The versions are shown as they were "
        f"known at {minute(known.as_of)} UTC, and the champion goes on serving; promoting and rolling back "
        "have to wait."
    )


def _refusal_words(model: str) -> str:
    """The warning while the champion of the registry does not serve here, else empty."""
    refusal = resources().champions.refused(model)
    if refusal is None:
        return ""
    return (
        f"The champion of the registry does not serve since {minute(refusal.since)} UTC: {refusal.reason}. "
        "What served before goes on serving: roll back, or promote another version."
    )
