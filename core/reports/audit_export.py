"""The audit log as CSV for spreadsheets and as JSON lines for programs."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any

from core.audit.canonical import moment_text
from core.audit.event import SealedEvent

_FIELDS = tuple(field.name for field in fields(SealedEvent))
_COLUMNS = (*_FIELDS[:4], "actor", *_FIELDS[4:])
#: A spreadsheet takes a cell that begins with one of these for a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_lines(events: Iterable[tuple[SealedEvent, str]]) -> Iterator[str]:
    """A header and a line for each event with the name of who acted; no field is taken for a formula."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(_COLUMNS)
    yield _taken(buffer)
    for event, actor in events:
        content = _content(event, actor)
        content["details"] = json.dumps(content["details"], sort_keys=True, ensure_ascii=False)
        writer.writerow([_harmless(content[name]) for name in _COLUMNS])
        yield _taken(buffer)


def json_lines(events: Iterable[tuple[SealedEvent, str]]) -> Iterator[str]:
    """One JSON object a line for events and the names of those who acted."""
    for event, actor in events:
        yield json.dumps(_content(event, actor), default=repr) + "\n"


def _content(event: SealedEvent, actor: str) -> dict[str, Any]:
    content = {name: getattr(event, name) for name in _FIELDS}
    content["at"] = None if event.at is None else moment_text(event.at)
    content["actor"] = actor
    return {name: content[name] for name in _COLUMNS}


def _harmless(value: Any) -> Any:
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
