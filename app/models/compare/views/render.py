"""Draws the list of saved views: to open one, to keep what is on show, to rename and delete."""

import streamlit as st

from app.models.compare.state import VIEWS
from app.models.compare.views import actions, state
from app.shared.resources import resources
from core.domain.accounts import Identity
from core.services.evaluation.saved_views import LONGEST_NAME, MODEL, VERSIONS, ListedView


def draw_views(identity: Identity) -> None:
    """The button that opens the list."""
    listed = resources().services.saved_views.all(identity)
    label = f"Views ({len(listed)})" if listed else "Views"
    with st.popover(label, icon=":material/bookmark:", key=f"views.list.{state.n_done()}"):
        for one in listed:
            _draw_view(one)
        if not listed:
            st.caption("Keep what is on show under a name: versions, set, view, filters and order.")
        with st.form("views.new", border=False):
            st.text_input("Name of what is on show", key=state.field("name"), max_chars=LONGEST_NAME)
            st.checkbox("For everybody who compares versions", key=state.field("shared"))
            st.form_submit_button("Save view", on_click=actions.save, key="views.save")


def view_words(one: ListedView) -> str:
    """The content of a view: model, versions, set, and which part of the page."""
    query = one.view.query
    versions = ", ".join(f"v{number}" for number in query.get(VERSIONS, "").split(",") if number)
    parts = (f"{query.get(MODEL, '')} {versions}".strip(), one.set_name, VIEWS.get(query.get("view", ""), ""))
    return " · ".join(filter(None, parts))


def whose_words(one: ListedView) -> str:
    """Whose view it is, where that matters."""
    if not one.is_own:
        return f"by {one.owner}"
    return "for everybody" if one.view.is_shared else ""


def _draw_view(one: ListedView) -> None:
    view_id = one.view.view_id
    with st.container(horizontal=True, vertical_alignment="center", key=f"views.row.{view_id}"):
        st.button(
            one.view.name,
            key=f"views.open.{view_id}",
            type="tertiary",
            icon=":material/bookmark:",
            on_click=actions.open_view,
            args=(one,),
        )
        st.caption(" · ".join(filter(None, (view_words(one), whose_words(one)))))
        if one.is_own and state.edited() != view_id:
            st.button(
                "",
                key=f"views.edit.{view_id}",
                type="tertiary",
                icon=":material/edit:",
                help=f"Rename, share or delete {one.view.name}",
                on_click=actions.edit,
                args=(view_id, one.view.name),
            )
    if one.gone:
        st.caption(f":material/warning: {one.gone} {'are' if ' and ' in one.gone else 'is'} gone")
    if state.edited() == view_id:
        _draw_fields(one)


def _draw_fields(one: ListedView) -> None:
    """What changes one's own view."""
    view_id, is_shared = one.view.view_id, one.view.is_shared
    st.text_input(
        "Another name",
        key=state.RENAMED,
        max_chars=LONGEST_NAME,
    )
    with st.container(horizontal=True, key="views.fields"):
        st.button("Rename", key="views.rename", on_click=actions.rename, args=(view_id,))
        st.button(
            "Keep for me alone" if is_shared else "Show to everybody",
            key="views.share",
            help="Everybody who may compare versions.",
            on_click=actions.share,
            args=(view_id, not is_shared),
        )
        st.button(
            "Delete", key="views.delete", icon=":material/delete:", on_click=actions.delete, args=(view_id,)
        )
        st.button("Cancel", key="views.cancel", type="tertiary", on_click=actions.edit, args=(None,))
