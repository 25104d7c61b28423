"""The form that says how images that are handed in next get their weld, film and position numbers."""

from typing import Any

import streamlit as st

from app.inspection.setup.actions import apply_numbering
from app.inspection.setup.rows import next_numbers
from app.inspection.state import remembered

_COUNTER = "Text with a counter, such as W-{n} or W-{n:03}. Empty: the image gets none."
_PATTERN = (
    "How the files are named, of {weld}, {film} and {position}, such as {weld}_{film}; {any} stands for text "
    "that says nothing. A name that is made up otherwise gets its numbers from the counters."
)


def draw_numbering() -> None:
    """The form, closed until it is wanted."""
    now = remembered().numbers.numbering
    key = f"numbering.{hash(now)}"
    with (
        st.expander(f"Weld, film and position numbers: {next_numbers(now)}"),
        st.form(f"{key}.form", border=False),
    ):
        weld, film, position, first = st.columns([3, 3, 3, 2], gap="small")
        fields: dict[str, Any] = {
            "weld_number": weld.text_input("Weld", now.weld_number, key=f"{key}.weld", help=_COUNTER),
            "film_number": film.text_input("Film", now.film_number, key=f"{key}.film", help=_COUNTER),
            "position": position.text_input("Position", now.position, key=f"{key}.position", help=_COUNTER),
            "first": int(first.number_input("Next n", 0, value=now.first, key=f"{key}.first")),
            "name_pattern": st.text_input(
                "From the file name", now.name_pattern, key=f"{key}.pattern", help=_PATTERN
            ),
        }
        left, right = st.columns([1, 2], gap="small", vertical_alignment="center")
        is_sent = left.form_submit_button("Number", key=f"{key}.apply")
        with_worklist = right.toggle(
            "also those on the worklist without a number", value=False, key=f"{key}.worklist"
        )
    if is_sent:
        apply_numbering(fields, with_worklist=with_worklist)
        st.rerun()
