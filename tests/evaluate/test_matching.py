import numpy as np
import pytest

from core.evaluate.matching import counts_despite, iou_matrix, match

BOX = np.array([[0, 0, 10, 10]], np.float32)
NONE = np.zeros((0, 4), np.float32)


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ((0, 0, 10, 10), 1.0),
        ((0, 0, 10, 5), 0.5),
        ((5, 5, 15, 15), 25 / 175),
        ((10, 0, 20, 10), 0.0),
        ((3, 3, 3, 3), 0.0),
    ],
)
def test_overlap_of_two_boxes_by_hand(other: tuple[float, float, float, float], expected: float) -> None:
    assert iou_matrix(BOX, boxes(other))[0, 0] == pytest.approx(expected)


def test_two_boxes_without_area_do_not_overlap() -> None:
    point = boxes((4, 4, 4, 4))
    assert iou_matrix(point, point)[0, 0] == 0.0


@pytest.mark.parametrize(("height", "is_true"), [(5.0, True), (4.99, False)])
def test_an_overlap_equal_to_the_threshold_is_enough(height: float, is_true: bool) -> None:
    found = match(boxes((0, 0, 10, height)), np.array([0.9]), BOX, 0.5)
    assert found.is_true.tolist() == [is_true]


def test_a_second_detection_of_one_box_is_a_false_call() -> None:
    found = match(boxes((0, 0, 10, 9), (0, 0, 10, 10)), np.array([0.4, 0.6]), BOX)
    assert found.is_true.tolist() == [False, True]
    assert found.truth_index.tolist() == [-1, 0]
    assert found.is_found.tolist() == [True]


def test_of_equal_scores_the_earlier_detection_chooses_first() -> None:
    found = match(boxes((0, 0, 10, 9), (0, 0, 10, 10)), np.array([0.5, 0.5]), BOX)
    assert found.is_true.tolist() == [True, False]


def test_of_equal_overlaps_the_later_recorded_box_is_taken() -> None:
    found = match(BOX, np.array([0.5]), np.concatenate([BOX, BOX]))
    assert found.truth_index.tolist() == [1]


def test_a_taken_box_leaves_the_next_best_one() -> None:
    truth = boxes((0, 0, 10, 10), (0, 0, 10, 8))
    found = match(boxes((0, 0, 10, 10), (0, 0, 10, 10)), np.array([0.9, 0.8]), truth)
    assert found.truth_index.tolist() == [0, 1]


@pytest.mark.parametrize(("detected", "recorded"), [(0, 0), (0, 2), (3, 0)])
def test_nothing_matches_when_one_side_is_empty(detected: int, recorded: int) -> None:
    found = match(np.repeat(BOX, detected, 0), np.ones(detected), np.repeat(BOX, recorded, 0))
    assert found.is_true.shape == (detected,)
    assert not found.is_true.any()
    assert found.is_found.shape == (recorded,)


def test_cutting_off_low_scores_changes_no_other_match() -> None:
    random = np.random.default_rng(3)
    corner = random.uniform(0, 60, (80, 2))
    detected = np.concatenate([corner, corner + random.uniform(5, 40, (80, 2))], axis=1)
    scores = random.random(80)
    truth = detected[:20] + random.normal(0, 2, (20, 4))
    whole, kept = match(detected, scores, truth), scores >= 0.4
    assert (match(detected[kept], scores[kept], truth).is_true == whole.is_true[kept]).all()


def test_what_lies_on_a_crowd_counts_only_where_it_matches_a_recorded_box() -> None:
    found = boxes((0, 0, 10, 10), (50, 50, 60, 60), (95, 50, 105, 60), (96, 50, 106, 60), (200, 0, 210, 10))
    crowd, scores = boxes((0, 0, 100, 100)), np.linspace(0.9, 0.5, 5)
    counts = counts_despite(found, scores, boxes((0, 0, 10, 10)), crowd)
    # the first is recorded, the second and the third lie on the crowd (the third by half), the others do not
    assert counts.tolist() == [True, False, False, True, True]
    assert counts_despite(found, scores, boxes(), crowd).tolist() == [False, False, False, True, True]
    assert counts_despite(found, scores, boxes(), boxes()).all()
