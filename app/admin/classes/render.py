"""Draws the page of own classes."""

from collections.abc import Sequence

import streamlit as st

from app.admin.classes import actions, state
from app.shared.lists.render import draw_choice
from app.shared.templates import draw_said
from core.domain.indication import IndicationClass
from core.domain.own_classes import OwnClass

_FIRST_COLOUR = "#e0a040"
_TABLE_PX = 690
_ABOUT = (
    "Own classes stand in the editor of labels beside those of the models. Models learn a label of an own "
    "class as the class that it stands for. Where it stands for none, they ignore its boxes, and the data "
    "version says how many."
)


def draw_table(classes: Sequence[OwnClass], chosen: OwnClass | None) -> None:
    """The classes; the one that is selected is shown beside them."""
    st.caption(_ABOUT)
    if not classes:
        st.caption("There is no own class yet.")
        return
    codes = [own.code for own in classes]
    rows = [
        {
            "Code": own.code,
            "Name": own.name,
            "Colour": own.colour,
            "Models learn it as": own.stands_for.value if own.stands_for else "nothing: ignored",
            "State": "offered" if own.is_offered else "retired",
        }
        for own in classes
    ]
    draw_choice(
        rows,
        codes,
        chosen=chosen.code if chosen else None,
        on_choose=state.choose,
        key=f"classes.table.{hash(tuple(codes))}",  # other rows, other selection: it counts rows
        most_px=_TABLE_PX,
    )


def draw_add_form() -> None:
    """The form for another class."""
    draw_last()
    with st.form("classes.add", enter_to_submit=True):
        st.markdown("**Add a class**")
        st.text_input("Code", key=state.form_key("new", "code"), placeholder="such as TS", max_chars=12,
                      autocomplete="off", help="Capitals, digits and hyphens; it never changes.")  # fmt: skip
        st.text_input("Name", key=state.form_key("new", "name"), placeholder="such as tungsten splash",
                      max_chars=40, autocomplete="off")  # fmt: skip
        st.color_picker("Colour", _FIRST_COLOUR, key=state.form_key("new", "colour"))
        st.selectbox("Models learn it as", [state.UNKNOWN, *(one.value for one in IndicationClass)],
                     key=state.form_key("new", "stands_for"), help="It never changes.")  # fmt: skip
        st.form_submit_button("Add", type="primary", on_click=actions.add, key="classes.add.send")


def draw_change_form(own: OwnClass) -> None:
    """The form to change one."""
    draw_last()
    with st.form("classes.change", enter_to_submit=True):
        st.markdown(f"**{own.code}**")
        st.text_input("Name", own.name, key=state.form_key(own.code, "name"), max_chars=40)
        st.color_picker("Colour", own.colour, key=state.form_key(own.code, "colour"))
        st.checkbox("Offered in the editor", own.is_offered, key=state.form_key(own.code, "is_offered"),
                    help="Labels that bear it keep it either way.")  # fmt: skip
        st.form_submit_button("Save", type="primary", on_click=actions.change, args=(own,),
                              key="classes.change.send")  # fmt: skip
    st.button("Add another class", key="classes.new", on_click=state.choose, args=(None,), type="tertiary")


def draw_last() -> None:
    """The line about the last action."""
    if said := state.classes_state().said:
        draw_said(said, style="rk-menu")
