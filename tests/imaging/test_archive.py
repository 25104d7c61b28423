"""ZIP archives of radiographs, and what else comes as a ZIP."""

import stat
import tracemalloc
import zipfile

import numpy as np
import pytest

from core.domain.errors import UnreadableImageError
from core.imaging import archive as archives
from core.imaging.archive import Archive, is_archive
from core.imaging.uploads import unpack
from tests.imaging.pictures import picture, pillow_bytes
from tests.imaging.zips import entry, lying_zip, with_field, zip_of

PNG = pillow_bytes(picture(np.uint8), "PNG")


def problems(data: bytes) -> list[str]:
    """What is said of each member, empty for one that can be read."""
    opened, told = Archive(data, "films.zip"), []
    for member in opened.members:
        try:
            opened.read(member)
            told.append("")
        except UnreadableImageError as error:
            told.append(str(error))
    return told


def test_members_come_back_byte_for_byte_in_their_order_without_what_desktops_add():
    data = zip_of(
        ("shift 1/", b""),
        ("shift 1/b.png", PNG),
        ("__MACOSX/shift 1/._b.png", b"fork"),
        ("._a.png", b"fork"),
        (".DS_Store", b"view"),
        ("Thumbs.db", b"view"),
        ("a.dcm", b"another"),
    )
    opened = Archive(data, "films.zip")
    assert [member.name for member in opened.members] == ["b.png", "a.dcm"]
    assert [opened.read(member) for member in opened.members] == [PNG, b"another"]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_stored_and_deflated_members_are_read(method):
    assert problems(zip_of(("a.png", PNG), method=method)) == [""]


@pytest.mark.parametrize(
    "name", ["/etc/film.png", "../film.png", "a/../../film.png", "C:/film.png", "..\\film.png"]
)
def test_a_name_that_leads_out_of_the_archive_is_refused_by_itself(name):
    told = problems(zip_of((name, PNG), ("good.png", PNG)))
    assert told == ["expected a file inside the archive, got a name that leads out of it (film.png)", ""]


@pytest.mark.parametrize(
    ("mode", "what"),
    [(stat.S_IFLNK | 0o777, "a symbolic link"), (stat.S_IFIFO | 0o644, "a special file")],
)
def test_what_is_no_plain_file_is_refused(mode, what):
    assert problems(zip_of((entry("film.png", mode=mode), PNG))) == [
        f"expected a plain file in the archive, got {what} (film.png)"
    ]


def test_an_encrypted_member_is_refused():
    assert problems(with_field(zip_of(("film.png", PNG)), 8, 1)) == [
        "expected a file that can be read without a password, got an encrypted one (film.png)"
    ]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused_by_their_number(method):
    assert problems(zip_of((entry("film.png", method=method), PNG))) == [
        f"expected a stored or deflated file in the archive, got method {method} (film.png)"
    ]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_second_file_of_one_name_is_refused():
    told = problems(zip_of(("a/film.png", PNG), ("b/film.png", PNG), ("a/FILM.png", b"other")))
    assert told == ["", "", "the archive holds two files of this name (FILM.png)"]


def test_a_flipped_byte_in_a_member_is_told_for_that_member_only():
    data = bytearray(zip_of(("bad.png", PNG), ("good.png", PNG)))
    data[60] ^= 0xFF
    told = problems(bytes(data))
    assert told[0].startswith("expected an intact file in the archive, got a damaged one: ")
    assert told[0].endswith("(bad.png)")
    assert told[1] == ""


def test_bytes_are_counted_as_they_come_out_whatever_the_headers_say(monkeypatch):
    monkeypatch.setattr(archives, "MAX_FILE_BYTES", 2**20)
    assert "at most 1 MiB, got more" in problems(lying_zip("film.png", bytes(2**22), 2**22))[0]
    assert "damaged one" in problems(lying_zip("film.png", bytes(2**19), 10))[0]
    assert problems(lying_zip("film.png", bytes(2**19), 2**31)) == [""]


def test_a_bomb_is_refused_without_the_memory_it_asks_for():
    data = zip_of(*((f"{n}.bin", bytes(30 * 2**20)) for n in range(4)))
    tracemalloc.start()
    try:
        told = problems(data)
        assert tracemalloc.get_traced_memory()[1] < 100 * 2**20
    finally:
        tracemalloc.stop()
    assert told[:2] == ["", ""]
    assert all("bytes that unpack to more than 64 MiB together" in line for line in told[2:])


def test_too_many_files_are_refused_at_once(monkeypatch):
    monkeypatch.setattr(archives, "MAX_MEMBERS", 3)
    files = [(f"{n}.png", PNG) for n in range(4)]
    assert len(Archive(zip_of(*files[:3]), "films.zip").members) == 3
    with pytest.raises(UnreadableImageError, match=r"at most 3 files, got 4 \(films.zip\)"):
        Archive(zip_of(*files), "films.zip")


def test_a_long_list_of_contents_is_refused_before_it_is_parsed(monkeypatch):
    monkeypatch.setattr(archives._ShortReads, "n_most", 70_000)
    with pytest.raises(UnreadableImageError, match="its list of contents takes"):
        Archive(zip_of(*((f"{n:05d}.png", b"") for n in range(2000))), "films.zip")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (zip_of(), "got one without files"),
        (zip_of(("folder/", b""), (".DS_Store", b"x")), "got one without files"),
        (zip_of(("a.png", PNG))[:-10], "expected an intact ZIP archive"),
        (b"PK\x03\x04", "expected an intact ZIP archive"),
        (zip_of(("[Content_Types].xml", b"x"), ("word/document.xml", b"x")), "got an Office document"),
        (zip_of(("META-INF/MANIFEST.MF", b"x")), "got a Java program"),
    ],
)
def test_what_is_no_archive_of_radiographs_is_one_line(data, message):
    assert is_archive(data)
    with pytest.raises(UnreadableImageError) as caught:
        unpack(data, "some/films.zip")
    assert message in str(caught.value)
    assert str(caught.value).endswith("(films.zip)")
    assert "\n" not in str(caught.value)


def test_any_other_file_is_handed_on_as_it_is():
    (only,) = unpack(PNG, "../film.png")
    assert (only.name, only.read()) == ("film.png", PNG)
