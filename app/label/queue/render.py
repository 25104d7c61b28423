"""Draws the page with the queue of corrections."""

import streamlit as st

from app.label.importing.render import draw_link
from app.label.queue import actions, state
from app.label.queue.rows import (
    COLUMNS,
    NARROW,
    compared_words,
    count_words,
    counts_words,
    reason_words,
    rows,
    state_words,
)
from app.label.routes import EXPORT_ADDRESS
from app.shared.components.record_table.record_table import record_table
from app.shared.job_progress import draw_job
from app.shared.lists.render import draw_turns
from app.shared.navigation import LABEL_IMAGE, page_at
from app.shared.place_notes import draw_notes
from app.shared.resources import resources
from app.shared.templates import draw_html, draw_welcome
from core.domain.accounts import Identity
from core.domain.correction import REASON_WORDS, Reason
from core.domain.errors import UnknownRecordError
from core.domain.kinds import MODEL_NAMES
from core.domain.permissions import Action, may
from core.labelling.entries import LabelFormat
from core.services.inspections.correction_queue import COMPARED_IMAGES, DISAGREE, QueuePage
from core.store.queue import QueueItem, QueueState

PAGE_ROWS = 50
_FORMATS = {form: form.words for form in LabelFormat}
_SOURCES = (
    "Images come here by themselves: when an inspector adds, dismisses or changes what the model reported, "
    "when two readers differ, when champion and challenger differ, and where the model's probability is near "
    "its operating point. A reviewer or ML engineer sends others from Compare."
)


def draw_filter() -> None:
    """The widgets of the filter, and the ways to files and labels."""
    state.prepare_filter()
    with st.container(horizontal=True, vertical_alignment="bottom", key="queue-bar"):
        st.text_input("Find", key=state.TEXT, placeholder="image name", width=190)
        st.selectbox("State", [one.value for one in QueueState], key=state.STATE, index=None, width=130,
                     placeholder="any")  # fmt: skip
        st.selectbox("Why", [one.value for one in Reason], key=state.REASON, index=None, width=330,
                     placeholder="any", format_func=lambda one: REASON_WORDS[Reason(one)])  # fmt: skip
        st.selectbox("Model", MODEL_NAMES, key=state.MODEL, index=None, width=130, placeholder="any")
        st.checkbox("meant for me", key=state.MINE)
        draw_files()
        st.page_link(page_at("label").file, label="Label the next", icon=":material/play_arrow:")


def draw_files() -> None:
    """Labels out and in as files, folded."""
    with st.popover("Files", icon=":material/folder_zip:", key="label-files"):
        draw_html("label/queue/templates/downloads.html", names=_FORMATS, address=EXPORT_ADDRESS)
        st.caption(
            "COCO, VOC, CVAT and LabelMe come back exactly; YOLO keeps no ISO 6520-1 numbers, kinds and own "
            "classes. Originals keep every bit."
        )
        draw_link()


def draw_pager(page: QueuePage) -> None:
    """The number of items, more and less urgent ones."""
    pages = state.corrections_state().pages
    with st.container(horizontal=True, vertical_alignment="center", key="queue-pager"):
        st.markdown(count_words(page, pages.range_words(len(page.items), PAGE_ROWS)))
        draw_turns(pages, page.next_place, key="queue", back=("before", "More urgent"),
                   on=("after", "Less urgent"))  # fmt: skip
        st.caption(counts_words(page))


def draw_comparing(identity: Identity) -> None:
    """The button that compares champion and challenger, and the progress of that."""
    jobs = resources().services.jobs
    latest = [] if identity.is_guest else jobs.latest(identity, kinds=[DISAGREE], limit=1)
    is_active = bool(latest) and latest[0].state.is_active
    if is_active:
        draw_job(latest[0].job_id, title="Champion and challenger on recent images", has_log=False)
    elif may(identity.role, Action.JOBS_MANAGE):
        with st.container(horizontal=True, vertical_alignment="center", key="queue-compare"):
            st.button(f"Compare champion and challenger on {COMPARED_IMAGES} recent images",
                      icon=":material/compare_arrows:", key="queue.compare", on_click=actions.compare,
                      type="tertiary")  # fmt: skip
            if latest:
                st.caption(compared_words(latest[0]))


def draw_table(page: QueuePage, chosen: str | None) -> None:
    """The items, or the meaning of an empty list."""
    if not page.items:
        draw_welcome("Nothing is like this" if page.counts else "Nobody disagrees yet", _SOURCES)
        return
    record_table(
        COLUMNS if chosen is None else NARROW,
        rows(page, is_wide=chosen is None),
        key=state.TABLE,
        on_open=state.open_chosen,
        chosen=chosen,
        label="Images to be looked at, the most urgent first",
    )


def draw_chosen(page: QueuePage, identity: Identity, item_id: str) -> None:
    """One item beside the list."""
    st.button("Close", icon=":material/close:", key="queue.close", type="tertiary", on_click=state.close)
    try:
        draw_item(actions.queue_of(identity).get(identity, item_id), page, identity)
    except UnknownRecordError:
        st.caption("There is no such item; the address may be of another product or shortened.")


def draw_item(item: QueueItem, page: QueuePage, identity: Identity) -> None:
    """One item and the actions on it."""
    draw_html(
        "label/queue/templates/item.html",
        item=item,
        reason=_upper(reason_words(item, page)),
        state=state_words(item, page),
    )
    notes = resources().services.workspace_of(identity).notes.of_images(identity, [item.image_sha256])
    draw_notes(notes, notes.threads.get(item.image_sha256, ()))
    st.page_link(page_at("label").file, label="Label this image", icon=":material/select:",
                 query_params={LABEL_IMAGE: item.image_sha256})  # fmt: skip
    if item.state is QueueState.OPEN:
        _draw_open(item, identity)
    else:
        st.button("Open it again", key="queue.reopen", on_click=actions.reopen,
                  args=(item.item_id, item.version))  # fmt: skip


def _upper(words: str) -> str:
    return words[:1].upper() + words[1:]


def _draw_open(item: QueueItem, identity: Identity) -> None:
    workers = dict(actions.queue_of(identity).workers(identity))
    state.prepare_assignee(item, workers)
    st.selectbox("Meant for", list(workers), key=state.WHO, index=None, placeholder="anybody",
                 format_func=workers.__getitem__, on_change=actions.assign,
                 args=(item.item_id, item.version))  # fmt: skip
    with st.form("queue.skip", border=False):
        st.text_input("Skip it, because", key=state.WHY, max_chars=300)
        st.form_submit_button("Skip", on_click=actions.skip, args=(item.item_id, item.version))
