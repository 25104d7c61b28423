"""Draws the second person's page: the queue, the blind reading, both readings side by side."""

import streamlit as st

from app.review import actions, comparison, rows, state
from app.shared.components.radiograph_pair.radiograph_pair import radiograph_pair
from app.shared.components.radiograph_viewer.radiograph_viewer import radiograph_viewer
from app.shared.components.record_table.record_table import record_table
from app.shared.resources import resources
from app.shared.templates import draw_html, draw_said, draw_welcome
from core.domain.accounts import Identity
from core.domain.records import Inspection, ReviewOutcome
from core.services.inspections.own_review import OwnReview, SideBySide
from core.standards.rule_set import RuleSet

_OUTCOMES = {
    ReviewOutcome.CONCURS.value: "Concur with the first result",
    ReviewOutcome.RETURNS.value: "Return it to its inspector",
}


def draw_queue(identity: Identity) -> None:
    """The inspections that others signed, oldest first."""
    waiting = actions.reviews().queue(identity)
    draw_said(state.review_state().said)
    if not waiting:
        draw_welcome("Nothing waits for a second person")
        st.caption("What others sign appears here. You read it blind, compare, and sign. Your own "
                   "inspections go to somebody else.")  # fmt: skip
        return
    st.markdown(f"**{rows.waiting_words(waiting)}**")
    st.caption("You read each blind: the model and the first result stay hidden until you have said what you "
               "see.")  # fmt: skip
    choices = resources().services.workspace.history.choices(identity)
    record_table(
        rows.COLUMNS,
        rows.queue_rows(waiting, choices.inspectors, _tables()),
        key=state.TABLE,
        on_open=state.open_chosen,
        label="Inspections that wait for a second person, oldest first",
        below_px=120,
    )


def draw_blind(identity: Identity, own: OwnReview) -> None:
    """The radiograph and the reviewer's own reading, nothing else."""
    inspection = own.reading.inspection
    words = "Blind: draw what you see (b), choose your disposition, then compare."
    if own.blind is not None:
        words = (
            f"Opened again: {own.blind.reason}. What you said blind ({own.blind.disposition.word}) stays in "
            "the record. Change your reading or disposition, then compare."
        )
    _draw_bar(inspection, words)
    images = resources().services.workspace.images
    radiograph = images.load(inspection.image_sha256, polarity=inspection.polarity)
    radiograph_viewer(
        rows.blind_data(own, radiograph, identity, refused=state.review_state().refused),
        key=state.VIEWER,
        on_open=_ignore,
        on_remove=_ignore,
        on_threshold=_ignore,
        on_reading=actions.save,
        on_decision=actions.decide,
        on_sign=actions.unveil,
    )


def draw_both(identity: Identity, both: SideBySide) -> None:
    """Both readings on linked viewers, the list of places, and the two ways on: change or conclude."""
    inspection = both.first.inspection
    services = resources().services
    record = services.workspace.records.get(identity, inspection.inspection_id)
    first_name = record.name(record.signatures[0].signer_id if record.signatures else inspection.inspector_id)
    stored = services.workspace.images.facts(inspection.image_sha256)
    with st.container(horizontal=True, vertical_alignment="center", key="second-review-bar"):
        _draw_leave()
        draw_html(
            "review/templates/both.html",
            part=rows.part_words(inspection, _tables()),
            said=comparison.dispositions(both),
            counts=comparison.headline(both),
        )
        with st.popover("Change my reading", key="second-review-change"):
            draw_change(both)
        with st.popover("Conclude and sign", key="second-review-conclude", type="primary"):
            draw_form(both, identity)
    radiograph_pair(comparison.pair_data(both, first_name, stored), key=state.PAIR, on_step=_ignore)


def draw_change(both: SideBySide) -> None:
    """Open the own reading again, with a reason."""
    with st.form("second_review.change", border=False):
        st.caption("Your own reading is opened again as a new version. The blind one stays in the record and "
                   "in the report, with your reason.")  # fmt: skip
        st.text_area("Why do you change your own reading?", key=state.REASON, height=68, max_chars=500)
        st.form_submit_button(
            "Open my reading again",
            key="second_review.change.send",
            on_click=actions.change_own,
            args=(both.first.inspection.inspection_id, both.own.decision_version),
        )
    if wrong := state.review_state().not_changed:
        st.error(f"Nothing was changed: {wrong}.")


def draw_form(both: SideBySide, identity: Identity) -> None:
    """Concur or return, as far as each is possible, and the signature."""
    inspection_id, why_not = both.first.inspection.inspection_id, both.why_not_concur
    services = resources().services
    user, (_, certified) = services.own_account.find(identity), services.certificates.own(identity)
    outcomes = [one for one in _OUTCOMES if one != ReviewOutcome.CONCURS.value or not why_not]
    with st.form("second_review.form", border=False):
        if why_not:
            st.warning(f"You cannot concur: {why_not}.")
        st.radio("What do you say of the first result?", outcomes, format_func=_OUTCOMES.__getitem__,
                 key=state.OUTCOME, index=None)  # fmt: skip
        st.text_area("Note; say why when you return it", key=state.NOTE, height=68, max_chars=2000)
        st.text_input("Your password", type="password", key=state.PASSWORD, autocomplete="current-password")
        st.form_submit_button("Sign as reviewer", type="primary", key="second_review.sign",
                              disabled=not certified.may_sign,
                              on_click=actions.conclude, args=(inspection_id,))  # fmt: skip
        name = f"{user.full_name} ({user.shown_name})" if user.full_name else user.shown_name
        st.caption(f"Signed by {name}. Certificate: {certified.fact}. Meaning: reviewed. Time: UTC, when you "
                   "press the button. Nothing about the review changes after that.")  # fmt: skip
    if told := certified.refusal:
        st.warning(f"{told[:1].upper()}{told[1:]}.")
    if wrong := state.review_state().wrong:
        st.error(f"Nothing was signed: {wrong}. Your own reading is saved.")


def _tables() -> tuple[RuleSet, ...]:
    """The acceptance tables, for their titles."""
    return resources().services.workspace.judging.rule_sets()


def _draw_leave() -> None:
    st.button("Queue", icon=":material/arrow_back:", key="second_review.leave", type="tertiary",
              on_click=state.leave)  # fmt: skip


def _draw_bar(inspection: Inspection, words: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="second-review-bar"):
        _draw_leave()
        draw_html(
            "review/templates/bar.html",
            part=rows.part_words(inspection, _tables()),
            name=inspection.image_name,
            words=words,
        )


def _ignore() -> None:
    """There is one image and no threshold here."""
