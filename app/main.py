"""Streamlit entry: page setup, navigation, run."""

from pathlib import Path

import streamlit as st

from app.header import draw_header
from app.navigation import GUEST, pages_for
from app.state import chosen_model, prepare_choices

st.set_page_config(
    page_title="RadiKal",
    page_icon=str(Path(__file__).with_name("mark.svg")),
    layout="wide",
    initial_sidebar_state="collapsed",
    menu_items={"Get help": None, "Report a bug": None, "About": None},
)
st.logo(str(Path(__file__).with_name("logo.svg")), size="small")
sections: dict[str, list[st.Page]] = {}
for entry in pages_for(GUEST):
    is_first = not entry.url_path
    page = st.Page(
        entry.file, title=entry.title, icon=entry.icon, url_path=entry.url_path or None, default=is_first
    )
    sections.setdefault(entry.section, []).append(page)
current = st.navigation([page for pages in sections.values() for page in pages], position="top")
prepare_choices()
draw_header(chosen_model())
current.run()
