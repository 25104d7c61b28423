"""Draws the parts of the page with the queue of corrections."""

from html import escape

import streamlit as st

from app.label.label_files_view import draw_files
from app.label.label_view import IMAGE
from app.label.queue import queue_view as view
from app.shared.job_progress import draw_job
from app.shared.navigation import page_at
from app.shared.resources import MODELS, resources
from core.domain.accounts import Identity
from core.domain.correction import REASON_WORDS, Reason
from core.domain.permissions import Action, may
from core.services.inspections.correction_queue import COMPARED_IMAGES, DISAGREE, QueuePage
from core.store.queue import QueueItem, QueueState

_NOTHING = (
    '<div class="rk-welcome"><h1>{title}</h1><p class="rk-muted">Images come here by themselves: when an '
    "inspector adds, dismisses or changes what the model reported, when two readers differ, when champion "
    "and challenger differ, and where the model's probability is near its operating point.</p></div>"
)


def draw_filter() -> None:
    """What is looked for."""
    view.prepare_filter()
    with st.container(horizontal=True, vertical_alignment="bottom", key="queue-bar"):
        st.text_input("Find", key=view.TEXT, placeholder="image name", width=190)
        st.selectbox("State", [one.value for one in QueueState], key=view.STATE, index=None, width=130,
                     placeholder="any")  # fmt: skip
        st.selectbox("Why", [one.value for one in Reason], key=view.REASON, index=None, width=330,
                     placeholder="any", format_func=lambda one: REASON_WORDS[Reason(one)])  # fmt: skip
        st.selectbox("Model", MODELS, key=view.MODEL, index=None, width=130, placeholder="any")
        st.checkbox("meant for me", key=view.MINE)
        draw_files()
        st.page_link(page_at("label").file, label="Label the next", icon=":material/play_arrow:")


def draw_pager(page: QueuePage) -> None:
    """How many there are, which, more and less urgent ones."""
    with st.container(horizontal=True, vertical_alignment="center", key="queue-pager"):
        st.markdown(view.count_words(page))
        st.button("More urgent", icon=":material/chevron_left:", key="queue.before", type="tertiary",
                  disabled=len(view.view_state().pages) == 1, on_click=view.turn_page,
                  args=(None,))  # fmt: skip
        st.button("Less urgent", icon=":material/chevron_right:", key="queue.after", type="tertiary",
                  disabled=page.next_place is None, on_click=view.turn_page,
                  args=(page.next_place,))  # fmt: skip
        st.caption(view.counts_words(page))


def draw_comparing(identity: Identity) -> None:
    """The button that has champion and challenger compared, and how far that is."""
    jobs = resources().services.jobs
    latest = [] if identity.is_guest else jobs.latest(identity, kinds=[DISAGREE], limit=1)
    is_active = bool(latest) and latest[0].state.is_active
    if is_active:
        draw_job(latest[0].job_id, title="Champion and challenger on recent images", has_log=False)
    elif may(identity.role, Action.JOBS_MANAGE):
        with st.container(horizontal=True, vertical_alignment="center", key="queue-compare"):
            st.button(f"Compare champion and challenger on {COMPARED_IMAGES} recent images",
                      icon=":material/compare_arrows:", key="queue.compare", on_click=view.compare_event,
                      type="tertiary")  # fmt: skip
            if latest:
                st.caption(view.compared_words(latest[0]))


def draw_nothing(page: QueuePage) -> None:
    """What the empty list means."""
    st.html(_NOTHING.format(title="Nothing is like this" if page.counts else "Nobody disagrees yet"))


def draw_item(item: QueueItem, page: QueuePage, identity: Identity) -> None:
    """One item beside the list, and what can be done with it."""
    st.button("Close", icon=":material/close:", key="queue.close", type="tertiary", on_click=view.close)
    boxes = "".join(
        f"<tr><td>{escape(one.indication_class.value)}</td><td>{_probability(one.probability)}</td>"
        f"<td>{escape(one.origin.value)}</td><td>{escape(one.remark)}</td></tr>"
        for one in item.boxes
    )
    st.html(
        f'<div class="rk-record"><h2>{escape(item.image_name)}</h2>'
        f'<p class="rk-said">{escape(REASON_WORDS[item.reason].capitalize())} · '
        f"priority {item.priority:.2f} · {escape(view.state_words(item, page))}"
        f"{f': {escape(item.note)}' if item.note else ''}</p>"
        '<table class="rk-found"><thead><tr><th>class</th><th>p</th><th>drawn by</th><th></th></tr></thead>'
        f"<tbody>{boxes}</tbody></table></div>"
    )
    st.page_link(page_at("label").file, label="Label this image", icon=":material/select:",
                 query_params={IMAGE: item.image_sha256})  # fmt: skip
    if item.state is QueueState.OPEN:
        _draw_open(item, identity)
    else:
        st.button("Open it again", key="queue.reopen", on_click=view.reopen_event,
                  args=(item.item_id, item.version))  # fmt: skip


def _draw_open(item: QueueItem, identity: Identity) -> None:
    workers = dict(view.service(identity).workers(identity))
    st.session_state.setdefault(view.WHO, item.assigned_to if item.assigned_to in workers else None)
    st.selectbox("Meant for", list(workers), key=view.WHO, index=None, placeholder="anybody",
                 format_func=workers.__getitem__, on_change=view.assign_event,
                 args=(item.item_id, item.version))  # fmt: skip
    with st.form("queue.skip", border=False):
        st.text_input("Skip it, because", key=view.WHY, max_chars=300)
        st.form_submit_button("Skip", on_click=view.skip_event, args=(item.item_id, item.version))


def _probability(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
