import numpy as np
import pytest

from core.domain.detections import CellOrigin, View
from core.explain.placement import place, scaled


def _place(cells, *, row=4, col=5, stride=8, view=None, box=(40, 32, 48, 40), shape=(200, 300)):
    view = view or View(0, 0, shape[1], shape[0])
    return place(
        np.array(cells, np.float32),
        first_row=row,
        first_col=col,
        origin=CellOrigin(view, 1, row, col),
        stride=stride,
        box=np.array(box, np.float32),
        image_shape=shape,
    )


def _peak(heat) -> tuple[float, float]:
    """Centre of the px that hold the maximum, (x, y)."""
    y, x = np.nonzero(heat.values == heat.values.max())
    return heat.x0 + x.mean() + 0.5, heat.y0 + y.mean() + 0.5


def test_a_cell_peaks_at_its_centre() -> None:
    assert _peak(_place([[3.0]])) == (5.5 * 8, 4.5 * 8)


def test_a_view_inside_a_film_shifts_the_map() -> None:
    heat = _place([[3.0]], view=View(100, 50, 228, 178), box=(140, 82, 148, 90))
    assert _peak(heat) == (100 + 5.5 * 8, 50 + 4.5 * 8)


def test_a_view_at_quarter_scale_is_mapped_back_four_times_larger() -> None:
    heat = _place(
        [[3.0]], view=View(1000, 0, 5000, 1200, 0.25), box=(1100, 100, 1300, 180), shape=(1200, 5000)
    )
    assert _peak(heat) == (1000 + 5.5 * 32, 4.5 * 32)


def test_the_map_covers_the_box_and_its_margin() -> None:
    heat = _place([[1.0]], box=(20, 30, 120, 60))
    assert (heat.x0, heat.y0) == (0, 0)
    assert heat.values.shape == (60 + 50, 120 + 50)
    small = _place([[1.0]], box=(100, 100, 104, 104))
    assert small.x0 <= 84


def test_evidence_outside_the_box_is_kept() -> None:
    heat = _place([[1.0]], row=20, col=30, box=(10, 10, 20, 20))
    assert heat.values.shape[0] >= 20 * 8 + 8
    assert heat.values.max() == 1.0
    assert not heat.values[10 - heat.y0 : 20 - heat.y0, 10 - heat.x0 : 20 - heat.x0].any()


def test_a_map_at_the_border_stays_within_the_image() -> None:
    heat = _place([[5.0, 1.0]], row=24, col=37, box=(290, 190, 300, 200))
    assert heat.x0 + heat.values.shape[1] == 300
    assert heat.y0 + heat.values.shape[0] == 200


def test_the_mass_is_that_of_the_cells() -> None:
    heat = _place([[1.0, 2.0], [0.5, 0.0]])
    assert heat.values.sum() * heat.peak == pytest.approx(3.5 * 64, rel=1e-4)


def test_no_positive_cell_gives_an_empty_map_over_the_box() -> None:
    heat = _place([[0.0, 0.0]])
    assert heat.is_empty
    assert heat.peak == 0.0
    assert not heat.values.any()
    assert heat.values.shape == (40, 40)


def test_a_map_is_scaled_by_its_own_maximum() -> None:
    heat = scaled(np.array([[1.0, 1.0], [2.0, 0.0]], np.float32), 10, 20)
    assert (heat.peak, heat.x0, heat.y0) == (2.0, 10, 20)
    assert heat.values.tolist() == [[0.5, 0.5], [1.0, 0.0]]
