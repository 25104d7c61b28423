"""DICOM and DICONDE."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pydicom
import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    RLELossless,
)

from core.domain.errors import UnreadableImageError
from core.domain.radiograph import PitchSource, Polarity
from core.imaging.codestream import codestream_of
from core.imaging.dicom_attributes import register_diconde_names
from core.imaging.normalise import normalise
from core.imaging.read import read_radiograph
from tests.imaging import lossless_jpeg
from tests.imaging.pictures import picture, pillow_bytes, write_dicom


@pytest.mark.parametrize(
    ("dtype", "bits"), [(np.uint8, 8), (np.uint16, 10), (np.uint16, 12), (np.uint16, 16)]
)
def test_native_pixels_come_back_bit_for_bit_with_their_stored_bits(dtype, bits):
    pixels = picture(dtype, bits=bits)
    radiograph = read_radiograph(write_dicom(pixels, bits=bits), "film.dcm")
    np.testing.assert_array_equal(radiograph.pixels, pixels)
    assert (radiograph.pixels.dtype, radiograph.bit_depth) == (dtype, bits)
    assert (radiograph.file_format, radiograph.notes, radiograph.pitch) == ("DICOM", (), None)


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, RLELossless, JPEG2000Lossless]
)
def test_every_lossless_transfer_syntax_comes_back_bit_for_bit(syntax):
    pixels = picture(np.uint16, (48, 70), bits=12)
    radiograph = read_radiograph(write_dicom(pixels, bits=12, syntax=syntax))
    np.testing.assert_array_equal(radiograph.pixels, pixels)
    assert radiograph.bit_depth == 12


@pytest.mark.parametrize("precision", [12, 16])
def test_jpeg_lossless_comes_back_bit_for_bit(precision):
    pixels = picture(np.uint16, (20, 30), bits=precision)
    codestream = lossless_jpeg.encode(pixels, precision)
    data = write_dicom(pixels, bits=precision, syntax=JPEGLosslessSV1, compressed=codestream)
    np.testing.assert_array_equal(read_radiograph(data).pixels, pixels)


def test_jpeg_baseline_is_read():
    pixels = picture(np.uint8, (40, 48))
    codestream = pillow_bytes(pixels, "JPEG", quality=100)
    data = write_dicom(pixels, syntax=JPEGBaseline8Bit, compressed=codestream)
    np.testing.assert_allclose(read_radiograph(data).pixels, pixels, atol=3)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_a_data_set_without_preamble_is_read(syntax):
    pixels = picture(np.uint16)
    data = write_dicom(pixels, syntax=syntax, has_preamble=False)
    assert data[128:132] != b"DICM"
    np.testing.assert_array_equal(read_radiograph(data).pixels, pixels)


# --- polarity ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("photometric", "sign", "slope", "polarity"),
    [
        ("MONOCHROME2", None, 1, Polarity.FILM),
        ("MONOCHROME1", None, 1, Polarity.DIGITAL),
        ("MONOCHROME2", -1, 1, Polarity.FILM),
        ("MONOCHROME2", 1, 1, Polarity.DIGITAL),
        ("MONOCHROME1", 1, 1, Polarity.DIGITAL),
        ("MONOCHROME1", -1, 1, Polarity.FILM),
        ("MONOCHROME2", 1, -1, Polarity.FILM),
        ("MONOCHROME2", None, -1, Polarity.FILM),
        ("MONOCHROME2", 0, 1, Polarity.FILM),
    ],
)
def test_polarity_follows_the_photometric_interpretation_and_the_intensity_sign(
    photometric, sign, slope, polarity
):
    elements = {} if sign is None else {"PixelIntensityRelationshipSign": sign}
    if slope != 1:
        elements |= {"RescaleSlope": slope, "RescaleIntercept": 65535}
    data = write_dicom(picture(np.uint16), photometric=photometric, **elements)
    assert read_radiograph(data).polarity is polarity


def test_a_sign_that_contradicts_the_photometric_interpretation_is_noted():
    data = write_dicom(picture(np.uint16), PixelIntensityRelationshipSign=1)
    assert "MONOCHROME2 alone would mean polarity film" in read_radiograph(data).notes[0]


def test_one_picture_in_both_photometric_interpretations_is_one_to_the_network():
    film = picture(np.uint16, bits=12)
    a = read_radiograph(write_dicom(film, bits=12, photometric="MONOCHROME2"))
    b = read_radiograph(write_dicom((4095 - film).astype(np.uint16), bits=12, photometric="MONOCHROME1"))
    first, second = (
        normalise(r.pixels, polarity=r.polarity, model_polarity=Polarity.DIGITAL) for r in (a, b)
    )
    np.testing.assert_allclose(first, second, atol=1e-5)


def test_the_file_outranks_the_polarity_that_was_asked_for_and_says_so():
    radiograph = read_radiograph(write_dicom(picture(np.uint8)), polarity=Polarity.DIGITAL)
    assert radiograph.polarity is Polarity.FILM
    assert radiograph.notes == (
        "polarity film is taken from the file (MONOCHROME2), not the digital that was asked for",
    )


def test_colour_says_nothing_about_polarity():
    planes = np.dstack([picture(np.uint8)] * 3)
    radiograph = read_radiograph(write_dicom(planes, photometric="RGB"), polarity=Polarity.FILM)
    np.testing.assert_array_equal(radiograph.pixels, planes[..., 0])
    assert radiograph.polarity is Polarity.FILM
    assert radiograph.notes == ("colour file with equal channels, one taken",)


@pytest.mark.parametrize(
    ("dtype", "lowest", "highest"),
    [(np.uint32, 0, 2**17), (np.uint32, 0, 4000), (np.int16, -2000, 2000), (np.int32, -(2**20), 2**20)],
)
def test_colour_of_any_depth_is_read_as_luma(dtype, lowest, highest):
    planes = np.random.default_rng(4).integers(lowest, highest, (24, 31, 3)).astype(dtype)
    radiograph = read_radiograph(write_dicom(planes, photometric="RGB"))
    luma = planes.astype(float) @ (0.299, 0.587, 0.114)
    shift = 2**15 if dtype == np.int16 else 0
    assert np.abs(radiograph.pixels.astype(float) - shift - luma).max() <= 0.5 + 1e-6
    assert "colour converted to grey" in radiograph.notes
    assert any("shifted up by 32768" in note for note in radiograph.notes) == bool(shift)


def test_a_colour_palette_is_resolved():
    ramp = np.arange(256, dtype=np.uint16)
    lut = {}
    for colour in ("Red", "Green", "Blue"):
        lut[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        lut[f"{colour}PaletteColorLookupTableData"] = (ramp * 200).tobytes()
    pixels = np.array([[0, 1, 255, 7]], np.uint8)
    radiograph = read_radiograph(write_dicom(pixels, photometric="PALETTE COLOR", **lut))
    assert radiograph.pixels.tolist() == [[0, 200, 51000, 1400]]


# --- values ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slope", "intercept", "dtype", "depth"),
    [
        (2, 1, np.uint16, 13),
        (-1, 4095, np.uint16, 12),
        (0.5, 0, np.float32, 32),
        (1, -1000, np.float32, 32),
        (100, 0, np.float32, 32),
        (1, 0, np.uint16, 12),
    ],
)
def test_the_rescale_keeps_integers_where_they_fit(slope, intercept, dtype, depth):
    stored = np.array([[0, 1, 100, 4095]], np.uint16)
    data = write_dicom(stored, bits=12, RescaleSlope=slope, RescaleIntercept=intercept)
    radiograph = read_radiograph(data)
    np.testing.assert_allclose(radiograph.pixels, stored * float(slope) + intercept)
    assert (radiograph.pixels.dtype, radiograph.bit_depth) == (dtype, depth)


def test_signed_pixels_are_shifted_up_by_half_their_stored_range():
    stored = np.array([[-2048, -1, 0, 2047]], np.int16)
    radiograph = read_radiograph(write_dicom(stored, bits=12))
    assert radiograph.pixels.tolist() == [[0, 2047, 2048, 4095]]
    assert radiograph.bit_depth == 12
    assert radiograph.notes == ("signed pixels shifted up by 2048",)


def test_signed_pixels_with_an_intercept_that_lifts_them_stay_integers():
    stored = np.array([[-2048, 0, 2047]], np.int16)
    radiograph = read_radiograph(write_dicom(stored, bits=12, RescaleSlope=1, RescaleIntercept=2048))
    assert radiograph.pixels.tolist() == [[0, 2048, 4095]]
    assert (radiograph.pixels.dtype, radiograph.bit_depth) == (np.uint16, 12)


def test_bits_above_the_stored_ones_are_dropped():
    stored = np.array([[0x0123, 0xF123, 0x8FFF]], np.uint16)
    radiograph = read_radiograph(write_dicom(stored, bits=12))
    assert radiograph.pixels.tolist() == [[0x123, 0x123, 0xFFF]]


def test_padding_takes_the_nearest_value_of_the_picture():
    stored = np.array([[300, 400, 0, 0], [500, 600, 0, 0]], np.uint16)
    radiograph = read_radiograph(write_dicom(stored, PixelPaddingValue=0))
    assert radiograph.pixels.tolist() == [[300, 400, 300, 300], [500, 600, 300, 300]]
    assert radiograph.notes == ("4 padding pixels set to 300, the nearest value of the picture",)


def test_a_range_of_padding_is_all_filled():
    stored = np.array([[10, 20, 65000, 65535]], np.uint16)
    data = write_dicom(stored, PixelPaddingValue=65535, PixelPaddingRangeLimit=64000)
    assert read_radiograph(data).pixels.tolist() == [[10, 20, 20, 20]]


def test_a_modality_lookup_table_is_applied():
    item = pydicom.Dataset()
    item.LUTDescriptor, item.LUTData = [4, 0, 16], [0, 1000, 5000, 60000]
    item["LUTDescriptor"].VR = item["LUTData"].VR = "US"
    item.ModalityLUTType = "US"
    stored = np.array([[0, 1, 2, 3]], np.uint16)
    radiograph = read_radiograph(write_dicom(stored, ModalityLUTSequence=[item]))
    assert radiograph.pixels.tolist() == [[0, 1000, 5000, 60000]]


def test_several_frames_give_the_first_with_a_note():
    frames = np.stack([picture(np.uint16), np.zeros((24, 31), np.uint16)])
    radiograph = read_radiograph(write_dicom(frames, frames=2))
    np.testing.assert_array_equal(radiograph.pixels, frames[0])
    assert radiograph.notes == ("2 frames, first one read",)


# --- millimetres -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("elements", "mm_per_px", "source"),
    [
        ({}, None, None),
        ({"ImagerPixelSpacing": [0.2, 0.2]}, 0.2, PitchSource.DETECTOR),
        ({"PixelSpacing": [0.1, 0.1]}, 0.1, PitchSource.DETECTOR_UNCALIBRATED),
        ({"PixelSpacing": [0.1, 0.1], "ImagerPixelSpacing": [0.2, 0.2]}, 0.2, PitchSource.DETECTOR),
        (
            {
                "PixelSpacing": [0.1, 0.1],
                "ImagerPixelSpacing": [0.2, 0.2],
                "PixelSpacingCalibrationType": "FIDUCIAL",
            },
            0.1,
            PitchSource.OBJECT,
        ),
        (
            {
                "PixelSpacing": [0.2, 0.2],
                "ImagerPixelSpacing": [0.2, 0.2],
                "PixelSpacingCalibrationType": "GEOMETRY",
            },
            0.2,
            PitchSource.DETECTOR,
        ),
        (
            {"PixelSpacing": [0.1, 0.1], "PixelSpacingCalibrationType": "GEOMETRY"},
            0.1,
            PitchSource.DETECTOR_UNCALIBRATED,
        ),
        (
            {"ImagerPixelSpacing": [0.2, 0.2], "EstimatedRadiographicMagnificationFactor": 1.6},
            0.125,
            PitchSource.OBJECT_BY_MAGNIFICATION,
        ),
        (
            {"PixelSpacing": [0.2, 0.2], "EstimatedRadiographicMagnificationFactor": 1.6},
            0.2,
            PitchSource.DETECTOR_UNCALIBRATED,
        ),
        (
            {
                "PixelSpacing": [0.1, 0.1],
                "ImagerPixelSpacing": [0.2, 0.2],
                "PixelSpacingCalibrationType": "FIDUCIAL",
                "EstimatedRadiographicMagnificationFactor": 1.6,
            },
            0.1,
            PitchSource.OBJECT,
        ),
        ({"NominalScannedPixelSpacing": [0.05, 0.05]}, 0.05, PitchSource.FILE),
        ({"ImagerPixelSpacing": [0.2, 0.3]}, None, None),
        ({"ImagerPixelSpacing": [0, 0]}, None, None),
    ],
)
def test_a_millimetre_says_which_plane_it_comes_from(elements, mm_per_px, source):
    pitch = read_radiograph(write_dicom(picture(np.uint8), **elements)).pitch
    if mm_per_px is None:
        assert pitch is None
    else:
        assert pitch.mm_per_px == pytest.approx(mm_per_px)
        assert pitch.source is source


def test_pixels_that_are_not_square_are_noted():
    radiograph = read_radiograph(write_dicom(picture(np.uint8), PixelSpacing=[0.1, 0.2]))
    assert radiograph.notes == ("pixels are not square (0.1 x 0.2 mm), so millimetres are unknown",)


# --- DICONDE -----------------------------------------------------------------------------------


def test_diconde_fields_come_under_their_own_names():
    data = write_dicom(
        picture(np.uint8),
        PatientName="Butt weld 7",
        PatientID="W-007",
        EthnicGroup="S355",
        PerformingPhysicianName="A^B",
        NameOfPhysiciansReadingStudy=["C", "D"],
    )
    assert dict(read_radiograph(data).fields) == {
        "ComponentName": "Butt weld 7",
        "ComponentID": "W-007",
        "Material": "S355",
        "Inspector": "A^B",
        "CertifyingInspector": "C, D",
    }


def test_the_names_are_registered_with_pydicom_and_the_medical_ones_keep_working():
    register_diconde_names()
    register_diconde_names()
    dataset = pydicom.Dataset()
    dataset.ComponentName = "Casting"
    assert dataset.PatientName == "Casting"
    assert dataset[0x00100010].keyword == "ComponentName"


# --- broken ------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.995])
@pytest.mark.parametrize(
    "syntax",
    [
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        DeflatedExplicitVRLittleEndian,
        RLELossless,
        JPEG2000Lossless,
    ],
)
def test_a_cut_dicom_file_is_never_half_a_picture(syntax, share):
    data = write_dicom(picture(np.uint16, (64, 64)), syntax=syntax)
    with pytest.raises(UnreadableImageError, match="DICOM"):
        read_radiograph(data[: int(len(data) * share)])


@pytest.mark.parametrize("elements", [{"Columns": 4000}, {"Rows": 25}])
def test_a_header_that_promises_more_than_there_is_is_refused(elements):
    with pytest.raises(UnreadableImageError, match=r"bytes of pixels are there"):
        read_radiograph(write_dicom(picture(np.uint16), **elements))


def test_a_compressed_frame_of_another_size_than_the_header_is_refused_before_decoding():
    codestream = pillow_bytes(picture(np.uint8, (400, 480)), "JPEG")
    data = write_dicom(picture(np.uint8, (40, 48)), syntax=JPEGBaseline8Bit, compressed=codestream)
    with pytest.raises(UnreadableImageError, match="the compressed frame 480 x 400 px, samples 1"):
        read_radiograph(data)


def test_a_compressed_frame_that_is_cut_is_refused():
    codestream = pillow_bytes(picture(np.uint8, (40, 48)), "JPEG")[:-40]
    data = write_dicom(picture(np.uint8, (40, 48)), syntax=JPEGBaseline8Bit, compressed=codestream)
    with pytest.raises(UnreadableImageError, match="compressed frame is cut off"):
        read_radiograph(data)


def test_a_data_set_without_pixels_is_named():
    dataset = pydicom.dcmread(BytesIO(write_dicom(picture(np.uint8))))
    del dataset.PixelData
    dataset.Modality = "SR"
    stream = BytesIO()
    dataset.save_as(stream)
    with pytest.raises(UnreadableImageError, match=r"a data set without pixels \(SR\)"):
        read_radiograph(stream.getvalue())


def test_a_deflated_bomb_is_refused_before_it_unpacks():
    data = write_dicom(picture(np.uint8), syntax=DeflatedExplicitVRLittleEndian)
    start = 132 + 12 + struct.unpack_from("<I", data, 140)[0]
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    bomb = block * 2000 + packer.flush()
    with pytest.raises(UnreadableImageError, match="decompression bomb"):
        read_radiograph(data[:start] + bomb)


def test_codestreams_state_their_size():
    assert codestream_of(pillow_bytes(picture(np.uint8, (40, 48)), "JPEG")) == (48, 40, 1, 8)
    assert codestream_of(pillow_bytes(picture(np.uint8, (40, 48)), "JPEG2000", no_jp2=True)) == (48, 40, 1, 8)
    assert codestream_of(b"\xff\xd8") is None


def test_a_rescale_that_is_no_number_is_refused():
    data = write_dicom(picture(np.uint16), RescaleSlope="1.5", RescaleIntercept="0")
    with pytest.raises(UnreadableImageError, match="DICOM"):
        read_radiograph(data.replace(b"1.5 ", b"1.e "))


def test_float_pixels_are_kept_as_floats():
    dataset = pydicom.dcmread(BytesIO(write_dicom(np.zeros((3, 4), np.uint32))))
    values = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
    del dataset.PixelData
    dataset.FloatPixelData = values.tobytes()
    stream = BytesIO()
    dataset.save_as(stream)
    radiograph = read_radiograph(stream.getvalue())
    np.testing.assert_array_equal(radiograph.pixels, values)
    assert radiograph.bit_depth == 32


def test_a_missing_photometric_interpretation_is_named():
    dataset = pydicom.dcmread(BytesIO(write_dicom(picture(np.uint8))))
    del dataset.PhotometricInterpretation
    stream = BytesIO()
    dataset.save_as(stream)
    with pytest.raises(UnreadableImageError, match="PhotometricInterpretation is missing"):
        read_radiograph(stream.getvalue())
