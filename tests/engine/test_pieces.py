import numpy as np
import pytest

from core.engine.pieces import Pieces, cut_to_box, find_pieces


def plane(*patches):
    """(40, 60) zeros with (rows, columns, value) written over them in turn."""
    probability = np.zeros((40, 60), np.float32)
    for rows, columns, value in patches:
        probability[slice(*rows), slice(*columns)] = value
    return probability


def test_a_piece_reaches_the_peak_and_extends_to_the_lower_limit():
    found = find_pieces(plane(((10, 16), (20, 30), 0.35), ((12, 14), (22, 24), 0.9)), 120, 80)
    np.testing.assert_array_equal(found.boxes, [[40, 20, 60, 32]])
    assert found.scores[0] == pytest.approx((4 * 0.9 + 56 * 0.35) / 60)


def test_what_never_reaches_the_peak_is_a_faint_piece_of_its_own_extent():
    found = find_pieces(plane(((10, 16), (20, 30), 0.2), ((12, 14), (22, 24), 0.4)), 120, 80)
    np.testing.assert_array_equal(found.boxes, [[40, 20, 60, 32]])


def test_a_faint_border_of_a_strong_piece_is_no_second_piece():
    found = find_pieces(plane(((8, 20), (18, 34), 0.2), ((10, 16), (20, 30), 0.6)), 120, 80)
    np.testing.assert_array_equal(found.boxes, [[40, 20, 60, 32]])


@pytest.mark.parametrize("value", [0.3, 0.15])
def test_a_plateau_that_reaches_no_peak_is_nothing(value):
    assert len(find_pieces(plane(((10, 16), (20, 30), value)), 120, 80)) == 0


def test_two_cells_are_noise_and_three_are_a_piece():
    assert len(find_pieces(plane(((10, 11), (20, 22), 0.9)), 120, 80)) == 0
    assert len(find_pieces(plane(((10, 11), (20, 23), 0.9)), 120, 80)) == 1


def test_pieces_are_ordered_by_score_and_carry_their_outlines():
    found = find_pieces(plane(((2, 6), (2, 6), 0.6), ((20, 30), (20, 24), 0.8)), 120, 80)
    assert (np.diff(found.scores) < 0).all()
    assert [outline.cells.shape for outline in found.outlines] == [(10, 4), (4, 4)]
    assert all(outline.cells.all() for outline in found.outlines)
    assert [(o.left, o.top, o.area_px) for o in found.outlines] == [(40, 40, 160), (4, 4, 64)]


def test_boxes_end_with_the_image():
    found = find_pieces(plane(((36, 40), (50, 60), 0.9)), 119, 79)
    np.testing.assert_array_equal(found.boxes, [[100, 72, 119, 79]])


def test_length_and_width_follow_the_piece_at_any_angle():
    probability = np.zeros((80, 80), np.float32)
    for i in range(50):
        probability[10 + i, 10 + i : 13 + i] = 0.9
    found = find_pieces(probability, 160, 160)
    (outline,) = found.outlines
    assert outline.length_px == pytest.approx(2 * 50 * 2**0.5, rel=0.06)
    assert outline.width_px < 10
    assert outline.angle_deg == pytest.approx(45, abs=1)
    assert found.is_long.tolist() == [True]


@pytest.mark.parametrize(("rows", "columns", "angle"), [((10, 12), (5, 35), 0), ((5, 35), (10, 12), 90)])
def test_length_width_and_angle_of_a_straight_piece(rows, columns, angle):
    (outline,) = find_pieces(plane((rows, columns, 0.9)), 120, 80).outlines
    assert (outline.length_px, outline.width_px, outline.angle_deg) == (60, 4, angle)


@pytest.mark.parametrize(("columns", "is_long"), [((5, 35), True), ((5, 34), False)])
def test_a_long_piece_begins_at_sixty_px(columns, is_long):
    found = find_pieces(plane(((10, 12), columns, 0.9)), 120, 80)
    assert found.is_long.tolist() == [is_long]


def test_no_probability_gives_no_piece():
    empty = find_pieces(plane(), 120, 80)
    assert len(empty) == 0
    assert empty.boxes.shape == (0, 4)
    assert empty.is_long.shape == (0,)


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="1 scores"):
        Pieces(np.zeros((2, 4), np.float32), np.zeros(1, np.float32), ())


def test_an_outline_is_cut_at_its_box_to_the_cells_that_the_box_touches():
    (outline,) = find_pieces(plane(((10, 24), (5, 35), 0.9)), 120, 80).outlines
    assert cut_to_box(outline, np.array([8, 18, 72, 50], np.float32)) is outline
    cut = cut_to_box(outline, np.array([0, 0, 31, 24.5], np.float32))
    assert (cut.left, cut.top, cut.cells.shape) == (10, 20, (3, 11))
    assert (cut.length_px, cut.width_px, cut.area_px) == (22, 6, 132)


@pytest.mark.parametrize("box", [[0, 0, 10, 80], [70, 0, 90, 80], [0, 0, 120, 20], [0, 48, 120, 80]])
def test_beside_the_box_no_outline_is_left(box):
    (outline,) = find_pieces(plane(((10, 24), (5, 35), 0.9)), 120, 80).outlines
    assert cut_to_box(outline, np.array(box, np.float32)) is None


def test_a_line_goes_on_beyond_its_box():
    (line,) = find_pieces(plane(((10, 14), (5, 35), 0.9)), 120, 80).outlines
    assert cut_to_box(line, np.array([20, 18, 50, 30], np.float32)) is line
