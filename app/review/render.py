"""Draws the second person's page: the queue, the blind reading, both readings side by side."""

import streamlit as st

from app.review import actions, rows, state
from app.shared.components.radiograph_viewer.radiograph_viewer import radiograph_viewer
from app.shared.components.record_table.record_table import record_table
from app.shared.resources import resources
from app.shared.templates import draw_html, draw_said, draw_welcome
from core.domain.accounts import Identity
from core.domain.records import Inspection, ReviewOutcome
from core.services.inspections.own_review import OwnReview, SideBySide

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
    n_waiting = "1 inspection waits" if len(waiting) == 1 else f"{len(waiting)} inspections wait"
    st.caption(f"{n_waiting} for a second person, oldest first. You read each blind: the model and the first "
               "result stay hidden until you have said what you see.")  # fmt: skip
    choices = resources().services.workspace.history.choices(identity)
    record_table(
        rows.COLUMNS,
        rows.queue_rows(waiting, choices.inspectors),
        key=state.TABLE,
        on_open=state.open_chosen,
        label="Inspections that wait for a second person, oldest first",
        below_px=120,
    )


def draw_blind(identity: Identity, own: OwnReview) -> None:
    """The radiograph and the reviewer's own reading, nothing else."""
    inspection = own.reading.inspection
    _draw_bar(inspection, "Blind: draw what you see (n), choose your disposition, then compare.")
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
    """Both readings, what differs, and the form that concludes."""
    inspection = both.first.inspection
    services = resources().services
    record = services.workspace.records.get(identity, inspection.inspection_id)
    first_name = record.name(record.signatures[0].signer_id if record.signatures else inspection.inspector_id)
    stored = services.workspace.images.facts(inspection.image_sha256)
    _draw_bar(inspection, rows.headline(both, first_name))
    draw_html(
        "review/templates/pictures.html",
        pictures=rows.pictures(both, first_name, (stored.width, stored.height)),
        address=f"/records/{inspection.inspection_id}/picture",
    )
    listed, form = st.columns([6, 5], gap="medium")
    with listed, st.container(key="second-review-differences"):
        draw_html("review/templates/places.html", places=rows.places(both))
    with form:
        draw_form(inspection, identity)


def draw_form(inspection: Inspection, identity: Identity) -> None:
    """Concur or return, and the signature."""
    user = resources().services.own_account.find(identity)
    with st.form("second_review.form"):
        st.radio("What do you say of the first result?", list(_OUTCOMES), format_func=_OUTCOMES.__getitem__,
                 key=state.OUTCOME, index=None, horizontal=True)  # fmt: skip
        st.text_area("Note; say why when you return it", key=state.NOTE, height=68, max_chars=2000)
        st.text_input("Your password", type="password", key=state.PASSWORD, autocomplete="current-password")
        st.form_submit_button("Sign as reviewer", type="primary", key="second_review.sign",
                              on_click=actions.conclude, args=(inspection.inspection_id,))  # fmt: skip
        name = f"{user.full_name} ({user.shown_name})" if user.full_name else user.shown_name
        st.caption(f"Signed by {name}. Meaning: reviewed. Time: UTC, when you press the button. "
                   "Nothing about the review changes after that.")  # fmt: skip
    if wrong := state.review_state().wrong:
        st.error(f"Nothing was signed: {wrong}. Your own reading is saved.")


def _draw_bar(inspection: Inspection, words: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="second-review-bar"):
        st.button("Queue", icon=":material/arrow_back:", key="second_review.leave", type="tertiary",
                  on_click=state.leave)  # fmt: skip
        draw_html(
            "review/templates/bar.html",
            part=rows.part_words(inspection),
            name=inspection.image_name,
            words=words,
        )


def _ignore() -> None:
    """There is one image and no threshold here."""
