"""PNG, JPEG and BMP."""

import struct
from io import BytesIO

import cv2
import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, PngImagePlugin

from core.domain.errors import UnreadableImageError
from core.domain.radiograph import PitchSource, Polarity
from core.imaging.read import read_radiograph
from tests.imaging.pictures import picture, pillow_bytes, png_chunk, raw_png


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_grey_png_comes_back_bit_for_bit_at_its_own_depth(dtype):
    pixels = picture(dtype)
    radiograph = read_radiograph(pillow_bytes(pixels, "PNG"), "film.png")
    assert radiograph.pixels.dtype == dtype
    np.testing.assert_array_equal(radiograph.pixels, pixels)
    assert radiograph.bit_depth == 8 * np.dtype(dtype).itemsize
    assert (radiograph.polarity, radiograph.pitch, radiograph.notes) == (Polarity.UNKNOWN, None, ())
    assert (radiograph.file_format, radiograph.width, radiograph.height) == ("PNG", 31, 24)


@settings(max_examples=25, deadline=None)
@given(arrays(np.uint16, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_any_16_bit_png_written_by_opencv_comes_back(pixels):
    is_written, encoded = cv2.imencode(".png", pixels)
    assert is_written
    np.testing.assert_array_equal(read_radiograph(encoded.tobytes()).pixels, pixels)


def test_a_bmp_comes_back_bit_for_bit():
    pixels = picture(np.uint8)
    radiograph = read_radiograph(pillow_bytes(pixels, "BMP"), "film.bmp")
    np.testing.assert_array_equal(radiograph.pixels, pixels)
    assert (radiograph.file_format, radiograph.bit_depth) == ("BMP", 8)


@pytest.mark.parametrize("is_progressive", [False, True])
def test_a_jpeg_comes_back_as_its_decoder_gives_it(is_progressive):
    data = pillow_bytes(picture(np.uint8), "JPEG", quality=95, progressive=is_progressive)
    radiograph = read_radiograph(data, "film.jpg")
    np.testing.assert_array_equal(radiograph.pixels, np.asarray(Image.open(BytesIO(data))))
    assert (radiograph.file_format, radiograph.bit_depth) == ("JPEG", 8)


@pytest.mark.parametrize(
    ("depth", "row", "expected"),
    [
        (1, b"\x00\xa0", [255, 0, 255, 0]),
        (2, b"\x00\x1b", [0, 85, 170, 255]),
        (4, b"\x00\x01\x8f", [0, 17, 136, 255]),
    ],
)
def test_shallow_png_is_spread_over_8_bit_with_a_note(depth, row, expected):
    radiograph = read_radiograph(raw_png(4, 1, depth, 0, row))
    assert radiograph.pixels.tolist() == [expected]
    assert radiograph.bit_depth == 8
    assert radiograph.notes == (f"{depth}-bit PNG expanded to 8 bit",)


def test_colour_is_converted_by_its_luma_with_a_note():
    planes = np.zeros((2, 3, 3), np.uint8)
    planes[0, 0], planes[0, 1], planes[0, 2] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    radiograph = read_radiograph(pillow_bytes(planes, "PNG"))
    assert radiograph.pixels[0].tolist() == [76, 150, 29]
    assert radiograph.notes == ("colour converted to grey",)


@pytest.mark.parametrize("file_format", ["PNG", "BMP"])
def test_colour_with_equal_channels_is_taken_unchanged(file_format):
    pixels = picture(np.uint8)
    radiograph = read_radiograph(pillow_bytes(np.dstack([pixels] * 3), file_format))
    np.testing.assert_array_equal(radiograph.pixels, pixels)
    assert radiograph.notes == ("colour file with equal channels, one taken",)


def test_a_16_bit_colour_png_keeps_16_bit():
    pixels = picture(np.uint16)
    _, encoded = cv2.imencode(".png", np.dstack([pixels] * 3))
    radiograph = read_radiograph(encoded.tobytes())
    np.testing.assert_array_equal(radiograph.pixels, pixels)
    assert radiograph.bit_depth == 16


def test_16_bit_colour_reads_red_green_and_blue_in_the_right_order():
    red = np.zeros((2, 2, 3), np.uint16)
    red[..., 2] = 60000  # OpenCV writes blue first
    _, encoded = cv2.imencode(".png", red)
    assert read_radiograph(encoded.tobytes()).pixels[0, 0] == pytest.approx(0.299 * 60000, abs=1)


def test_16_bit_grey_with_alpha_keeps_16_bit_and_drops_alpha():
    rows = b"\x00" + struct.pack(">HHHH", 40000, 65535, 123, 10)
    radiograph = read_radiograph(raw_png(2, 1, 16, 4, rows))
    assert radiograph.pixels.tolist() == [[40000, 123]]
    assert "transparency dropped" in radiograph.notes


def test_alpha_is_dropped_with_a_note():
    pixels = picture(np.uint8)
    planes = np.dstack([pixels, pixels, pixels, np.full_like(pixels, 7)])
    radiograph = read_radiograph(pillow_bytes(planes, "PNG"))
    np.testing.assert_array_equal(radiograph.pixels, pixels)
    assert "transparency dropped" in radiograph.notes


def test_a_grey_palette_is_resolved_to_its_grey_values():
    image = Image.fromarray(np.array([[0, 1, 2]], np.uint8), "L").convert("P")
    image.putpalette([9, 9, 9, 100, 100, 100, 240, 240, 240])
    stream = BytesIO()
    image.save(stream, "PNG")
    assert read_radiograph(stream.getvalue()).pixels.tolist() == [[9, 100, 240]]


def test_cmyk_jpeg_is_read_as_colour():
    stream = BytesIO()
    Image.fromarray(np.full((8, 8, 3), 90, np.uint8)).convert("CMYK").save(stream, "JPEG")
    radiograph = read_radiograph(stream.getvalue())
    assert abs(int(radiograph.pixels[4, 4]) - 90) <= 2


def png_with_phys(x: int, y: int, unit: int) -> bytes:
    info = PngImagePlugin.PngInfo()
    data = pillow_bytes(picture(np.uint8), "PNG", pnginfo=info)
    phys = png_chunk(b"pHYs", struct.pack(">IIB", x, y, unit))
    return data[:33] + phys + data[33:]


@pytest.mark.parametrize(
    ("x", "y", "unit", "mm_per_px"),
    [
        (20000, 20000, 1, 0.05),
        (10000, 10000, 1, 0.1),
        (2835, 2835, 1, None),  # 72 dpi
        (3780, 3780, 1, None),  # 96 dpi
        (3779, 3779, 1, None),
        (20000, 20000, 0, None),  # an aspect ratio, no length
        (20000, 10000, 1, None),  # not square
        (1, 1, 1, None),  # a metre a pixel
        (0, 0, 1, None),
    ],
)
def test_a_png_tells_its_pitch_only_when_plausible(x, y, unit, mm_per_px):
    pitch = read_radiograph(png_with_phys(x, y, unit)).pitch
    if mm_per_px is None:
        assert pitch is None
    else:
        assert pitch.mm_per_px == pytest.approx(mm_per_px)
        assert pitch.source is PitchSource.FILE


@pytest.mark.parametrize(("dpi", "mm_per_px"), [((508, 508), 0.05), ((72, 72), None), ((96, 96), None)])
@pytest.mark.parametrize("file_format", ["JPEG", "BMP"])
def test_jpeg_and_bmp_tell_their_pitch_only_when_plausible(file_format, dpi, mm_per_px):
    pitch = read_radiograph(pillow_bytes(picture(np.uint8), file_format, dpi=dpi)).pitch
    assert (pitch and pitch.mm_per_px) == (mm_per_px and pytest.approx(mm_per_px, rel=1e-4))


def test_exif_orientation_is_not_applied_but_noted():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = pillow_bytes(picture(np.uint8), "JPEG", exif=exif)
    radiograph = read_radiograph(data)
    assert (radiograph.height, radiograph.width) == (24, 31)
    assert radiograph.notes == ("EXIF orientation 6 not applied, pixels kept as stored",)


def test_an_animated_png_gives_its_first_frame_with_a_note():
    stream = BytesIO()
    first, second = picture(np.uint8), np.zeros((24, 31), np.uint8)
    Image.fromarray(first).save(
        stream, "PNG", save_all=True, append_images=[Image.fromarray(second)], duration=10
    )
    radiograph = read_radiograph(stream.getvalue())
    np.testing.assert_array_equal(radiograph.pixels, first)
    assert "animated PNG, first frame read" in radiograph.notes


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "BMP"])
def test_a_cut_file_is_never_half_a_picture(file_format, share):
    data = pillow_bytes(picture(np.uint8, (90, 80)), file_format)
    with pytest.raises(UnreadableImageError, match=f"expected an intact {file_format} file"):
        read_radiograph(data[: int(len(data) * share)])


