"""The page "How to read this": the meaning of numbers and pictures, their limits, and every key."""

from itertools import groupby
from pathlib import Path

import streamlit as st

from app.shared.access import require_page
from app.shared.components.radiograph_viewer.key_table import key_table

TEXT = Path(__file__).with_suffix(".md")


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


require_page("how-to-read")
left, right = st.columns(2, gap="large")
left.markdown(TEXT.read_text(encoding="utf-8"))
with right.container(key="key-table"):
    st.markdown(keys_as_markdown())
