"""Scales: typed pitches, the magnification of an exposure, which of several counts."""

import pytest

from core.domain.errors import BadInputError
from core.domain.exposure import Exposure
from core.domain.radiograph import PitchSource, PixelPitch
from core.domain.scale import at_object, scale_of, typed_pitch_mm


@pytest.mark.parametrize(
    ("text", "mm"),
    [("50 µm", 0.05), ("50um", 0.05), ("50 μm", 0.05), ("0.05 mm", 0.05), ("0,05mm", 0.05),
     ("600 dpi", 25.4 / 600), (" 1200 DPI ", 25.4 / 1200), (".1 mm", 0.1)],
)  # fmt: skip
def test_a_typed_pitch_is_read_in_its_unit(text: str, mm: float) -> None:
    assert typed_pitch_mm(text) == pytest.approx(mm)


@pytest.mark.parametrize("text", ["", "50", "50 m", "-50 µm", "0 dpi", "0 µm", "10 mm", "50 µm 2", "1e3 µm"])
def test_what_is_no_pitch_of_a_radiograph_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="pixel pitch: expected"):
        typed_pitch_mm(text)


@pytest.mark.parametrize(
    ("exposure", "magnification"),
    [(Exposure(sfd_mm=700, b_mm=100), 700 / 600), (Exposure(f_mm=600, b_mm=100), 700 / 600),
     (Exposure(sfd_mm=700, f_mm=600), 700 / 600), (Exposure(sfd_mm=700, f_mm=650, b_mm=100), 700 / 600),
     (Exposure(sfd_mm=700), None), (Exposure(b_mm=100), None), (Exposure(), None),
     (Exposure(sfd_mm=100, b_mm=100), None)],
)  # fmt: skip
def test_the_magnification_follows_from_two_distances(
    exposure: Exposure, magnification: float | None
) -> None:
    assert exposure.magnification == pytest.approx(magnification)


def test_millimetres_at_the_object_are_the_pitch_over_the_magnification_and_say_so() -> None:
    scaled = at_object(PixelPitch(0.05, PitchSource.TYPED), Exposure(sfd_mm=700, b_mm=100))
    assert scaled.mm_per_px == pytest.approx(0.05 * 600 / 700)
    assert scaled.words == "object plane: 50 µm entered by the user / M 1.167 (SFD 700 mm, b 100 mm)"


@pytest.mark.parametrize(
    "source", [PitchSource.USER, PitchSource.OBJECT, PitchSource.OBJECT_BY_MAGNIFICATION]
)
def test_a_scale_at_the_object_is_never_divided(source: PitchSource) -> None:
    pitch = PixelPitch(0.05, source)
    assert at_object(pitch, Exposure(sfd_mm=700, b_mm=100)) is pitch


def test_what_a_person_entered_counts_before_the_file_and_the_file_before_the_setup() -> None:
    setup = Exposure(detector_pixel_um=100)
    entered, of_file = PixelPitch(0.05, PitchSource.USER), PixelPitch(0.07, PitchSource.OBJECT)
    assert scale_of(entered, of_file, setup) is entered
    assert scale_of(None, of_file, setup) is of_file
    assert scale_of(None, None, setup) == PixelPitch(0.1, PitchSource.SETUP)
    assert scale_of(None, None, Exposure()) is None
