"""The page "How to read this": numbers and marks and their limits, every key, and the inspector's manual."""

import re
from itertools import groupby
from pathlib import Path

import streamlit as st

from app.shared.access import require_page
from app.shared.components.radiograph_viewer.key_table import key_table

TEXT = Path(__file__).with_suffix(".md")
MANUAL = Path(__file__).parents[1] / "docs" / "reading.md"
_PICTURE = re.compile(r"^!\[([^\]]*)\]\(([^)]+)\)$", re.M)
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")
_HEADING = re.compile(r"^#(?=#* )", re.M)


def keys_as_markdown() -> str:
    """The viewer's keys, a table for each group."""
    parts = ["### Keys of the viewer"]
    for group, entries in groupby(key_table(), key=lambda entry: entry.group):
        parts += [
            "",
            f"| {group} | |",
            "|---|---|",
            *(f"| {entry.shows} | {entry.does} |" for entry in entries),
        ]
    return "\n".join(parts)


def draw_in_short() -> None:
    """The meaning of what is on the page, and the keys beside it."""
    left, right = st.columns(2, gap="large")
    left.markdown(TEXT.read_text(encoding="utf-8"))
    with right.container(key="key-table"):
        st.markdown(keys_as_markdown())


def draw_manual() -> None:
    """The manual with its pictures; links to other files of the documentation are plain words here."""
    text, *rest = _PICTURE.split(_HEADING.sub("###", MANUAL.read_text(encoding="utf-8")))
    with st.container(key="manual", width=900):
        st.markdown(_LINK.sub(r"\1", text))
        for told, path, after in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
            st.image(MANUAL.parent / path, caption=told)
            st.markdown(_LINK.sub(r"\1", after))


require_page("how-to-read")
short, manual = st.tabs(["In short, and keys", "Manual"])
with short:
    draw_in_short()
with manual:
    draw_manual()
