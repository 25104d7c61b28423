"""File names as they may be shown."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.imaging.names import MAX_LENGTH, clean_name, distinct_names, name_with, one_printable_line


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("film.png", "film.png"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("C:\\films\\weld 7.dcm", "weld 7.dcm"),
        ("../..", "unnamed"),
        ("", "unnamed"),
        ("folder/", "unnamed"),
        ("fi\nl\x00m\x1b.png", "film.png"),
        ("weld\u202egnp.exe", "weldgnp.exe"),
        ("a\u200b\ufeffb.png", "ab.png"),
        ("Schweißnaht \u00a0 7.tif", "Schweißnaht 7.tif"),
        ("\u05e8\u05d9\u05ea\u05d5\u05da.png", "\u05e8\u05d9\u05ea\u05d5\u05da.png"),
        ("bad\ud800.png", "bad.png"),
    ],
)
def test_a_name_is_cut_to_what_can_be_shown(name, shown):
    assert clean_name(name) == shown


def test_a_long_name_keeps_its_beginning_and_its_suffix():
    shown = clean_name("x" * 500 + ".dicom")
    assert len(shown) == MAX_LENGTH
    assert shown.startswith("xxx")
    assert shown.endswith("\u2026.dicom")


def test_accents_are_not_piled_up():
    assert len(clean_name("e" + "\u0316" * 40 + ".png")) <= 8


@given(st.text(st.characters(codec=None, categories=None), max_size=300))
def test_any_name_becomes_one_short_printable_line_and_stays_it(name):
    shown = clean_name(name)
    assert 1 <= len(shown) <= MAX_LENGTH
    assert "/" not in shown
    assert "\\" not in shown
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert shown.encode("utf-8")
    assert clean_name(shown) == shown


def test_a_message_is_put_on_one_line_and_cut():
    assert one_printable_line("a\r\n b\x00\u202ec" + "d" * 99, 10) == "a bcddddd\u2026"


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a/film.png", "b/other.png"], ("film.png", "other.png")),
        (["a/film.png", "b/film.png"], ("a - film.png", "b - film.png")),
        (["x/a/film.png", "y/a/film.png", "z.png"], ("x - a - film.png", "y - a - film.png", "z.png")),
        (["film.png", "film.png", "film.png"], ("film.png", "film (2).png", "film (3).png")),
        (["a\\film.png", "../film.png"], ("a - film.png", "film.png")),
        (["", "/", "a/"], ("unnamed", "unnamed (2)", "a")),
        ([], ()),
    ],
)
def test_names_are_told_apart_by_as_few_folders_as_needed_or_by_a_number(paths, names):
    assert distinct_names(paths) == names


@given(st.lists(st.text(max_size=300), max_size=12))
def test_distinct_names_are_clean_and_as_many_as_the_paths(paths):
    names = distinct_names(paths)
    assert len(names) == len(paths)
    assert all(name == clean_name(name) and len(name) <= MAX_LENGTH for name in names)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("panel.dcm", "panel frame 1.dcm"),
        ("IM0001", "IM0001 frame 1"),
        ("weld no. 7 of May", "weld no. 7 of May frame 1"),
        ("x" * 300 + ".dcm", "x" * 242 + "\u2026 frame 1.dcm"),
    ],
)
def test_an_addition_to_a_name_stands_in_front_of_its_suffix(name, expected):
    assert name_with(name, "frame 1") == expected
