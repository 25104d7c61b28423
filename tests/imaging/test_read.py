"""The dispatcher, its limits and its errors."""

import gc
import hashlib
import io
import random
import struct
import subprocess
import sys
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, JPEGLosslessSV1, RLELossless

from core.domain.errors import UnreadableImageError
from core.domain.radiograph import Polarity, Radiograph
from core.imaging import limits
from core.imaging.damage import one_line
from core.imaging.read import read_radiograph, read_radiograph_file
from core.imaging.sniff import FileFormat, describe_foreign, sniff
from tests.imaging import lossless_jpeg
from tests.imaging.pictures import picture, pillow_bytes, png_chunk, raw_png, write_dicom

_GREY = picture(np.uint8, (40, 50))
_DEEP = picture(np.uint16, (40, 50))


def tiff_bytes(array: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, **options)
    return stream.getvalue()


def zip_bytes() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("film.png", b"no picture")
    return stream.getvalue()


def corpus() -> dict[str, tuple[FileFormat, bytes]]:
    """One file of every format and of the compressions that matter."""
    return {
        "film.png": (FileFormat.PNG, pillow_bytes(_DEEP, "PNG")),
        "small.png": (FileFormat.PNG, pillow_bytes(_GREY, "PNG")),
        "film.jpg": (FileFormat.JPEG, pillow_bytes(_GREY, "JPEG")),
        "film.bmp": (FileFormat.BMP, pillow_bytes(_GREY, "BMP")),
        "film.tif": (FileFormat.TIFF, tiff_bytes(_DEEP)),
        "packed.tif": (FileFormat.TIFF, tiff_bytes(_DEEP, compression="zlib", rowsperstrip=9)),
        "lzw.tif": (FileFormat.TIFF, pillow_bytes(_DEEP, "TIFF", compression="tiff_lzw")),
        "film.dcm": (FileFormat.DICOM, write_dicom(_DEEP, PixelSpacing=[0.1, 0.1], PatientName="Weld")),
        "rle.dcm": (FileFormat.DICOM, write_dicom(_DEEP, syntax=RLELossless)),
        "lossless.dcm": (
            FileFormat.DICOM,
            write_dicom(_DEEP, syntax=JPEGLosslessSV1, compressed=lossless_jpeg.encode(_DEEP, 16)),
        ),
        "baseline.dcm": (
            FileFormat.DICOM,
            write_dicom(_GREY, syntax=JPEGBaseline8Bit, compressed=pillow_bytes(_GREY, "JPEG")),
        ),
        "j2k.dcm": (FileFormat.DICOM, write_dicom(_DEEP, syntax=JPEG2000Lossless)),
    }


@pytest.mark.parametrize("name", sorted(corpus()))
def test_the_content_decides_the_format_whatever_the_name(name):
    file_format, data = corpus()[name]
    assert sniff(data) is file_format
    radiograph = read_radiograph(data, "upload")
    assert radiograph.file_format == file_format
    assert radiograph.sha256 == hashlib.sha256(data).hexdigest()
    assert radiograph.notes == ()


@pytest.mark.parametrize("name", sorted(corpus()))
def test_a_name_that_contradicts_the_content_is_noted(name):
    file_format, data = corpus()[name]
    wrong = "film.PNG" if file_format is not FileFormat.PNG else "film.jpeg"
    suffix = Path(wrong).suffix
    assert read_radiograph(data, wrong).notes == (
        f"named {suffix} but holds a {file_format}; read as {file_format}",
    )


@pytest.mark.parametrize("polarity", list(Polarity))
def test_the_polarity_that_was_asked_for_holds_where_the_file_does_not_say(polarity):
    assert read_radiograph(pillow_bytes(_GREY, "PNG"), polarity=polarity).polarity is polarity


def huge_png(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(b"\x00")) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def huge_bmp() -> bytes:
    data = bytearray(pillow_bytes(_GREY, "BMP"))
    data[18:26] = struct.pack("<ii", 60000, 60000)
    return bytes(data)


def huge_tiff() -> bytes:
    data = bytearray(tiff_bytes(_GREY))
    for tag in (256, 257):
        at = max(data.find(struct.pack("<HHI", tag, kind, 1)) for kind in (3, 4))
        data[at : at + 12] = struct.pack("<HHII", tag, 4, 1, 60000)
    return bytes(data)


