"""A table of records with thumbnails: rows are links, arrow keys go from row to row."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from app.shared.components.scripts import component


@dataclass(frozen=True, slots=True)
class Cell:
    """The text of one cell.

    Attributes:
        text: the first line.
        more: the second line, smaller.
        mark: sets the text off: accept, reject, refer, repair, re-shoot, hidden, or "".
        is_long: the text goes on in further lines instead of being cut off.
    """

    text: str
    more: str = ""
    mark: str = ""
    is_long: bool = False


@dataclass(frozen=True, slots=True)
class RecordRow:
    """One record.

    Attributes:
        key: is reported when it is opened.
        address: leads to it in another tab.
        label: its name for screen readers.
        thumbnail: address of a small picture, None where none is shown.
        cells: one for each column.
    """

    key: str
    address: str
    label: str
    thumbnail: str | None
    cells: tuple[Cell, ...]


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
        label: name of the table for screen readers.
        below_px: of the window's height that other things need.
    """
    data = {
        "columns": list(columns),
        "rows": [asdict(row) for row in rows],
        "chosen": chosen,
        "label": label,
        "below": below_px,
    }
    component("record_table")(data=data, key=key, on_open_change=on_open)
