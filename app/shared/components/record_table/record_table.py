"""A table of records with thumbnails: rows are links, arrow keys go from row to row."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one cell.

    Attributes:
        text: the first line.
        more: the second line, smaller.
        mark: how the text is set off, beside what it says: accept, reject, review, hidden, or "".
    """

    text: str
    more: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class RecordRow:
    """One record.

    Attributes:
        key: what is reported when it is opened.
        address: leads to it in another tab.
        label: what a screen reader says of it.
        thumbnail: address of a small picture, None where none is shown.
        cells: one for each column.
    """

    key: str
    address: str
    label: str
    thumbnail: str | None
    cells: tuple[Cell, ...]


@cache
def _component() -> Callable[..., Any]:
    return st.components.v2.component(
        "radikal_record_table",
        html='<div class="records" tabindex="-1"></div>',
        css=(_FOLDER / "record_table.css").read_text(encoding="utf-8"),
        js=(_FOLDER / "record_table.js").read_text(encoding="utf-8"),
    )


def record_table(
    columns: Sequence[str],
    rows: Sequence[RecordRow],
    *,
    key: str,
    on_open: Callable[[], None],
    chosen: str | None = None,
    label: str = "",
    below_px: int = 190,
) -> None:
    """Draw the table.

    Args:
        columns: heads, without that of the thumbnails.
        rows: in order.
        key: widget key.
        on_open: the visitor opened a row; its key is the event `open`.
        chosen: key of the row that is open.
        label: what the table is, for screen readers.
        below_px: of the window's height that other things need.
    """
    _component()(data=table_data(columns, rows, chosen=chosen, label=label, below_px=below_px), key=key,
                 on_open_change=on_open)  # fmt: skip


def table_data(
    columns: Sequence[str],
    rows: Sequence[RecordRow],
    *,
    chosen: str | None = None,
    label: str = "",
    below_px: int = 190,
) -> Mapping[str, Any]:
    """What the browser is told."""
    return {
        "columns": list(columns),
        "rows": [
            {
                "key": row.key,
                "address": row.address,
                "label": row.label,
                "thumbnail": row.thumbnail,
                "cells": [[cell.text, cell.more, cell.mark] for cell in row.cells],
            }
            for row in rows
        ],
        "chosen": chosen,
        "label": label,
        "below": below_px,
    }