def bomb_png() -> bytes:
    packer = zlib.compressobj(9)
    packed = b"".join([*(packer.compress(bytes(10_001)) for _ in range(10_000)), packer.flush()])
    header = struct.pack(">IIBBBBB", 10_000, 10_000, 8, 0, 0, 0, 0)
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", packed) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def huge_jpeg() -> bytes:
    data = bytearray(pillow_bytes(_GREY, "JPEG"))
    at = data.find(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", 65000, 65000)
    return bytes(data)


BROKEN: dict[str, tuple[bytes, str, str]] = {
    "empty": (b"", "film.png", "got an empty file (film.png)"),
    "zip": (zip_bytes(), "report.png", "got a ZIP archive (report.png)"),
    "pdf": (b"%PDF-1.7\n1 0 obj", "film.tif", "got a PDF document (film.tif)"),
    "text": (b"kV 200, mA 5, 3 min\n" * 9, "film.dcm", "got a text file (film.dcm)"),
    "html": (b"\n<!doctype html><html></html>", "film.jpg", "got an HTML page (film.jpg)"),
    "gif": (b"GIF89a" + bytes(40), "film.gif", "got a GIF picture (film.gif)"),
    "webp": (b"RIFF\x00\x01\x00\x00WEBPVP8 ", "film.jpg", "got a WebP picture (film.jpg)"),
    "heif": (b"\x00\x00\x00\x18ftypheic" + bytes(9), "film.jpg", "got a video or HEIF picture"),
    "program": (b"\x7fELF\x02\x01\x01" + bytes(99), "film.bmp", "got a program (film.bmp)"),
    "zeros": (bytes(5000), "film.png", "got a file of zeros (film.png)"),
    "noise": (random.Random(5).randbytes(5000), "film.png", "got bytes of an unknown kind (film.png)"),
    "only a signature": (b"\x89PNG\r\n\x1a\n", "film.png", "the closing IEND chunk is missing (film.png)"),
    "cut png": (pillow_bytes(_GREY, "PNG")[:-300], "film.png", "the file ends inside a 'IDAT' chunk"),
    "png of no width": (huge_png(0, 10), "film.png", "at least 1 x 1 px, got 0 x 10"),
    "png of too many pixels": (huge_png(20000, 20000), "film.png", "at most 200 megapixels"),
    "png of too long a side": (huge_png(2_000_000, 2), "film.png", "and 150000 px a side"),
    "png of an unknown kind": (raw_png(4, 1, 3, 0, b"\x00\x00"), "film.png", "expected an intact PNG file"),
    "png bomb": (bomb_png(), "film.png", "got a decompression bomb"),
    "cut jpeg": (pillow_bytes(_GREY, "JPEG")[:-100], "film.jpg", "the end-of-image marker is missing"),
    "jpeg of too many pixels": (huge_jpeg(), "film.jpg", "at most 200 megapixels"),
    "cut bmp": (pillow_bytes(_GREY, "BMP")[:900], "film.bmp", "expected an intact BMP file"),
    "bmp of too many pixels": (huge_bmp(), "film.bmp", "at most 200 megapixels"),
    "cut tiff": (tiff_bytes(_DEEP)[:2000], "film.tif", "the file ends before its pixels do"),
    "tiff header only": (b"II*\x00\x08\x00\x00\x00", "film.tif", "expected an intact TIFF file"),
    "tiff of too many pixels": (huge_tiff(), "film.tif", "at most 200 megapixels"),
    "cut dicom": (write_dicom(_DEEP)[:-500], "film.dcm", "bytes of pixels are there (film.dcm)"),
    "dicom preamble only": (bytes(128) + b"DICM", "film.dcm", "no data element could be read"),
    "dicom of too many pixels": (
        write_dicom(_DEEP, Rows=60000, Columns=60000),
        "film.dcm",
        "at most 200 megapixels",
    ),
    "dicom of unknown photometric": (
        write_dicom(_DEEP, photometric="XYZ"),
        "film.dcm",
        "expected photometric interpretation MONOCHROME1 or 2, got XYZ",
    ),
}


@pytest.mark.parametrize("kind", sorted(BROKEN))
def test_a_broken_file_gives_its_one_clear_line(kind, capfd):
    data, name, message = BROKEN[kind]
    with pytest.raises(UnreadableImageError) as caught:
        read_radiograph(data, name)
    text = str(caught.value)
    assert message in text
    assert text.startswith("expected ")
    assert text.endswith(f"({name})")
    assert "\n" not in text
    assert capfd.readouterr() == ("", "")


def test_a_file_beyond_the_limit_is_refused(monkeypatch):
    monkeypatch.setattr(limits, "MAX_FILE_BYTES", 2**20)
    with pytest.raises(UnreadableImageError, match="at most 1 MiB, got 2 MiB"):
        read_radiograph(pillow_bytes(_GREY, "PNG") + bytes(2**21))


def test_a_bomb_is_refused_without_the_memory_it_asks_for():
    data = bomb_png()
    tracemalloc.start()
    try:
        for candidate in (data, huge_png(20000, 20000), huge_tiff(), huge_bmp(), huge_jpeg()):
            with pytest.raises(UnreadableImageError):
                read_radiograph(candidate)
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()


def test_reading_takes_a_small_multiple_of_the_picture():
    pixels = picture(np.uint16, (1500, 1000))
    data = tiff_bytes(pixels)
    tracemalloc.start()
    try:
        read_radiograph(data)
        assert tracemalloc.get_traced_memory()[1] < 6 * pixels.nbytes
    finally:
        tracemalloc.stop()


def read_or_message(data: bytes) -> Radiograph | str:
    try:
        return read_radiograph(data)
    except UnreadableImageError as error:
        return str(error)


def mutated(data: bytes, source: random.Random) -> bytes:
    """Bytes flipped, cut out, doubled or overwritten in a few places."""
    broken = bytearray(data)
    for _ in range(source.randint(1, 4)):
        at = source.randrange(len(broken))
        match source.randrange(5):
            case 0:
                broken[at] ^= 1 << source.randrange(8)
            case 1:
                del broken[at : at + source.randint(1, 60)]
            case 2:
                broken[at:at] = source.randbytes(source.randint(1, 30))
            case 3:
                broken[at : at + 4] = b"\xff\xff\xff\xff"
            case _:
                early = source.randrange(min(len(broken), 400))
                broken[early] = source.randrange(256)
        if not broken:
            return b""
    return bytes(broken)


@pytest.mark.parametrize("name", sorted(corpus()))
def test_a_mutated_file_ends_in_a_radiograph_or_one_clear_error(name, capfd):
    _, data = corpus()[name]
    source = random.Random(name)
    for _ in range(40):
        outcome = read_or_message(mutated(data, source))
        assert isinstance(outcome, Radiograph) or outcome.startswith("expected ")
        assert isinstance(outcome, Radiograph) or "\n" not in outcome
    assert capfd.readouterr() == ("", "")


def test_a_file_is_read_from_its_path_and_closed(tmp_path):
    path = tmp_path / "film.tif"
    path.write_bytes(tiff_bytes(_DEEP))
    np.testing.assert_array_equal(read_radiograph_file(path).pixels, _DEEP)
    gc.collect()
    descriptors = Path("/proc/self/fd")
    if descriptors.is_dir():
        assert path not in {entry.resolve() for entry in descriptors.iterdir()}


@pytest.mark.parametrize("name", ["missing.png", ""])
def test_a_missing_file_and_a_folder_are_named(tmp_path, name):
    with pytest.raises(UnreadableImageError, match="got (no such file|is a directory)"):
        read_radiograph_file(tmp_path / name)


def test_a_path_beyond_the_limit_is_refused_unread(tmp_path):
    path = tmp_path / "film.png"
    with path.open("wb") as stream:
        stream.truncate(limits.MAX_FILE_BYTES + 1)
    with pytest.raises(UnreadableImageError, match="expected a file of at most 512 MiB"):
        read_radiograph_file(path)


def test_only_the_last_part_of_a_name_is_shown_on_one_line():
    with pytest.raises(UnreadableImageError) as caught:
        read_radiograph(b"", "C:\\secret\\folder/fi\nlm.png")
    assert str(caught.value).endswith("(film.png)")


def test_foreign_text_cut_inside_a_character_is_still_text():
    assert describe_foreign(("a" * 4095 + "\u00b5").encode()) == "a text file"


def test_png_jpeg_and_bmp_need_neither_tifffile_nor_pydicom(tmp_path):
    for name in ("film.png", "film.jpg", "film.bmp"):
        (tmp_path / name).write_bytes(corpus()[name][1])
    program = (
        "import sys; sys.modules['tifffile'] = None; sys.modules['pydicom'] = None\n"
        "from pathlib import Path\n"
        "from core.imaging.read import read_radiograph_file\n"
        "for path in sorted(Path(sys.argv[1]).iterdir()):\n"
        "    assert read_radiograph_file(path).width == 50\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program, str(tmp_path)], check=True)


@pytest.mark.parametrize("series", ["Castings/C0001", "Welding/W0001", "Welding/W0002"])
def test_real_radiographs_come_back_as_opencv_gives_them(gdxray, series):
    path = sorted((gdxray / series).glob("*.png"))[0]
    radiograph = read_radiograph_file(path)
    np.testing.assert_array_equal(radiograph.pixels, cv2.imread(str(path), cv2.IMREAD_UNCHANGED))
    assert radiograph.polarity is Polarity.UNKNOWN


@pytest.mark.parametrize(
    ("size", "bytes_per_px", "is_allowed"),
    [
        ((limits.MAX_SIDE_PX, 1), 1, True),
        ((limits.MAX_SIDE_PX + 1, 1), 1, False),
        ((20_000, 10_000), 2, True),
        ((20_000, 10_001), 2, False),
        ((20_000, 10_000), 6, False),
    ],
)
def test_each_limit_holds_on_both_sides(size, bytes_per_px, is_allowed):
    def check() -> None:
        limits.check_picture_size(*size, bytes_per_px=bytes_per_px, n_file_bytes=2**28)

    if is_allowed:
        check()
    else:
        with pytest.raises(UnreadableImageError, match="expected at most"):
            check()


def test_a_reason_shows_no_bytes_of_the_file():
    told = "Expected total bytes to be even. Instead received b'\\x10\\x00(' with length 3"
    assert one_line(ValueError(told)) == "Expected total bytes to be even"
    assert one_line(ValueError("plain")) == "plain"
    assert one_line(ValueError("b'\\x10'")) == "ValueError"
