"""Files that are more than one thing: refused where that harms, read where it does not."""

import struct

import cv2
import numpy as np
import pytest

from core.domain.errors import UnreadableImageError
from core.imaging.read import read_radiograph
from core.imaging.uploads import frames_in
from tests.imaging.pictures import picture, pillow_bytes, png_chunk, write_dicom
from tests.imaging.zips import zip_of

PIXELS = picture(np.uint8, (40, 50))
ENDING = {kind: pillow_bytes(PIXELS, kind) for kind in ("PNG", "JPEG", "BMP")}
ZIP = zip_of(("run.js", b"alert(1)"))


def refusal(data: bytes) -> str:
    with pytest.raises(UnreadableImageError) as caught:
        read_radiograph(data, "film")
    return str(caught.value)


@pytest.mark.parametrize(
    ("preamble", "what"),
    [
        (b"MZ\x90\x00", "a DICOM file that is also a program"),
        (b"\x7fELF", "a DICOM file that is also a program"),
        (b"\xcf\xfa\xed\xfe", "a DICOM file that is also a program"),
        (b"#!/bin/sh\n", "a DICOM file that is also a program"),
        (b"@ECHO off\r\n", "a DICOM file that is also a program"),
    ],
)
@pytest.mark.parametrize("n_frames", [1, 2])
def test_a_dicom_file_that_begins_like_a_program_is_refused(preamble, what, n_frames):
    pixels = PIXELS if n_frames == 1 else np.stack([PIXELS] * n_frames)
    data = preamble.ljust(128, b"\0") + write_dicom(pixels, frames=n_frames)[128:]
    with pytest.raises(UnreadableImageError) as caught:
        read_radiograph(frames_in(data, "film")[0].read())
    assert f"expected a file that holds one picture and nothing else, got {what}; " in str(caught.value)


@pytest.mark.parametrize(
    ("preamble", "kind"),
    [
        (b"II*\x00\x08\0\0\0", "TIFF"),
        (b"MM\0*", "TIFF"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"BM" + bytes(12) + b"\x28\0\0\0", "BMP"),
    ],
)
@pytest.mark.parametrize("n_frames", [1, 2])
def test_a_dicom_file_that_begins_like_another_picture_is_read_as_dicom_and_that_is_noted(
    preamble, kind, n_frames
):
    pixels = PIXELS if n_frames == 1 else np.stack([PIXELS, PIXELS[::-1]])
    data = preamble.ljust(128, b"\0") + write_dicom(pixels, frames=n_frames)[128:]
    found = [read_radiograph(one.read(), frame=one.frame) for one in frames_in(data, "film")]
    np.testing.assert_array_equal([one.pixels for one in found], pixels.reshape(-1, *PIXELS.shape))
    assert f"begins like a {kind}, too; read as DICOM" in found[0].notes


@pytest.mark.parametrize("preamble", [b"written by scanner 7", b"%PDF-1.4", b"<html>"])
def test_a_preamble_that_nothing_runs_is_no_harm(preamble):
    data = preamble.ljust(128, b"\0") + write_dicom(PIXELS)[128:]
    np.testing.assert_array_equal(read_radiograph(data).pixels, PIXELS)


@pytest.mark.parametrize("kind", sorted(ENDING))
@pytest.mark.parametrize("tail", [b"\0" * 4096, b"<script>alert(1)</script>", ENDING["JPEG"], ZIP])
def test_bytes_behind_the_picture_change_nothing(kind, tail):
    """Phones and scanners append their own data there; nothing here looks at them."""
    expected = read_radiograph(ENDING[kind]).pixels
    np.testing.assert_array_equal(read_radiograph(ENDING[kind] + tail).pixels, expected)


def test_a_zip_inside_a_chunk_of_a_png_changes_nothing():
    png = ENDING["PNG"]
    data = png[:-12] + png_chunk(b"prVt", ZIP) + png[-12:]
    np.testing.assert_array_equal(read_radiograph(data).pixels, PIXELS)


@pytest.mark.parametrize("options", [{"progressive": True}, {"optimize": True}, {"quality": 100}])
def test_the_end_of_any_jpeg_is_found(options):
    noise = np.random.default_rng(1).integers(0, 255, (90, 70), np.uint8)
    data = pillow_bytes(noise, "JPEG", **options)
    assert read_radiograph(data).width == 70
    assert "the end-of-image marker is missing" in refusal(data[:-1])


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
