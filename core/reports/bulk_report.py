"""The readings of an archive as one HTML page that needs nothing beside it."""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from core.domain.familiarity import NOT_VERIFIED

MOST_SHOWN = 200
_TEMPLATE = Path(__file__).with_name("bulk_report.html")


def most_telling(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows of pictures with the highest probability, at most `MOST_SHOWN`."""
    return heapq.nlargest(MOST_SHOWN, rows, key=lambda row: row["highest_probability"] or 0.0)


def bulk_report(
    run: Mapping[str, str],
    figures: Sequence[tuple[str, str]],
    shown: Sequence[Mapping[str, Any]],
    problems: Sequence[str],
    *,
    n_pictures: int,
    written_at: datetime,
) -> str:
    """The page.

    Args:
        run: place, model, version, weights and calibration.
        figures: name and value of each count and time.
        shown: rows of pictures, as `picture_row` makes them.
        problems: sentences, at most some hundreds of which are shown.
        n_pictures: that were read.
        written_at: UTC.
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        **run,
        figures=figures,
        shown=[{**row, "remarks": _remarks(row)} for row in shown],
        problems=problems[:MOST_SHOWN],
        n_problems=len(problems),
        n_pictures=n_pictures,
        written_at=f"{written_at:%Y-%m-%d %H:%M}",
    )


def _remarks(row: Mapping[str, Any]) -> str:
    strange = NOT_VERIFIED if row["is_familiar"] is False else None
    return "; ".join(filter(None, (row["picked"], row["polarity_warning"], strange)))