def test_a_jpeg_without_only_its_end_marker_is_refused():
    data = pillow_bytes(picture(np.uint8), "JPEG")
    with pytest.raises(UnreadableImageError, match="end-of-image marker is missing"):
        read_radiograph(data[:-2])


def test_a_png_whose_pixels_end_early_inside_intact_chunks_is_refused():
    with pytest.raises(UnreadableImageError, match="truncated or damaged"):
        read_radiograph(raw_png(50, 50, 8, 0, b"\x00" * 51 * 20))


def test_a_16_bit_colour_png_whose_pixels_end_early_is_refused_silently(capfd):
    with pytest.raises(UnreadableImageError, match="truncated or damaged"):
        read_radiograph(raw_png(50, 50, 16, 2, b"\x00" * 301 * 20))
    assert capfd.readouterr() == ("", "")


def test_a_flipped_byte_in_a_png_fails_its_checksum():
    data = bytearray(pillow_bytes(picture(np.uint8), "PNG"))
    data[60] ^= 1
    with pytest.raises(UnreadableImageError, match="fails its checksum"):
        read_radiograph(bytes(data))


@pytest.mark.parametrize(("bits", "options"), [(12, {}), (16, {"lossless": True}), (12, {"lossless": True})])
def test_a_jpeg_of_more_than_8_bit_is_read_at_its_depth(bits, options):
    pixels = cv2.GaussianBlur(picture(np.uint16, (40, 50), bits), (0, 0), 2)
    data = bytes(imagecodecs.jpeg8_encode(pixels, 98, bitspersample=bits, **options))
    radiograph = read_radiograph(data + b"tail")
    np.testing.assert_allclose(radiograph.pixels, pixels, atol=0 if options else 10)
    assert radiograph.bit_depth == bits


def test_a_deep_jpeg_that_is_cut_off_is_refused():
    data = bytes(imagecodecs.jpeg8_encode(picture(np.uint16, (40, 50), 12), 98, bitspersample=12))
    with pytest.raises(UnreadableImageError, match="end-of-image marker is missing"):
        read_radiograph(data[:-2])
