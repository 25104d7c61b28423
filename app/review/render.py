"""Draws the parts of the second person's page."""

from html import escape

import streamlit as st

from app.review import second_review_view as view
from app.review import side_by_side
from app.shared.components.radiograph_viewer.radiograph_viewer import radiograph_viewer
from app.shared.components.record_table.record_table import record_table
from app.shared.resources import resources
from core.domain.accounts import Identity
from core.domain.reading import Setup, setup_from
from core.domain.records import Inspection, ReviewOutcome
from core.services.inspections.own_review import OwnReview, SideBySide

_OUTCOMES = {
    ReviewOutcome.CONCURS.value: "Concur with the first result",
    ReviewOutcome.RETURNS.value: "Return it to its inspector",
}
_NOTHING = '<div class="rk-welcome"><h1>Nothing waits for a second person</h1></div>'


def draw_queue(identity: Identity) -> None:
    """What others signed, oldest first."""
    waiting = view.service().queue(identity)
    if said := view.review_state().said:
        st.html(f'<p class="rk-said" role="status">{escape(said)}</p>')
    if not waiting:
        st.html(_NOTHING)
        st.caption("What others sign appears here. You read it blind, compare, and sign. Your own "
                   "inspections go to somebody else.")  # fmt: skip
        return
    n_waiting = "1 inspection waits" if len(waiting) == 1 else f"{len(waiting)} inspections wait"
    st.caption(f"{n_waiting} for a second person, oldest first. You read each blind: the model and the first "
               "result stay hidden until you have said what you see.")  # fmt: skip
    choices = resources().services.workspace.history.choices(identity)
    record_table(
        view.COLUMNS,
        view.queue_rows(waiting, choices.inspectors),
        key=view.TABLE,
        on_open=view.open_event,
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
        view.blind_data(own, radiograph, identity),
        key=view.VIEWER,
        on_open=_ignore,
        on_remove=_ignore,
        on_threshold=_ignore,
        on_reading=view.save_event,
        on_decision=view.decide_event,
        on_sign=view.unveil_event,
    )


def draw_both(identity: Identity, both: SideBySide) -> None:
    """Both readings, what differs, and the form that concludes."""
    inspection = both.first.inspection
    services = resources().services
    record = services.workspace.records.get(identity, inspection.inspection_id)
    first_name = record.name(record.signatures[0].signer_id if record.signatures else inspection.inspector_id)
    stored = services.workspace.images.facts(inspection.image_sha256)
    _draw_bar(inspection, side_by_side.headline(both, first_name))
    st.html(side_by_side.pictures(both, first_name, (stored.width, stored.height)))
    listed, form = st.columns([6, 5], gap="medium")
    with listed, st.container(key="second-review-differences"):
        st.html(side_by_side.differences(both))
    with form:
        draw_form(inspection, identity)


def draw_form(inspection: Inspection, identity: Identity) -> None:
    """Concur or return, and the signature."""
    user = resources().services.own_account.find(identity)
    with st.form("second_review.form"):
        st.radio("What do you say of the first result?", list(_OUTCOMES), format_func=_OUTCOMES.__getitem__,
                 key=view.OUTCOME, index=None, horizontal=True)  # fmt: skip
        st.text_area("Note; say why when you return it", key=view.NOTE, height=68, max_chars=2000)
        st.text_input("Your password", type="password", key=view.PASSWORD, autocomplete="current-password")
        st.form_submit_button("Sign as reviewer", type="primary", key="second_review.sign",
                              on_click=view.conclude, args=(inspection.inspection_id,))  # fmt: skip
        name = f"{user.full_name} ({user.shown_name})" if user.full_name else user.shown_name
        st.caption(f"Signed by {name}. Meaning: reviewed. Time: UTC, when you press the button. "
                   "Nothing about the review changes after that.")  # fmt: skip
    if wrong := view.review_state().wrong:
        st.error(f"Nothing was signed: {wrong}. Your own reading is saved.")


def _draw_bar(inspection: Inspection, words: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="second-review-bar"):
        st.button("Queue", icon=":material/arrow_back:", key="second_review.leave", type="tertiary",
                  on_click=view.leave)  # fmt: skip
        st.html(f'<p class="rk-bar"><b>{escape(_part(inspection))}</b> '
                f'<span class="rk-muted">{escape(inspection.image_name)} · {words}</span></p>')  # fmt: skip


def _part(inspection: Inspection) -> str:
    setup: Setup = setup_from(inspection.setup)
    rule = f"{inspection.standard} {inspection.quality_level or ''}".strip() if inspection.standard else ""
    lengths = f"t {setup.wall_mm:g} mm" if setup.wall_mm else ""
    named = (setup.part, setup.weld_number and f"weld {setup.weld_number}", setup.material, lengths, rule)
    return " · ".join(filter(None, named)) or "no part named"


def _ignore() -> None:
    """There is one image and no threshold here."""
