"""Codecs of TIFF strips and tiles, samples of any width, and what their colours are."""

import io
import struct

import cv2
import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from core.domain.errors import UnreadableImageError
from core.imaging.read import read_radiograph
from tests.imaging.pictures import picture, pillow_bytes

DEEP = picture(np.uint16, (48, 70))
COLOUR = np.dstack([DEEP >> 8, DEEP[::-1] >> 9, DEEP[:, ::-1] >> 8]).astype(np.uint8)


def written(array: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, **options)
    return stream.getvalue()


def luma(planes: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(np.ascontiguousarray(planes), cv2.COLOR_RGB2GRAY).astype(int)


# --- codecs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("compression", ["zstd", "lzma", "jpeg2000", "lerc"])
@pytest.mark.parametrize("options", [{}, {"tile": (16, 32)}, {"rowsperstrip": 7}])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_codecs_that_are_kept_come_back_bit_for_bit(compression, options, dtype):
    pixels = picture(dtype, (48, 70))
    data = written(pixels, compression=compression, **options)
    np.testing.assert_array_equal(read_radiograph(data).pixels, pixels)


@pytest.mark.parametrize("compression", ["zstd", "lzma"])
def test_a_predictor_before_a_codec_is_undone(compression):
    for pixels in (DEEP, DEEP.astype(np.float32) / 7):
        data = written(pixels, compression=compression, predictor=True)
        np.testing.assert_array_equal(read_radiograph(data).pixels, pixels)


@pytest.mark.parametrize("outer", ["zstd", "deflate"])
def test_lerc_that_is_packed_once_more_is_read(outer):
    data = written(DEEP, compression="lerc", compressionargs={"compression": outer})
    np.testing.assert_array_equal(read_radiograph(data).pixels, DEEP)


def test_lerc_without_values_in_places_is_refused():
    mask = np.ones(DEEP.shape, bool)
    mask[:5] = False
    strip = imagecodecs.lerc_encode(DEEP, masks=mask)
    data = written(iter([strip]), shape=DEEP.shape, dtype=np.uint16, compression="lerc", rowsperstrip=48)
    with pytest.raises(UnreadableImageError, match="pixels that have no value"):
        read_radiograph(data)


@pytest.mark.parametrize("compression", ["zstd", "lzma", "jpeg2000", "lerc", "jpeg"])
def test_a_strip_that_is_cut_off_is_refused(compression):
    pixels = COLOUR[..., 0] if compression == "jpeg" else DEEP
    data = bytearray(written(pixels, compression=compression, rowsperstrip=48))
    page = tifffile.TiffFile(io.BytesIO(bytes(data))).pages[0]
    tag = page.tags["StripByteCounts"]
    data[tag.valueoffset : tag.valueoffset + tag.valuebytecount] = (page.databytecounts[0] // 2).to_bytes(
        tag.valuebytecount, "little"
    )
    with pytest.raises(UnreadableImageError, match="truncated or damaged"):
        read_radiograph(bytes(data))


@pytest.mark.parametrize("compression", ["zstd", "lzma", "jpeg2000", "lerc"])
def test_a_strip_that_holds_more_than_the_page_is_refused_and_not_unpacked(compression):
    encode = {
        "zstd": lambda a: imagecodecs.zstd_encode(a.tobytes()),
        "lzma": lambda a: imagecodecs.lzma_encode(a.tobytes()),
        "jpeg2000": imagecodecs.jpeg2k_encode,
        "lerc": imagecodecs.lerc_encode,
    }[compression]
    strip = bytes(encode(np.zeros((4000, 4000), np.uint16)))
    data = written(iter([strip]), shape=(10, 10), dtype=np.uint16, compression=compression, rowsperstrip=10)
    if compression == "lzma":  # as with Deflate, what is needed is taken and no more
        assert not read_radiograph(data).pixels.any()
        return
    with pytest.raises(UnreadableImageError, match="truncated or damaged"):
        read_radiograph(data)


# --- samples -----------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [9, 10, 11, 12, 13, 14, 15])
def test_packed_samples_of_any_width_come_back_bit_for_bit(bits):
    pixels = DEEP >> (16 - bits)
    data = written(
        iter([packed(pixels, bits)]), shape=pixels.shape, dtype=np.uint16, bitspersample=bits, rowsperstrip=48
    )
    radiograph = read_radiograph(data)
    np.testing.assert_array_equal(radiograph.pixels, pixels)
    assert radiograph.bit_depth == bits


def packed(pixels: np.ndarray, bits: int) -> bytes:
    """Rows of samples of `bits` each, the highest bit first, every row beginning at a byte."""
    planes = (pixels[..., None].astype(np.uint32) >> np.arange(bits - 1, -1, -1)) & 1
    return np.packbits(planes.reshape(len(pixels), -1), axis=1).tobytes()


@pytest.mark.parametrize("bits", [2, 3, 5, 6, 7])
def test_few_bits_are_spread_over_8_bit(bits):
    pixels = (DEEP >> (16 - bits)).astype(np.uint8)
    data = written(
        iter([packed(pixels, bits)]), shape=pixels.shape, dtype=np.uint8, bitspersample=bits, rowsperstrip=48
    )
    expected = np.rint(pixels * 255.0 / (2**bits - 1))
    np.testing.assert_array_equal(read_radiograph(data).pixels, expected)


def test_signed_samples_of_12_bit_keep_their_sign():
    pixels = (DEEP.astype(np.int32) >> 4) - 2048
    strip, options = packed(pixels & 0xFFF, 12), {"bitspersample": 12, "rowsperstrip": 48}
    tagged = {"extratags": [(65000, 3, 1, 2, True)]}  # tifffile does not write them: named SampleFormat below
    data = written(iter([strip]), shape=pixels.shape, dtype=np.uint16, **options, **tagged)
    data = data.replace(struct.pack("<HHI", 65000, 3, 1), struct.pack("<HHI", 339, 3, 1))
    radiograph = read_radiograph(data)
    np.testing.assert_array_equal(radiograph.pixels.astype(int) - 2048, pixels)
    assert radiograph.notes == ("signed pixels shifted up by 2048",)


@pytest.mark.parametrize("planarconfig", ["contig", "separate"])
def test_a_second_energy_is_not_taken_for_colour_or_transparency(planarconfig):
    both = np.stack([DEEP, DEEP[::-1], DEEP[:, ::-1]], axis=-1 if planarconfig == "contig" else 0)
    radiograph = read_radiograph(
        written(both, photometric="minisblack", planarconfig=planarconfig, extrasamples=["unspecified"] * 2)
    )
    np.testing.assert_array_equal(radiograph.pixels, DEEP)
    assert radiograph.unread == ("2 further samples of each pixel not read",)


# --- JPEG --------------------------------------------------------------------------------------


def libtiff_rgb_jpeg() -> bytes:
    """RGB in JPEG as libtiff writes it by default: no Adobe marker; components numbered from 0."""
    data = pillow_bytes(COLOUR, "TIFF", compression="jpeg", quality=100)
    page = tifffile.TiffFile(io.BytesIO(data)).pages[0]
    assert page.photometric == tifffile.PHOTOMETRIC.RGB
    start, size = page.dataoffsets[0], page.databytecounts[0]
    strip = data[start : start + size]
    frame, scan = strip.index(b"\xff\xc0"), strip.index(b"\xff\xda")
    changed = bytearray(strip)
    for number in range(3):
        changed[frame + 10 + 3 * number] = number
        changed[scan + 5 + 2 * number] = number
    return data[:start] + bytes(changed) + data[start + size :]


def test_photometric_rgb_in_jpeg_is_rgb_whatever_its_components_are_called():
    data = libtiff_rgb_jpeg()
    pixels = read_radiograph(data).pixels
    np.testing.assert_allclose(pixels, luma(COLOUR), atol=4)
    np.testing.assert_allclose(pixels, luma(tifffile.imread(io.BytesIO(data))), atol=4)
    np.testing.assert_allclose(pixels, luma(np.asarray(Image.open(io.BytesIO(data)))), atol=4)


@pytest.mark.parametrize("options", [{}, {"tile": (32, 32)}, {"rowsperstrip": 16}])
@pytest.mark.parametrize("stored", ["rgb", "ycbcr"])
def test_colour_in_jpeg_is_what_the_references_read(options, stored):
    data = written(
        COLOUR,
        photometric="rgb",
        compression="jpeg",
        compressionargs={"level": 95, "outcolorspace": stored},
        **options,
    )
    pixels = read_radiograph(data).pixels
    np.testing.assert_allclose(pixels, luma(tifffile.imread(io.BytesIO(data))), atol=4)
    np.testing.assert_allclose(pixels, luma(np.asarray(Image.open(io.BytesIO(data)))), atol=4)


def test_12_bit_jpeg_in_tiff_is_read():
    pixels = np.clip(cv2.GaussianBlur(DEEP, (0, 0), 3) >> 4, 0, 4095)
    strip = bytes(imagecodecs.jpeg8_encode(pixels, 98, bitspersample=12))
    data = written(
        iter([strip]),
        shape=pixels.shape,
        dtype=np.uint16,
        bitspersample=12,
        compression="jpeg",
        rowsperstrip=48,
    )
    radiograph = read_radiograph(data)
    np.testing.assert_array_equal(radiograph.pixels, imagecodecs.jpeg8_decode(strip))
    np.testing.assert_allclose(radiograph.pixels, pixels, atol=8)
    assert radiograph.bit_depth == 12


def test_a_jpeg_strip_of_another_size_is_refused():
    data = bytearray(written(COLOUR[..., 0], compression="jpeg"))
    at = data.find(struct.pack("<HHI", 256, 3, 1))
    at = at if at >= 0 else data.find(struct.pack("<HHI", 256, 4, 1))
    data[at + 8 : at + 10] = struct.pack("<H", 64)
    with pytest.raises(
        UnreadableImageError, match="a strip or tile of 70 x 48 px, samples 1; expected 64 x 48"
    ):
        read_radiograph(bytes(data))


def test_ycbcr_in_jpeg_2000_is_named_as_not_supported():
    strip = bytes(imagecodecs.jpeg2k_encode(COLOUR, mct=False))
    data = written(
        iter([strip]),
        shape=COLOUR.shape,
        dtype=np.uint8,
        photometric="rgb",
        compression=33003,
        rowsperstrip=48,
    )
    data = data.replace(struct.pack("<HHIHH", 262, 3, 1, 2, 0), struct.pack("<HHIHH", 262, 3, 1, 6, 0))
    with pytest.raises(UnreadableImageError, match="YCbCr"):
        read_radiograph(data)
