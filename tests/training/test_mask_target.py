import numpy as np
import pytest

from core.training.mask_target import WEIGHT_UNITS, MaskTarget, OutlinedPiece, mask_target, pieces_of


def square(x, y, side, *, teaches=True):
    return OutlinedPiece((x, y), np.ones((side, side), np.bool_), teaches)


def weight_at(target, x, y):
    return target.weight[y, x] / WEIGHT_UNITS


def test_a_piece_is_flaw_and_all_else_plain_background():
    target = mask_target((60, 80), [square(10, 20, 20)])
    assert target.is_flaw.sum() == 400
    assert target.is_flaw[20:40, 10:30].all()
    assert weight_at(target, 70, 50) == 1


@pytest.mark.parametrize(("side", "weight"), [(20, 1.0), (10, 2.0), (6, 3.0), (40, 0.5), (59, 0.35)])
def test_small_pieces_count_more_and_large_ones_less(side, weight):
    target = mask_target((64, 64), [square(2, 2, side)])
    assert weight_at(target, 4, 4) == pytest.approx(weight, abs=1 / WEIGHT_UNITS)


def test_the_gap_between_neighbours_counts_thrice():
    target = mask_target((60, 80), [square(10, 20, 20), square(34, 20, 20)])
    assert weight_at(target, 32, 30) == 3
    assert target.is_flaw[30, 32] == 0


def test_a_wide_gap_is_plain_background():
    target = mask_target((60, 80), [square(5, 20, 20), square(50, 20, 20)])
    assert weight_at(target, 37, 30) == 1


@pytest.mark.parametrize("piece", [square(10, 20, 20, teaches=False), square(10, 20, 5)])
def test_what_nobody_can_see_teaches_nothing(piece):
    target = mask_target((60, 80), [piece])
    assert not target.is_flaw.any()
    assert weight_at(target, 12, 22) == 0
    assert weight_at(target, 50, 22) == 1


def test_an_unknown_box_hides_background_but_no_flaw():
    box = np.array([-4.0, 0.0, 40.0, 200.0], np.float32)
    target = mask_target((60, 80), [square(10, 20, 20)], [box])
    assert weight_at(target, 5, 5) == 0
    assert weight_at(target, 12, 22) == 1
    assert weight_at(target, 60, 22) == 1


def test_an_image_without_a_flaw_is_all_background():
    target = mask_target((6, 8), [])
    assert not target.is_flaw.any()
    assert (target.weight == WEIGHT_UNITS).all()


def test_a_drawn_mask_falls_into_its_pieces():
    drawn = np.zeros((40, 40), np.uint8)
    drawn[3:13, 5:9] = 255
    drawn[13, 9] = 255  # touches by a corner
    drawn[30:33, 30:33] = 1
    large, dust = pieces_of(drawn, least_px=8)
    assert (large.corner, large.mask.shape, large.teaches) == ((5, 3), (11, 5), True)
    assert (dust.corner, dust.teaches) == ((30, 30), False)


def test_target_and_weights_must_have_one_size():
    with pytest.raises(ValueError, match="weights of"):
        MaskTarget(np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8))
