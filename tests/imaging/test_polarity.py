"""The polarity that the picture tells."""

import json
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from core.domain.radiograph import Polarity
from core.imaging.polarity import estimate_polarity
from core.imaging.polarity_signs import signs
from core.imaging.read import read_radiograph_file
from core.simulate.config import SimulationConfig
from core.simulate.render import simulate_weld

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "data" / "samples"
GDXRAY = Path(os.environ.get("RADIKAL_GDXRAY") or ROOT.parent / "shared" / "gdxray")
OTHER = {Polarity.FILM: Polarity.DIGITAL, Polarity.DIGITAL: Polarity.FILM, Polarity.UNKNOWN: Polarity.UNKNOWN}


def simulated(seed: int, polarity: Polarity) -> npt.NDArray[np.uint16]:
    return simulate_weld(seed, SimulationConfig(width_px=900, height_px=500, polarities=(polarity,))).pixels


@pytest.mark.parametrize("polarity", [Polarity.FILM, Polarity.DIGITAL])
@pytest.mark.parametrize("seed", [410_000, 410_001, 410_002])
def test_a_simulated_weld_is_never_taken_for_the_other_polarity(seed: int, polarity: Polarity) -> None:
    assert estimate_polarity(simulated(seed, polarity), "weld").polarity is not OTHER[polarity]


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("kind", ["weld", "casting"])
def test_the_inverted_picture_gets_the_other_polarity_with_the_same_confidence(kind: str, depth: int) -> None:
    pixels = simulated(410_003, Polarity.FILM)
    grey = (pixels.astype(float) / pixels.max() * (2**depth - 1)).astype(f"uint{depth}")
    one, other = estimate_polarity(grey, kind), estimate_polarity(2**depth - 1 - grey, kind)
    assert other.polarity is OTHER[one.polarity]
    assert other.confidence == pytest.approx(one.confidence, abs=0.02)


def test_every_shipped_sample_tells_its_polarity_and_why() -> None:
    for image in json.loads((SAMPLES / "truth.json").read_text())["images"]:
        told = estimate_polarity(read_radiograph_file(SAMPLES / image["file_name"]).pixels, "weld")
        assert (image["file_name"], told.polarity.value) == (image["file_name"], image["polarity"])
        assert told.reason


def test_the_reason_is_what_a_person_can_see() -> None:
    told = estimate_polarity(read_radiograph_file(SAMPLES / "digital_detector.png").pixels, "weld")
    assert told.reason == "the weld is darker than the plate"


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((200, 300), 4000, np.uint16),
        np.zeros((8, 8), np.uint8),
        np.arange(95 * 600, dtype=np.uint16).reshape(95, 600),
        np.full((64, 64), np.nan, np.float32),
    ],
    ids=["flat", "tiny", "narrow", "no numbers"],
)
def test_without_contrast_or_size_nothing_is_told(pixels: npt.NDArray[np.generic]) -> None:
    told = estimate_polarity(pixels, "weld")
    assert (told.polarity, told.confidence, told.speaks) == (Polarity.UNKNOWN, 0.5, False)


def test_a_picture_that_is_its_own_negative_tells_nothing() -> None:
    half = np.linspace(0, 30_000, 200)[:, None] * np.ones((1, 300))
    told = estimate_polarity(np.vstack([half, 60_000 - half[::-1]]).astype(np.uint16), "weld")
    assert not told.speaks


def test_of_an_unknown_kind_of_part_nothing_is_told() -> None:
    assert not estimate_polarity(simulated(410_000, Polarity.FILM), "forging").speaks


def test_values_that_are_no_numbers_do_not_spoil_the_signs() -> None:
    pixels = simulated(410_004, Polarity.FILM).astype(np.float32)
    pixels[10:14, 20:30] = np.nan
    found = signs(pixels)
    assert found is not None
    assert np.isfinite(found).all()
    assert estimate_polarity(pixels, "weld").polarity is not Polarity.DIGITAL


def test_real_films_are_films_and_their_inverted_16_bit_copies_digital() -> None:
    films = sorted(GDXRAY.glob("Welding/W0001/*.png"))
    if not films:
        pytest.skip("the GDXray films are not here")
    for film in films:
        pixels = read_radiograph_file(film).pixels.astype(np.uint16) * 257
        assert estimate_polarity(pixels, "weld").polarity is not Polarity.DIGITAL, film.stem
        assert estimate_polarity(65_535 - pixels, "weld").polarity is not Polarity.FILM, film.stem
