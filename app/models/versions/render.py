"""Draws the parts of the page of versions."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from html import escape

import streamlit as st

from app.models.versions import actions
from app.models.versions import versions_html as html
from app.models.versions import versions_view as view
from app.shared.resources import resources
from core.domain.accounts import Identity
from core.domain.errors import WorkbenchError
from core.domain.permissions import Action, may
from core.domain.serving import CHALLENGER, CHAMPION
from core.evaluate.gate_report import GateReport
from core.services.lifecycle.alias_moves import LONGEST_NOTE, Move
from core.services.lifecycle.versions import VersionSummary

_TABLE_PX, _ROW_PX = 690, 28
_SET_NAME_CHARACTERS = 60
_MOMENT = "%Y-%m-%d %H:%M"


def draw_bar(identity: Identity, models: Sequence[str], versions: Sequence[VersionSummary]) -> None:
    """Which model, the filter, and the way back."""
    shown = len(view.found(versions))
    with st.container(horizontal=True, vertical_alignment="bottom", key="versions-bar"):
        st.segmented_control(
            "Model",
            models,
            key=view.app_state.MODEL_KEY,
            format_func=str.capitalize,
            on_change=view.choose_model,
        )
        st.text_input("Find", key=view.FIND, placeholder="text, sha256, run", width=190)
        st.selectbox("Alias", view.BORNE, key=view.ALIAS, index=None, placeholder="any", width=140)
        draw_roll_back(identity, versions)
        st.caption(f"{shown} of {len(versions)} versions · times are UTC")


def draw_roll_back(identity: Identity, versions: Sequence[VersionSummary]) -> None:
    """One click back to what served before, for those who may."""
    if not may(identity.role, Action.MODELS_PROMOTE):
        return
    model = view.chosen_model()
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
        args=(model, CHAMPION, view.pointing(versions, CHAMPION)),
    )


def draw_notices(identity: Identity) -> None:
    """What was done last, what is wrong, and who waits for a second person."""
    if view.versions_state().said:
        st.html(f'<p class="rk-said" role="status">{escape(view.versions_state().said)}</p>')
    for words in (view.registry_words(), view.refusal_words(view.chosen_model())):
        if words:
            st.warning(words)
    for request, asker in resources().services.overriding.waiting(identity, view.chosen_model()):
        is_own = request.requested_by == identity.user_id
        with st.container(border=True, key=f"versions-request-{request.request_id}"):
            reasons = "; ".join(str(one) for one in request.gate.get("reasons", ()))
            who = "You ask" if is_own else f"{asker} asks"
            wanted = f"{who} for v{request.version} as {request.alias} against the gate."
            st.html(
                f'<p class="rk-said"><b>{escape(wanted)}</b> {escape(request.note)}</p>'
                f'<p class="rk-said rk-muted">The gate refused: {escape(reasons)}</p>'
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
    key = f"versions.table.{view.chosen_model()}.{hash(tuple(numbers))}"  # other rows, other selection
    column = st.column_config
    st.dataframe(
        view.version_rows(versions),
        hide_index=True,
        placeholder="–",
        height=min(_TABLE_PX, _ROW_PX * (len(versions) + 1) + 10),
        row_height=_ROW_PX,
        on_select=partial(view.choose_row, key, numbers),
        selection_mode="single-row",
        selection_default=view.first_selection(key, numbers, chosen),
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
        },
        key=key,
    )
    st.caption(
        "Figures are those of each card, measured on parts of its own choice (Card says which): two versions "
        "are compared only on the same images."
    )


def draw_detail(identity: Identity, one: VersionSummary, versions: Sequence[VersionSummary]) -> None:
    """One version: overview, card, gate, or what served when."""
    st.html(
        f'<div class="rk-record"><h2>{escape(view.chosen_model())} v{one.number}'
        f"{''.join(f' · {escape(alias)}' for alias in one.aliases)}</h2></div>"
    )
    st.session_state[view.ASPECT] = view.aspect()
    st.segmented_control("Show", list(view.ASPECTS), format_func=view.ASPECTS.__getitem__, key=view.ASPECT,
                         label_visibility="collapsed", on_change=view.choose_aspect)  # fmt: skip
    match view.aspect():
        case view.CARD:
            st.html(f'<div class="rk-card">{html.card_html(one)}</div>')
        case view.GATE:
            draw_gate(identity, one, versions)
        case view.SERVED:
            draw_served(identity)
        case _:
            st.html(html.overview_html(one))


def draw_gate(identity: Identity, one: VersionSummary, versions: Sequence[VersionSummary]) -> None:
    """What the gate says of this version, and what can be done about it."""
    if one.version is None:
        st.html(f'<p class="rk-said">{escape(one.problem)}</p>')
        return
    if CHAMPION in one.aliases:
        st.caption("It is the champion: the gate compares the others with it.")
        return
    promoting = resources().services.promoting
    model, sets = view.chosen_model(), promoting.sets(identity, view.chosen_model(), one.number)
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
            key=f"{view.SET}.{model}.{one.number}",
        )
    report = promoting.gate(identity, model, one.number, set_digest=digest)
    st.html(html.gate_html(report))
    if may(identity.role, Action.MODELS_PROMOTE):
        draw_promotion(one, versions, report, digest)
    else:
        st.caption("ML engineers promote. The rule is written in docs/promotion.md.")


def draw_promotion(
    one: VersionSummary, versions: Sequence[VersionSummary], report: GateReport, digest: str | None
) -> None:
    """Promote when the gate is green; else ask a second person."""
    model = view.chosen_model()
    aliases = [alias for alias in (CHAMPION, CHALLENGER) if alias not in one.aliases]
    st.text_input(
        "Note" if report.is_green else "Why it should serve all the same",
        key=view.note_key(),
        max_chars=LONGEST_NOTE,
        placeholder="kept for good"
        if report.is_green
        else "needed; a second person reads it and has to consent",
    )
    with st.container(horizontal=True, key="versions-promote"):
        for alias in aliases:
            move = Move(model, one.number, alias, view.pointing(versions, alias), digest)
            st.button(
                f"Promote to {alias}" if report.is_green else f"Ask to override for {alias}",
                key=f"versions.promote.{alias}",
                type="primary" if report.is_green and alias == CHAMPION else "secondary",
                on_click=actions.promote if report.is_green else actions.ask,
                args=(move,),
            )


def draw_served(identity: Identity) -> None:
    """What served at a moment, or when an inspection was made; and every change."""
    serving, model = resources().services.alias_history, view.chosen_model()
    with st.container(horizontal=True, vertical_alignment="bottom", key="versions-served"):
        asked = st.text_input("Champion at (UTC)", key=view.AT, placeholder="2026-03-01 14:00", width=170)
        inspection = st.text_input(
            "When an inspection was made", key=view.INSPECTION, placeholder="its id", width=250
        )
    if asked:
        try:
            at = datetime.strptime(asked.strip(), _MOMENT).replace(tzinfo=UTC)
        except ValueError:
            st.caption(f"Expected a moment such as 2026-03-01 14:00, got {asked[:40]!r}.")
        else:
            st.html(html.served_html(serving.at(identity, model, at)))
    if inspection:
        try:
            st.html(html.inspection_html(serving.of_inspection(identity, inspection.strip())))
        except WorkbenchError as error:
            st.caption(f"{error}.")
    st.html(f'<div class="rk-card">{html.history_html(serving.history(identity, model))}</div>')
