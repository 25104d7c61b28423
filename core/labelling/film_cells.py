"""Reading the records of whole films: where in centimetres an examiner saw what.

The CSV has one row an indication, with the columns `film` (file name), `width` and `height` (px), `status`
(`recorded`, `no indication`, `not recorded`), `start_cm` (number of the start cell, counted from 1 at the
left edge), `iso6520_code` and `length_mm`. A film that is not `recorded` has one row without an indication.
"""

import csv
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from core.domain.errors import DatasetError
from core.evaluate.cells import RecordedCells, cells_of_length, group_of

COLUMNS = ("film", "width", "height", "status", "start_cm", "iso6520_code", "length_mm")
NOT_MEASURED = float("nan")
#: Width of a centimetre on the BAM films that GDXray scanned (0.0403 mm/px).
BAM_CELL_PX = 248.0


class FilmStatus(StrEnum):
    """Status of a film. Only for the first two are the cells without indications known."""

    RECORDED = "recorded"
    NO_INDICATION = "no indication"
    NOT_RECORDED = "not recorded"


@dataclass(frozen=True, slots=True)
class FilmIndication:
    """One recorded indication.

    Attributes:
        start_cell: the centimetre it begins in, 1 at the left edge.
        code: ISO 6520-1.
        length_mm: not negative; NaN where none is recorded.
    """

    start_cell: int
    code: str
    length_mm: float


@dataclass(frozen=True, slots=True)
class FilmRecord:
    """One film.

    Attributes:
        file_name: relative to the folder of the films.
        width, height: px.
        status: what is known about it.
        indications: in file order, none unless `status` is recorded.
    """

    file_name: str
    width: int
    height: int
    status: FilmStatus
    indications: tuple[FilmIndication, ...]


def read_film_cells(path: Path) -> tuple[FilmRecord, ...]:
    """The films of the CSV at `path`, in the order of their first rows.

    Raises:
        DatasetError: when the file is missing, lacks a column or contradicts itself; names the line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if missing := [column for column in COLUMNS if column not in (reader.fieldnames or ())]:
                raise DatasetError(f"{path.name}: expected the columns {', '.join(COLUMNS)}: no {missing[0]}")
            rows = [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise DatasetError(f"cannot read the film records {path}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path.name}: not a CSV file: {error}") from error
    films: dict[str, FilmRecord] = {}
    for line, row in rows:
        try:
            film = _film(row)
            known = films.get(film.file_name)
            films[film.file_name] = film if known is None else _joined(known, film)
        except (TypeError, ValueError, AttributeError) as error:
            raise DatasetError(f"{path.name}, line {line}: {error}") from error
    if not films:
        raise DatasetError(f"{path.name} lists no film")
    return tuple(films.values())


def recorded_cells(film: FilmRecord, cell_px: float = BAM_CELL_PX) -> tuple[RecordedCells, ...]:
    """The indications of a film as cells; those that begin beyond its end are left out.

    Args:
        film: its record.
        cell_px: width of a centimetre, px.
    """
    n_cells = -int(-film.width // cell_px)
    entries = (
        RecordedCells(
            group_of(entry.code, entry.length_mm),
            entry.code,
            cells_of_length(entry.start_cell, entry.length_mm, n_cells=n_cells),
        )
        for entry in film.indications
    )
    return tuple(entry for entry in entries if entry.cells)


def _film(row: dict[str, str]) -> FilmRecord:
    status = FilmStatus(row["status"].strip())
    name, width, height = row["film"].strip(), int(row["width"]), int(row["height"])
    if not name or width < 1 or height < 1:
        raise ValueError(f"expected a film of at least 1x1 px, got {name!r} of {width}x{height}")
    start, code, length = (row[column].strip() for column in COLUMNS[4:])
    if status is not FilmStatus.RECORDED:
        if start or code or length:
            raise ValueError(f"{name} is {status} and yet has an indication")
        return FilmRecord(name, width, height, status, ())
    length_mm = float(length) if length else NOT_MEASURED
    if int(start) < 1 or not code.isdigit() or (length and not 0 <= length_mm < float("inf")):
        raise ValueError(
            f"expected a start cell from 1, a code and a length, got {start}, {code!r}, {length!r}"
        )
    return FilmRecord(name, width, height, status, (FilmIndication(int(start), code, length_mm),))


def _joined(known: FilmRecord, film: FilmRecord) -> FilmRecord:
    """One film out of two rows."""
    is_same = (known.width, known.height, known.status) == (film.width, film.height, film.status)
    if not is_same or film.status is not FilmStatus.RECORDED:
        raise ValueError(f"{film.file_name} stands there before with another size or status")
    return FilmRecord(
        known.file_name, known.width, known.height, known.status, known.indications + film.indications
    )
