"""The image-quality gate on simulated radiographs, whole and degraded."""

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.radiograph import PitchSource, PixelPitch, Polarity, Radiograph
from core.imaging.fingerprint import Likeness, find_copy, fingerprint
from core.imaging.quality.assess import assess
from core.imaging.quality.grey_values import grey_values
from core.imaging.quality.noise import find_flat_region
from core.imaging.quality.report import (
    CASTING_LIMITS,
    WELD_LIMITS,
    CheckKind,
    CheckState,
    EarlierPictures,
    QualityLimits,
)
from core.imaging.quality.sharpness import measure_sharpness
from core.imaging.read import read_radiograph_file
from core.simulate.config import SimulationConfig
from core.simulate.render import simulate_weld

SEEDS = (0, 3, 6, 11)
FAR_FROM_BLUR = 4.0


def radiograph(pixels, *, bit_depth=8, polarity=Polarity.FILM, sha256="0" * 64) -> Radiograph:
    return Radiograph(pixels, bit_depth, polarity, None, sha256, "PNG")


@pytest.fixture(scope="module", params=SEEDS)
def film(request):
    made = simulate_weld(request.param, SimulationConfig(height_px=700, width_px=2000))
    pixels = np.rint(made.pixels * (255 / (2**made.bit_depth - 1))).astype(np.uint8)
    return radiograph(pixels)


def with_pixels(film, pixels):
    return replace(film, pixels=np.clip(np.rint(pixels), 0, 255).astype(np.uint8))


def search(image, earlier):
    """`image` beside earlier pictures; its own fingerprint among them does not count."""
    others = [one for one in earlier if one.sha256 != image.sha256]
    return EarlierPictures(len(others), find_copy(image, others))


def failed(report):
    return {check.kind for check in report.failed}


# --- whole pictures


def test_a_simulated_film_passes(film):
    report = assess(film, limits=WELD_LIMITS)
    assert failed(report) == set()
    assert [check.kind for check in report.checks] == list(CheckKind)
    assert report.limits_id == "weld 1"
    assert all(check.sentence.endswith(".") or ":" in check.sentence for check in report.checks)


@pytest.mark.parametrize("bit_depth", [12, 16])
def test_a_deeper_film_passes_the_same_checks(bit_depth):
    made = simulate_weld(3, SimulationConfig(height_px=500, width_px=1200, bit_depths=(bit_depth,)))
    report = assess(radiograph(made.pixels, bit_depth=bit_depth), limits=WELD_LIMITS)
    assert failed(report) == set()
    assert report.check(CheckKind.BIT_DEPTH).measured > bit_depth - 1.5


# --- degraded pictures fail the right check and only that


def test_a_posterised_film_fails_the_bit_depth_alone(film):
    report = assess(replace(film, pixels=film.pixels // 4 * 4), limits=WELD_LIMITS)
    assert failed(report) == {CheckKind.BIT_DEPTH}
    assert report.check(CheckKind.BIT_DEPTH).measured == pytest.approx(6, abs=0.2)


def test_a_blurred_film_fails_the_blur_alone(film):
    blurred = cv2.GaussianBlur(film.pixels.astype(np.float32), (0, 0), FAR_FROM_BLUR)
    assert failed(assess(with_pixels(film, blurred), limits=WELD_LIMITS)) == {CheckKind.BLUR}


def test_a_noisy_film_fails_the_noise_alone(film):
    values = film.pixels * 0.6 + 50
    noisy = values + np.random.default_rng(1).normal(0, 14, values.shape)
    assert failed(assess(with_pixels(film, noisy), limits=WELD_LIMITS)) == {CheckKind.NOISE}


@pytest.mark.parametrize(
    ("kind", "percentile"), [(CheckKind.CLIPPING_LOW, 12), (CheckKind.CLIPPING_HIGH, 88)]
)
def test_a_clipped_film_fails_the_clipping_at_that_end_alone(film, kind, percentile):
    at = np.percentile(film.pixels, percentile)
    clipped = np.maximum(film.pixels, at) if percentile < 50 else np.minimum(film.pixels, at)
    report = assess(with_pixels(film, clipped), limits=replace(WELD_LIMITS, min_span=20))
    assert failed(report) == {kind}
    assert report.check(kind).measured == pytest.approx(12, abs=3)


def test_a_flat_exposure_fails_the_span():
    made = simulate_weld(7, SimulationConfig(height_px=500, width_px=1200, bit_depths=(12,)))
    thin = (made.pixels / 4095 * 40 + 20).astype(np.uint16)
    report = assess(radiograph(thin, bit_depth=8), limits=WELD_LIMITS)
    assert CheckKind.CONTRAST_SPAN in failed(report)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_black_picture_fails_as_blank_and_the_rest_is_not_evaluable(dtype):
    report = assess(radiograph(np.zeros((300, 400), dtype)), limits=WELD_LIMITS)
    assert failed(report) == {CheckKind.CONTRAST_SPAN}
    assert {check.state for check in report.checks} == {CheckState.FAILED, CheckState.NOT_EVALUABLE}


def test_a_picture_without_any_value_is_blank():
    report = assess(radiograph(np.full((60, 60), np.nan, np.float32)), limits=WELD_LIMITS)
    assert "no pixel has a value" in report.check(CheckKind.CONTRAST_SPAN).sentence


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (400, 1), (20, 20), (70, 30)])
def test_the_smallest_pictures_are_assessed_without_an_error(shape):
    pixels = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    image = radiograph(pixels)
    assert len(assess(image, limits=WELD_LIMITS, compared=search(image, [fingerprint(image)])).checks) == 8


