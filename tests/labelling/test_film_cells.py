import math
from pathlib import Path

import pytest

from core.domain.errors import DatasetError
from core.labelling.film_cells import FilmIndication, FilmStatus, read_film_cells

HEADER = "film,width,height,status,start_cm,iso6520_code,length_mm\n"


def write(folder: Path, rows: str, header: str = HEADER) -> Path:
    path = folder / "films.csv"
    path.write_text(header + rows, encoding="utf-8")
    return path


def test_rows_of_one_film_are_joined_and_the_others_have_none(tmp_path: Path) -> None:
    rows = (
        "a.png,900,300,recorded,1,2011,0.8\nb.png,800,200,no indication,,,\n"
        "a.png,900,300,recorded,5,1011,\nc.png,700,100,not recorded,,,\n"
    )
    a, b, c = read_film_cells(write(tmp_path, rows))
    assert (a.file_name, a.width, a.height, a.status) == ("a.png", 900, 300, FilmStatus.RECORDED)
    assert a.indications[0] == FilmIndication(1, "2011", 0.8)
    assert (a.indications[1].start_cell, a.indications[1].code) == (5, "1011")
    assert math.isnan(a.indications[1].length_mm)
    assert (b.status, b.indications) == (FilmStatus.NO_INDICATION, ())
    assert (c.status, c.indications) == (FilmStatus.NOT_RECORDED, ())


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("", "lists no film"),
        ("a.png,900,300,lost,,,\n", "line 2: 'lost'"),
        ("a.png,900,x,no indication,,,\n", "line 2"),
        ("a.png,0,300,no indication,,,\n", "at least 1x1"),
        ("a.png,900,300,no indication,3,2011,1\n", "and yet has an indication"),
        ("a.png,900,300,recorded,0,2011,1\n", "start cell from 1"),
        ("a.png,900,300,recorded,1,pore,1\n", "start cell from 1"),
        ("a.png,900,300,recorded,1,2011,-1\n", "start cell from 1"),
        ("a.png,900,300,recorded,1,2011,nan\n", "start cell from 1"),
        ("a.png,900,300,recorded,,,\n", "line 2"),
        ("a.png,900,300,recorded,1,2011\n", "line 2"),
        ("a.png,900,300,recorded,1,2011,1\na.png,901,300,recorded,1,2011,1\n", "line 3: a.png stands"),
        ("a.png,900,300,no indication,,,\na.png,900,300,no indication,,,\n", "line 3: a.png stands"),
    ],
)
def test_a_file_that_contradicts_itself_is_one_clear_error(tmp_path: Path, rows: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        read_film_cells(write(tmp_path, rows))


def test_a_missing_file_or_column_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot read the film records"):
        read_film_cells(tmp_path / "none.csv")
    with pytest.raises(DatasetError, match="no start_cm"):
        read_film_cells(write(tmp_path, "a,1,1,recorded\n", "film,width,height,status\n"))
    (tmp_path / "films.csv").write_bytes(HEADER.encode() + b"\xff\xfe\n")
    with pytest.raises(DatasetError, match="not a CSV file"):
        read_film_cells(tmp_path / "films.csv")


def test_the_recorded_films_of_gdxray_are_read_and_fit_on_their_films(gdxray: Path) -> None:
    films = read_film_cells(gdxray / "weld_films.csv")
    assert len(films) == 25
    assert sum(len(film.indications) for film in films) == 89
    for film in films:
        assert all(entry.start_cell <= math.ceil(film.width / 248) for entry in film.indications)
