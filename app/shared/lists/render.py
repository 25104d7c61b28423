"""Draws lists: tables in one style, tables whose selected row is opened, buttons that turn pages."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import streamlit as st

from app.shared.lists.state import Id, Place, TurnedPages, first_selection, selected

ROW_PX = 28


def draw_rows(rows: Sequence[dict[str, Any]], *, key: str, most_px: int, **options: Any) -> None:
    """A table as high as its rows, at most `most_px`; `options` are those of `st.dataframe`."""
    st.dataframe(
        rows,
        hide_index=True,
        placeholder="–",
        row_height=ROW_PX,
        height=min(most_px, ROW_PX * (len(rows) + 1) + 10),
        key=key,
        **options,
    )


def draw_choice(
    rows: Sequence[dict[str, Any]],
    ids: Sequence[Id],
    *,
    chosen: Id | None,
    on_choose: Callable[[Id | None], None],
    key: str,
    most_px: int,
    **options: Any,
) -> None:
    """A table of which one row can be selected.

    Args:
        rows: of the table.
        ids: of the rows. Other rows need another `key`: a selection counts rows.
        chosen: the row that is selected at first.
        on_choose: called with the id of the row that was selected, None when none is any more.
        key: widget key.
        most_px: height.
        options: of `st.dataframe`.
    """
    draw_rows(
        rows,
        key=key,
        most_px=most_px,
        on_select=partial(_choose, key, ids, on_choose),
        selection_mode="single-row",
        selection_default=first_selection(key, ids, chosen),
        **options,
    )


def _choose(table: str, ids: Sequence[Id], on_choose: Callable[[Id | None], None]) -> None:
    on_choose(selected(table, ids))


def draw_turns(
    pages: TurnedPages[Any, Place],
    after: Place | None,
    *,
    key: str,
    back: tuple[str, str] = ("newer", "Newer"),
    on: tuple[str, str] = ("older", "Older"),
) -> None:
    """The buttons that go to the page before and the page after.

    Args:
        pages: that were turned.
        after: where the page after begins, None when there is none.
        key: page of the widget keys.
        back: last part of the key and label of the way back.
        on: the same of the way on.
    """
    st.button(back[1], icon=":material/chevron_left:", key=f"{key}.{back[0]}", type="tertiary",
              disabled=len(pages.places) == 1, on_click=pages.turn, args=(None,))  # fmt: skip
    st.button(on[1], icon=":material/chevron_right:", key=f"{key}.{on[0]}", type="tertiary",
              disabled=after is None, on_click=pages.turn, args=(after,))  # fmt: skip
