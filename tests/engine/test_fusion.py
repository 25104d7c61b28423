import dataclasses
import math

import numpy as np
import pytest

from core.domain.errors import ModelArtefactError
from core.engine.fusion import Fusion, Seen, pair_up, suppress
from core.engine.pieces import find_pieces

WIDTH, HEIGHT = 400, 200
#: The score of whatever saw it, and nothing of its size.
PLAIN = Fusion((0.5, 0.5, 0, 0, 0), (1, 0, 0, 0, 0), (0, 1, 0, 0, 0))


def plane(*patches):
    """Probabilities with (x1, y1, x2, y2, value), px, written over zeros in turn."""
    probability = np.zeros((HEIGHT // 2, WIDTH // 2), np.float32)
    for x1, y1, x2, y2, value in patches:
        probability[y1 // 2 : y2 // 2, x1 // 2 : x2 // 2] = value
    return probability


def paired(boxes, scores, *patches):
    probability = plane(*patches)
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    pieces = find_pieces(probability, WIDTH, HEIGHT)
    return pair_up(boxes, np.array(scores, np.float32), pieces, probability)


def test_a_box_and_its_piece_are_one_indication_with_the_extent_of_the_box():
    found = paired([[10, 10, 30, 30]], [0.6], (10, 12, 32, 30, 0.9))
    assert found.seen.tolist() == [Seen.BY_BOTH]
    np.testing.assert_array_equal(found.boxes, [[10, 10, 30, 30]])
    assert (found.box_index.tolist(), found.piece_index.tolist()) == ([0], [0])


def test_the_models_see_both_scores_and_the_size():
    features = paired([[10, 10, 30, 20]], [0.6], (10, 10, 30, 20, 0.9)).features[0]
    expected = [math.log(0.6 / 0.4), math.log(0.9 / 0.1), math.log(20), math.log(2)]
    np.testing.assert_allclose(features, expected, rtol=1e-5)


def test_what_one_head_saw_alone_stands_alone():
    found = paired([[10, 10, 30, 30]], [0.6], (100, 100, 120, 120, 0.9))
    assert found.seen.tolist() == [Seen.AS_BOX, Seen.AS_PIECE]
    np.testing.assert_array_equal(found.boxes, [[10, 10, 30, 30], [100, 100, 120, 120]])
    assert (found.box_index.tolist(), found.piece_index.tolist()) == ([0, -1], [-1, 0])


def test_each_piece_goes_with_the_box_it_overlaps_most_and_each_occurs_once():
    found = paired([[10, 10, 34, 34], [10, 10, 30, 30]], [0.9, 0.3], (10, 10, 30, 30, 0.8))
    assert found.seen.tolist() == [Seen.BY_BOTH, Seen.AS_BOX]
    assert found.box_index.tolist() == [1, 0]


def test_a_long_piece_gives_its_own_extent_and_its_stretches_go():
    stretches = [[20, 50, 300, 60], [300, 50, 380, 60], [310, 50, 350, 60]]
    found = paired(stretches, [0.5, 0.4, 0.3], (20, 50, 380, 58, 0.9))
    assert found.seen.tolist() == [Seen.BY_BOTH]
    np.testing.assert_array_equal(found.boxes, [[20, 50, 380, 58]])


def test_a_pore_beside_a_long_piece_stays():
    found = paired([[100, 50, 110, 60]], [0.5], (20, 50, 380, 60, 0.9))
    assert found.seen.tolist() == [Seen.AS_BOX, Seen.AS_PIECE]


def test_a_short_piece_leaves_the_stretches_of_its_box_alone():
    found = paired([[100, 50, 140, 60]], [0.5], (90, 40, 150, 70, 0.9))
    assert found.seen.tolist() == [Seen.AS_BOX, Seen.AS_PIECE]


def test_a_box_alone_knows_how_much_of_a_piece_lies_in_it():
    found = paired([[100, 40, 140, 80]], [0.5], (100, 40, 140, 50, 0.8))
    alone = found.features[found.seen == Seen.AS_BOX][0]
    assert alone[1] == pytest.approx(math.log(0.2 / 0.8), rel=1e-4)


def test_a_piece_alone_knows_the_best_box_that_it_meets():
    found = paired([[100, 40, 140, 80], [300, 0, 320, 20]], [0.7, 0.9], (100, 40, 140, 50, 0.8))
    (alone,) = np.flatnonzero(found.seen == Seen.AS_PIECE)
    assert found.features[alone, 0] == pytest.approx(math.log(0.7 / 0.3), rel=1e-4)
    assert found.box_index[alone] == 0


def test_a_line_that_is_seen_in_stretches_alone_knows_the_best_of_them():
    found = paired([[20, 50, 120, 60], [200, 50, 300, 60]], [0.3, 0.5], (20, 50, 380, 58, 0.9))
    assert found.seen.tolist() == [Seen.AS_PIECE]
    assert found.box_index.tolist() == [1]
    assert found.features[0, 0] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("boxes", "scores", "patches", "n"),
    [([], [], (), 0), ([[1, 1, 9, 9]], [0.4], (), 1), ([], [], ((10, 10, 20, 20, 0.7),), 1)],
)
def test_either_head_may_see_nothing(boxes, scores, patches, n):
    found = paired(boxes, scores, *patches)
    assert len(found.boxes) == n
    assert PLAIN.scores(found).shape == (n,)


def test_each_kind_is_scored_by_its_own_model():
    found = paired(
        [[10, 10, 30, 30], [200, 10, 220, 30]], [0.6, 0.3], (10, 10, 30, 30, 0.6), (300, 100, 320, 120, 0.8)
    )
    np.testing.assert_allclose(PLAIN.scores(found), [0.6, 0.3, 0.8], rtol=1e-4)


def test_of_overlapping_and_of_nested_candidates_the_strongest_stays():
    boxes = np.array([[0, 0, 20, 20], [1, 0, 21, 20], [0, 0, 30, 30], [100, 0, 120, 20]], np.float32)
    scores = np.array([0.5, 0.8, 0.6, 0.2], np.float32)
    assert suppress(boxes, scores).tolist() == [1, 3]


def test_a_pore_in_a_large_cluster_stays():
    boxes = np.array([[0, 0, 100, 100], [40, 40, 50, 50]], np.float32)
    assert suppress(boxes, np.array([0.9, 0.5], np.float32)).tolist() == [0, 1]


def test_a_fusion_survives_its_file():
    assert Fusion.from_json(PLAIN.to_json()) == PLAIN


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"by_both": [1], "as_box": [1], "as_piece": [1]}'])
def test_another_text_is_no_fusion(text):
    with pytest.raises(ModelArtefactError, match="fusion"):
        Fusion.from_json(text)


def test_weights_must_be_finite():
    with pytest.raises(ValueError, match="as_box"):
        dataclasses.replace(PLAIN, as_box=(1, 0, 0, 0, math.nan))
