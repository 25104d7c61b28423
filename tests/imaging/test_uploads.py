"""Several files handed in at once."""

import numpy as np

from core.imaging import uploads
from core.imaging.uploads import Folder, take_folder
from tests.imaging.pictures import picture, pillow_bytes, write_dicom
from tests.imaging.zips import zip_of
from tests.workplace import incoming

PNG, DICOM = pillow_bytes(picture(np.uint8), "PNG"), write_dicom(picture(np.uint8))


def folder_of(files: list[tuple[str, bytes]]) -> Folder:
    return take_folder([incoming(name, data) for name, data in files])


def test_radiographs_are_taken_by_content_or_name_and_the_rest_is_named():
    taken = folder_of(
        [
            ("shift/notes.txt", b"200 kV"),
            ("shift/IM0001", DICOM),
            ("shift/film.png", PNG),
            ("shift/broken.dcm", b"not a DICOM file"),
            ("shift/films.zip", zip_of(("a.png", PNG))),
            ("shift/plan.docx", zip_of(("[Content_Types].xml", b"x"))),
            ("shift/Thumbs.db", PNG),
            ("shift/.DS_Store", b"view"),
            ("shift/._film.png", b"fork"),
            ("shift/DICOMDIR", DICOM),
            ("shift/__MACOSX/film.png", PNG),
        ]
    )
    assert [file.name for file in taken.files] == ["broken.dcm", "film.png", "films.zip", "IM0001"]
    assert [file.read() for file in taken.files[1:2]] == [PNG]
    assert taken.remark == (
        "Skipped 7 files that are no radiographs: "
        "._film.png, .DS_Store, film.png, DICOMDIR, notes.txt and 2 more."
    )


def test_nothing_is_said_when_everything_was_taken():
    assert folder_of([("a.png", PNG)]).remark == ""
    assert folder_of([]).files == ()


def test_one_skipped_file_is_told_in_the_singular():
    assert folder_of([("a.txt", b"x")]).remark == "Skipped 1 file that is no radiograph: a.txt."


def test_files_come_in_the_order_of_their_numbers():
    names = ["d/film 10.png", "d/film 2.png", "D/Film 1.png", "c/film 3.png"]
    assert [file.name for file in folder_of([(name, PNG) for name in names]).files] == [
        "film 3.png",
        "Film 1.png",
        "film 2.png",
        "film 10.png",
    ]


def test_files_of_one_name_are_told_apart_by_their_folders():
    taken = folder_of([("all/north/film.png", PNG), ("all/south/film.png", PNG), ("all/other.png", PNG)])
    assert [file.name for file in taken.files] == ["north - film.png", "other.png", "south - film.png"]


def test_no_more_than_the_most_are_taken_and_the_rest_is_counted(monkeypatch):
    monkeypatch.setattr(uploads, "MAX_FRAMES", 2)
    taken = folder_of([(f"{n}.png", PNG) for n in range(5)])
    assert [file.name for file in taken.files] == ["0.png", "1.png"]
    assert taken.remark == "Left out 3: at most 2 are taken at once, hand in the rest later."


def test_a_name_that_could_deceive_is_cleaned_also_where_it_is_skipped():
    assert folder_of([("a/we\u202etxt.\x00exe", b"x")]).skipped == ("wetxt.exe",)
