"""The viewer's keys as the manual lists them, read from the table that the viewer itself works by."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_TABLE = Path(__file__).with_name("keys.js")
_ROW = re.compile(r'\{ group: "(?P<group>[^"]+)", shows: "(?P<shows>[^"]+)", does: "(?P<does>[^"]+)"')


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One line of the table.

    Attributes:
        group: heading it stands under.
        shows: keys or mouse, as they are printed.
        does: their effect.
    """

    group: str
    shows: str
    does: str


@cache
def key_table() -> tuple[KeyEntry, ...]:
    """Every key in the viewer's own order."""
    return tuple(KeyEntry(**found.groupdict()) for found in _ROW.finditer(_TABLE.read_text(encoding="utf-8")))
