"""Classes: those that an admin adds to the classes of the models, for labels."""

import streamlit as st

from app.admin.classes import render
from app.admin.classes.state import chosen
from app.shared.access import require_page
from app.shared.resources import resources


def draw() -> None:
    """Draw the page."""
    identity = require_page("classes")
    classes = resources().services.workspace.own_classes.all(identity)
    table, form = st.columns([7, 3], gap="small")
    own = chosen(classes)
    with table:
        render.draw_table(classes, own)
    with form:
        if own is None:
            render.draw_add_form()
        else:
            render.draw_change_form(own)


draw()
