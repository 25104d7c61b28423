"""The share of a radiograph that was seen at 1:1 or more."""

import base64

import numpy as np
import pytest

from core.domain.errors import BadInputError
from core.domain.seen import SeenGrid, cell_px_of, seen_from


def test_nothing_is_seen_to_begin_with() -> None:
    grid = seen_from("", 5000, 1300)
    assert grid.cells.shape == (17, 64)  # cells of 79 px
    assert grid.share() == 0


@pytest.mark.parametrize(("width", "height", "side"), [(768, 572, 64), (4096, 400, 64), (4097, 400, 65)])
def test_a_cell_is_never_smaller_than_64_px_and_there_are_64_along_at_most(width, height, side) -> None:
    assert cell_px_of(width, height) == side


def test_the_share_is_one_of_area_so_narrow_cells_at_the_edge_count_less() -> None:
    cells = np.zeros((2, 2), bool)
    cells[1, 1] = True
    assert SeenGrid(100, 80, cells).share() == pytest.approx(36 * 16 / 8000)


def test_the_share_within_a_zone_counts_its_cells_alone() -> None:
    cells, within = np.zeros((2, 2), bool), np.zeros((2, 2), bool)
    cells[0, 0] = within[0] = True
    grid = SeenGrid(128, 128, cells)
    assert grid.share(within) == 0.5
    assert grid.share(np.zeros((2, 2), bool)) == 1


def test_text_and_back_and_what_either_has_seen() -> None:
    rng = np.random.default_rng(1)
    one, other = (SeenGrid(1000, 300, rng.random((5, 16)) < 0.5) for _ in range(2))
    back = seen_from(one.to_text(), 1000, 300)
    np.testing.assert_array_equal(back.cells, one.cells)
    np.testing.assert_array_equal(one.merged(other).cells, one.cells | other.cells)


@pytest.mark.parametrize("text", ["###", base64.b64encode(b"\0").decode(), "AAAA" * 400])
def test_cells_of_another_size_are_refused(text) -> None:
    with pytest.raises(BadInputError, match="seen cells"):
        seen_from(text, 1000, 300)
