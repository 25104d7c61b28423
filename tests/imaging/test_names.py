"""File names as they may be shown."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.imaging.names import MAX_LENGTH, clean_name, one_printable_line


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