# --- what must not matter


def test_inverting_picture_and_polarity_changes_nothing(film):
    limits = WELD_LIMITS
    before = assess(film, limits=limits)
    after = assess(
        replace(film, pixels=255 - film.pixels, polarity=Polarity.DIGITAL, sha256="1" * 64), limits=limits
    )
    swapped = {
        CheckKind.CLIPPING_LOW: CheckKind.CLIPPING_HIGH,
        CheckKind.CLIPPING_HIGH: CheckKind.CLIPPING_LOW,
    }
    for check in before.checks:
        other = after.check(swapped.get(check.kind, check.kind))
        assert other.state is check.state
        if check.measured is not None:
            assert other.measured == pytest.approx(check.measured, rel=0.02, abs=0.02)


def test_without_a_polarity_the_noise_is_not_evaluable(film):
    report = assess(replace(film, polarity=Polarity.UNKNOWN), limits=WELD_LIMITS)
    assert report.check(CheckKind.NOISE).state is CheckState.NOT_EVALUABLE
    assert "polarity" in report.check(CheckKind.NOISE).sentence


def test_float_pixels_are_judged_where_they_can_be(film):
    report = assess(replace(film, pixels=film.pixels.astype(np.float32), bit_depth=32), limits=WELD_LIMITS)
    for kind in (CheckKind.BIT_DEPTH, CheckKind.CONTRAST_SPAN, CheckKind.NOISE):
        assert report.check(kind).state is CheckState.NOT_EVALUABLE
    assert report.check(CheckKind.BLUR).state is CheckState.PASSED


# --- single measures


@pytest.mark.parametrize("blur", [1.0, 1.5, 2.0, 3.0, 4.0])
@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_the_blur_of_step_edges_is_measured_in_px(blur, noise):
    y, x = np.mgrid[:512, :512]
    edges = (((x + 0.2 * y) // 64 + (y - 0.2 * x) // 64) % 2 * 120 + 60).astype(np.float32)
    pixels = cv2.GaussianBlur(edges, (0, 0), blur)
    pixels += np.random.default_rng(0).normal(0, noise, pixels.shape).astype(np.float32)
    found = measure_sharpness(pixels)
    assert found.n_edges > 100
    assert found.blur_px == pytest.approx(blur, rel=0.2, abs=0.1)


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(SEEDS), st.floats(0.5, 2.0), st.floats(1.1, 3.0))
def test_blurring_more_never_lowers_the_blur_measured(seed, first, more):
    made = simulate_weld(seed, SimulationConfig(height_px=320, width_px=800, flaw_groups=20))
    pixels = made.pixels.astype(np.float32)
    values = [
        measure_sharpness(cv2.GaussianBlur(pixels, (0, 0), sigma)).blur_px for sigma in (first, first * more)
    ]
    if None not in values:
        assert values[1] >= values[0] * 0.97


def test_gain_offset_and_inversion_leave_the_blur_alone(film):
    pixels = film.pixels.astype(np.float32)
    before = measure_sharpness(pixels)
    assert measure_sharpness(-pixels + 300).blur_px == pytest.approx(before.blur_px, rel=1e-3)
    assert measure_sharpness(pixels * 2).blur_px == pytest.approx(before.blur_px, rel=0.1)


def test_noise_alone_holds_no_edges():
    noise = np.random.default_rng(0).normal(100, 10, (600, 600)).astype(np.float32)
    assert measure_sharpness(noise).blur_px is None
    assert measure_sharpness(np.zeros((10, 10), np.float32)).blur_px is None


@pytest.mark.parametrize(
    ("pixels", "bits", "low", "high"),
    [
        (np.arange(256).repeat(10), 8.0, 0.0, 0.0),
        (np.arange(0, 256, 4).repeat(10), 6.0, 0.0, 0.0),
        (np.concatenate([np.arange(256).repeat(10), np.zeros(640)]), 8.0, 650 / 3200, 0.0),
        (np.concatenate([np.arange(240).repeat(10), np.full(800, 239)]), 8.0, 0.0, 810 / 3200),
    ],
)
def test_depth_and_clipping_are_read_off_the_histogram(pixels, bits, low, high):
    found = grey_values(
        radiograph(pixels.astype(np.uint8).reshape(-1, 40) if pixels.size % 40 == 0 else pixels)
    )
    assert found.effective_bits == pytest.approx(bits, abs=0.02)
    assert (found.clipped_low, found.clipped_high) == pytest.approx((low, high))


def test_the_flat_region_is_flat():
    pixels = np.random.default_rng(0).normal(100, 3, (400, 400))
    pixels[:, 200:] += 40 * np.sin(np.arange(200) / 3)
    pixels[:, :100] += np.arange(400)[:, None] / 4
    x1, y1, x2, y2 = find_flat_region(radiograph(pixels.astype(np.uint8)))
    assert (x2 - x1, y2 - y1) == (20, 55)
    assert x1 >= 100
    assert x2 <= 200


def test_no_flat_region_is_found_where_there_is_none():
    assert find_flat_region(radiograph(np.zeros((40, 400), np.uint8))) is None
    stripes = np.tile(np.arange(300) * 9 % 250, (300, 1))
    assert find_flat_region(radiograph(stripes.astype(np.uint8))) is None


def test_snr_n_is_held_against_its_own_limit_when_both_are_known(film):
    limits = replace(WELD_LIMITS, min_snr_n=10_000.0)
    assert assess(film, limits=limits).check(CheckKind.NOISE).unit == "SNR"
    check = assess(film, limits=limits, srb_um=100.0).check(CheckKind.NOISE)
    assert (check.unit, check.limit, check.state) == ("SNRn", 10_000.0, CheckState.FAILED)


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_clipped_low": 1.5},
        {"min_span": 0},
        {"min_snr": math.nan},
        {"wire_set": 2},
        {"required_wire": 20},
    ],
)
def test_senseless_limits_are_refused(wrong):
    with pytest.raises(ValueError, match="must be|begins|no wire"):
        QualityLimits(id="x", **wrong)


