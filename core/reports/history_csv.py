"""The history of inspections as CSV for spreadsheets."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping

from core.store.inspection_history import HistoryEntry

COLUMNS = ("inspection_id", "made_at_utc", "part", "weld_number", "image_name", "image_sha256", "found",
           "disposition", "state", "standard", "quality_level", "model", "model_version", "inspector",
           "revision_of", "reshoot_reason", "override")  # fmt: skip
#: A spreadsheet takes a cell that begins with one of these for a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_lines(
    entries: Iterable[HistoryEntry],
    names: Mapping[str, str],
    *,
    hidden: Iterable[str] = (),
    hidden_text: str = "hidden",
) -> Iterator[str]:
    """A header and a line for each inspection; no field is taken for a formula.

    Args:
        entries: in the order of the file.
        names: of inspectors by id; whoever is not among them is named by the id.
        hidden: ids of inspections whose result is not told.
        hidden_text: stands there instead.
    """
    blind = frozenset(hidden)
    yield _line(COLUMNS)
    for one in entries:
        is_hidden = one.inspection_id in blind
        counts = [f"{kind.value} {count}" for kind, count in one.found.items()]
        found = "; ".join([*counts, *([f"not assessed {one.n_open}"] if one.n_open else [])])
        values = (
            one.inspection_id,
            f"{one.created_at:%Y-%m-%d %H:%M:%S}",
            one.part,
            one.weld_number,
            one.image_name,
            one.image_sha256,
            hidden_text if is_hidden else found,
            hidden_text if is_hidden else (one.disposition.word if one.disposition else ""),
            one.state.value,
            one.standard or "",
            one.quality_level or "",
            one.model_name,
            str(one.model_version),
            names.get(one.inspector_id, one.inspector_id) if one.inspector_id else "",
            one.revision_of or "",
            "" if is_hidden or one.reshoot_reason is None else one.reshoot_reason.value,
            "" if is_hidden or one.override is None else one.override.words,
        )
        yield _line([f"'{value}" if value.startswith(_FORMULA_STARTS) else value for value in values])


def _line(values: Iterable[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(values)
    return buffer.getvalue().encode("utf-8", "backslashreplace").decode("utf-8")
