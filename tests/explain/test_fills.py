import numpy as np
import pytest

from core.domain.explanations import Fill
from core.explain.fills import filled, region_of

REGION = (slice(40, 60), slice(70, 100))


def _ramp(noise: float = 0.0) -> np.ndarray:
    rows, columns = np.indices((100, 160), dtype=np.float32)
    grain = np.random.default_rng(3).standard_normal((100, 160)).astype(np.float32)
    return (0.3 + 0.002 * rows + 0.001 * columns + noise * grain).astype(np.float32)


@pytest.mark.parametrize("kind", list(Fill))
def test_a_flaw_gives_way_to_its_background(kind: Fill) -> None:
    clean = _ramp(0.004)
    flawed = clean.copy()
    flawed[REGION] -= 0.2
    result = filled(flawed, REGION, kind, seed=1)
    assert abs(float((result - clean)[REGION].mean())) < 0.015
    outside = np.ones(clean.shape, bool)
    outside[REGION] = False
    assert (result[outside] == flawed[outside]).all()


def test_the_surface_continues_a_ramp_exactly() -> None:
    result = filled(_ramp(), REGION, Fill.SURFACE, seed=1)
    assert result == pytest.approx(_ramp(), abs=2e-3)


@pytest.mark.parametrize("kind", list(Fill))
def test_the_noise_of_the_fill_is_that_of_the_ring(kind: Fill) -> None:
    noise = 0.01
    result = filled(_ramp(noise), REGION, kind, seed=1)
    rest = (result - _ramp())[REGION]
    assert 0.5 * noise < float((rest - rest.mean()).std()) < 1.6 * noise


@pytest.mark.parametrize("kind", list(Fill))
def test_the_same_seed_gives_the_same_fill_and_the_image_stays(kind: Fill) -> None:
    image = _ramp(0.01)
    before = image.copy()
    assert (filled(image, REGION, kind, seed=5) == filled(image, REGION, kind, seed=5)).all()
    assert (filled(image, REGION, kind, seed=5) != filled(image, REGION, kind, seed=6)).any()
    assert (image == before).all()


@pytest.mark.parametrize("kind", list(Fill))
@pytest.mark.parametrize(
    "region", [(slice(0, 4), slice(0, 3)), (slice(96, 100), slice(0, 160)), (slice(5, 6), slice(9, 10))]
)
def test_a_region_at_the_border_or_of_one_px_is_filled(kind: Fill, region: tuple[slice, slice]) -> None:
    assert np.isfinite(filled(_ramp(0.01), region, kind, seed=1)).all()


def test_nothing_fills_a_region_without_surroundings() -> None:
    with pytest.raises(ValueError, match="no background"):
        filled(_ramp(), (slice(0, 100), slice(0, 160)), Fill.SURFACE, seed=1)


@pytest.mark.parametrize(
    ("box", "rows", "columns"),
    [
        ((10.0, 20.0, 30.0, 40.0), slice(16, 44), slice(6, 34)),
        ((0.0, 0.0, 4.0, 4.0), slice(0, 7), slice(0, 7)),
        ((158.0, 98.0, 160.0, 100.0), slice(95, 100), slice(155, 160)),
    ],
)
def test_a_region_reaches_a_little_beyond_its_box_within_the_image(
    box: tuple[float, ...], rows: slice, columns: slice
) -> None:
    assert region_of(np.array(box, np.float32), (100, 160)) == (rows, columns)