# --- copies


def test_a_windowed_copy_fails_as_a_duplicate_the_same_file_and_another_film_do_not():
    made = [simulate_weld(seed, SimulationConfig(height_px=500, width_px=1200)) for seed in (6, 11)]
    first, second = (
        radiograph(m.pixels, bit_depth=m.bit_depth, sha256=str(i) * 64) for i, m in enumerate(made)
    )
    earlier = [fingerprint(first)]
    same = assess(first, limits=WELD_LIMITS, compared=search(first, earlier))
    assert failed(same) == set()
    assert (same.copy_of, same.check(CheckKind.DUPLICATE).state) == (None, CheckState.NOT_EVALUABLE)
    windowed = np.clip(first.pixels.astype(np.float32) / 2**first.bit_depth * 300 - 20, 0, 255)
    again = radiograph(windowed.astype(np.uint8), sha256="9" * 64)
    found = assess(again, limits=WELD_LIMITS, compared=search(again, earlier))
    assert found.copy_of == first.sha256
    assert found.check(CheckKind.DUPLICATE).state is CheckState.FAILED
    assert "saved again" in found.check(CheckKind.DUPLICATE).sentence
    other = assess(second, limits=WELD_LIMITS, compared=search(second, earlier))
    assert other.check(CheckKind.DUPLICATE).state is CheckState.PASSED


def test_what_was_not_compared_and_what_came_again_is_said(film):
    said = EarlierPictures(2, n_without_grain=1, n_waiting=3, again="This very file was inspected before.")
    check = assess(film, limits=WELD_LIMITS, compared=said).check(CheckKind.DUPLICATE)
    assert check.state is CheckState.PASSED
    assert check.sentence == (
        "Not a copy of any of 2 earlier radiographs. "
        "Not compared: 1 with too little grain, 3 not read again yet. This very file was inspected before."
    )
    alone = assess(film, limits=WELD_LIMITS).check(CheckKind.DUPLICATE)
    assert (alone.state, alone.measured) == (CheckState.NOT_EVALUABLE, None)


def test_a_blank_copy_is_told_as_blank_and_as_a_copy():
    copy = EarlierPictures(1, Likeness("7" * 64, is_same_file=False, view=1, grain=1), "weld 7.png")
    report = assess(radiograph(np.zeros((300, 400), np.uint8)), limits=WELD_LIMITS, compared=copy)
    assert failed(report) == {CheckKind.CONTRAST_SPAN, CheckKind.DUPLICATE}
    assert "weld 7.png" in report.check(CheckKind.DUPLICATE).sentence


# --- real radiographs


def test_whole_real_films_pass(gdxray):
    films = sorted((gdxray / "Welding" / "W0003").glob("*.png"))[::6]
    pitch = PixelPitch(0.0403, PitchSource.USER)
    for path in films:
        image = replace(read_radiograph_file(path, polarity=Polarity.FILM), pitch=pitch)
        assert failed(assess(image, limits=WELD_LIMITS)) == set(), path.name


def test_real_castings_pass_and_blurred_ones_do_not(gdxray):
    for name in ("C0009/C0009_0001.png", "C0027/C0027_0001.png"):
        image = read_radiograph_file(gdxray / "Castings" / name, polarity=Polarity.DIGITAL)
        assert failed(assess(image, limits=CASTING_LIMITS)) == set(), name
        blurred = replace(image, pixels=cv2.GaussianBlur(image.pixels, (0, 0), FAR_FROM_BLUR))
        assert failed(assess(blurred, limits=CASTING_LIMITS)) == {CheckKind.BLUR}, name
