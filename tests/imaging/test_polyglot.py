"""One file, one picture."""

import struct

import cv2
import numpy as np
import pytest

from core.domain.errors import UnreadableImageError
from core.imaging.read import read_radiograph
from tests.imaging.pictures import picture, pillow_bytes, png_chunk, write_dicom
from tests.imaging.test_read import corpus
from tests.imaging.zips import zip_of

PIXELS = picture(np.uint8, (40, 50))
ENDING = {
    "PNG": pillow_bytes(PIXELS, "PNG"),
    "JPEG": pillow_bytes(PIXELS, "JPEG"),
    "BMP": pillow_bytes(PIXELS, "BMP"),
}
ALL = {name: data for name, (_, data) in corpus().items()}
ZIP = zip_of(("run.js", b"alert(1)"))


def refusal(data: bytes) -> str:
    with pytest.raises(UnreadableImageError) as caught:
        read_radiograph(data, "film")
    return str(caught.value)


@pytest.mark.parametrize("kind", sorted(ENDING))
@pytest.mark.parametrize(
    ("tail", "what"),
    [
        (b"<script>alert(1)</script>", "25 further bytes (a text file)"),
        (b"\0\0MZ\x90\0\x03", "5 further bytes (a program)"),
        (ENDING["JPEG"], "further bytes (a JPEG picture)"),
        (ZIP, "further bytes (a ZIP archive)"),
    ],
)
def test_what_follows_the_picture_is_refused_and_named(kind, tail, what):
    message = refusal(ENDING[kind] + tail)
    assert f"got a {kind} followed by " in message
    assert what in message


@pytest.mark.parametrize("kind", sorted(ENDING))
@pytest.mark.parametrize("padding", [b"\0" * 4096, b"\n", b"\r\n\0\0"])
def test_padding_behind_the_picture_changes_nothing(kind, padding):
    expected = read_radiograph(ENDING[kind]).pixels
    np.testing.assert_array_equal(read_radiograph(ENDING[kind] + padding).pixels, expected)


@pytest.mark.parametrize("name", sorted(ALL))
def test_no_picture_is_also_a_zip_archive(name):
    message = refusal(ALL[name] + ZIP)
    assert "ZIP archive" in message
    assert message.startswith("expected a file that holds one picture and nothing else, got a ")


def test_a_zip_inside_a_chunk_of_a_png_is_found():
    png = ENDING["PNG"]
    data = png[:-12] + png_chunk(b"prVt", ZIP) + png[-12:]
    assert "a PNG that is also a ZIP archive" in refusal(data)


def test_a_zip_behind_the_size_that_a_bitmap_states_is_found():
    data = bytearray(ENDING["BMP"] + ZIP)
    data[2:6] = struct.pack("<I", len(data))
    assert "a BMP followed by" in refusal(bytes(data))


def test_a_pdf_in_a_comment_is_found():
    jpeg = ENDING["JPEG"]
    comment = b"%PDF-1.7 "
    data = jpeg[:2] + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + jpeg[2:]
    assert "a JPEG that is also a PDF document" in refusal(data)


@pytest.mark.parametrize(
    ("preamble", "what"),
    [
        (b"MZ\x90\x00", "a program"),
        (b"\x7fELF", "a program"),
        (b"#!/bin/sh\n", "a program"),
        (b"@echo off\r\n", "a program"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"%PDF-1.4", "a PDF document"),
        (b"<html>", "an HTML page"),
        (b"\x89PNG\r\n\x1a\n", "also a DICOM file"),
        (b"II*\x00", "also a DICOM file"),
        (b"GIF89a", "a GIF picture"),
    ],
)
def test_a_dicom_file_that_begins_like_something_else_is_refused(preamble, what):
    data = preamble.ljust(128, b"\0") + write_dicom(PIXELS)[128:]
    assert what in refusal(data)


def test_a_preamble_of_a_vendor_is_no_harm():
    data = b"written by scanner 7".ljust(128, b"\0") + write_dicom(PIXELS)[128:]
    np.testing.assert_array_equal(read_radiograph(data).pixels, PIXELS)


@pytest.mark.parametrize("options", [{"progressive": True}, {"optimize": True}, {"quality": 100}])
def test_the_end_of_any_jpeg_is_found(options):
    noise = np.random.default_rng(1).integers(0, 255, (90, 70), np.uint8)
    data = pillow_bytes(noise, "JPEG", **options)
    read_radiograph(data)
    assert "followed by" in refusal(data + b"x")


def test_a_jpeg_with_restart_markers_and_a_thumbnail_of_its_own_is_read():
    is_written, encoded = cv2.imencode(".jpg", PIXELS, [cv2.IMWRITE_JPEG_RST_INTERVAL, 1])
    assert is_written
    data = encoded.tobytes()
    exif = b"Exif\0\0" + ENDING["JPEG"]
    data = data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]
    assert read_radiograph(data).width == 50


def test_a_jpeg_of_too_many_scans_is_refused():
    data = pillow_bytes(PIXELS, "JPEG", progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    assert read_radiograph(data[:-2] + scan * 3 + b"\xff\xd9").width == 50
    assert "at most 100 scans" in refusal(data[:-2] + scan * 100 + b"\xff\xd9")
