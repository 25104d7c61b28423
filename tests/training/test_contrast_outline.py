"""Outlines within recorded boxes: compact flaws have one, edges and noise have none."""

import numpy as np
import pytest

from core.training.contrast_outline import outline_in

BOX = np.array([40, 30, 76, 62], np.float32)


def plate(seed=0, noise=1.0):
    """A slanted surface with noise."""
    rows, columns = np.mgrid[:100, :120].astype(np.float32)
    grain = np.random.default_rng(seed).normal(0, noise, rows.shape)
    return (100 + 0.2 * rows - 0.1 * columns + grain).astype(np.float32)


def flaw(semi=(11.0, 9.0)):
    """The share of the full contrast of an ellipse in the middle of `BOX`, soft at its rim."""
    rows, columns = np.mgrid[:100, :120]
    radius = np.hypot((columns + 0.5 - 58) / semi[0], (rows + 0.5 - 46) / semi[1])
    return (1 / (1 + np.exp(8 * (radius - 1)))).astype(np.float32)


@pytest.mark.parametrize("sign", [1, -1], ids=["lighter", "darker"])
def test_a_compact_flaw_is_outlined_where_its_contrast_falls_below_the_share(sign):
    piece = outline_in(plate() + sign * 20 * flaw(), BOX)
    assert piece is not None
    is_drawn = np.zeros((100, 120), np.bool_)
    x, y = piece.corner
    is_drawn[y : y + piece.mask.shape[0], x : x + piece.mask.shape[1]] = piece.mask
    is_flaw = flaw() > 0.4
    assert (is_drawn & is_flaw).sum() / (is_drawn | is_flaw).sum() > 0.85


def test_a_stronger_neighbour_beside_the_box_is_no_background():
    """Part of the ring lies on it; it is left out as an outlier."""
    picture = plate() + 20 * flaw()
    picture[60:80, 20:45] += 200
    assert outline_in(picture, BOX) is not None


def test_noise_has_no_outline():
    assert outline_in(plate(noise=5.0), BOX) is None


def test_the_edge_of_a_part_has_none():
    """It runs through the box from side to side."""
    picture = plate()
    picture[:, 60:] += 80
    assert outline_in(picture, BOX) is None


def test_a_flaw_that_reaches_the_edges_of_its_box_has_none():
    assert outline_in(plate() + 20 * flaw((30.0, 9.0)), BOX) is None


@pytest.mark.parametrize("box", [[200, 200, 210, 210], [50, 50, 50.2, 60], [0, 0, 120, 100]])
def test_a_box_without_surroundings_in_the_image_has_none(box):
    assert outline_in(plate() + 20 * flaw(), np.array(box, np.float32)) is None
