import numpy as np
import pytest

from core.calibrate.fusion_fit import fit_fusion, known_outcomes
from core.domain.errors import CalibrationDataError
from core.engine.fusion import N_FEATURES, Candidates, Seen


def drawn(n, seed, weights):
    """Candidates of all three kinds whose truth follows known weights."""
    rng = np.random.default_rng(seed)
    seen = rng.integers(0, 3, n)
    features = rng.normal(0, 2, (n, N_FEATURES))
    odds = (weights[seen, :-1] * features).sum(axis=1) + weights[seen, -1]
    is_true = rng.random(n) < 1 / (1 + np.exp(-odds))
    none = np.full(n, -1)
    return Candidates(np.zeros((n, 4), np.float32), seen, features, none, none), is_true


WEIGHTS = np.array([[1.0, 0.5, 0, 0, 0.5], [0.8, 0, 0.3, 0, -1], [0, 1.2, 0, -0.4, 0]])


def test_the_weights_that_made_the_outcomes_are_found_again():
    candidates, is_true = drawn(30_000, 0, WEIGHTS)
    fusion = fit_fusion([candidates], [is_true])
    np.testing.assert_allclose([fusion.by_both, fusion.as_box, fusion.as_piece], WEIGHTS, atol=0.08)


def test_several_images_are_fitted_together():
    candidates, is_true = drawn(600, 1, WEIGHTS)
    halves = np.arange(300), np.arange(300, 600)
    whole = fit_fusion([candidates], [is_true])
    parts = fit_fusion([candidates.take(h) for h in halves], [is_true[h] for h in halves])
    np.testing.assert_allclose(parts.by_both, whole.by_both, atol=1e-6)


def test_few_candidates_are_held_near_their_mean():
    """One true and one false candidate of each kind could be told apart with certainty."""
    features = np.tile([[3.0], [-3.0]], (3, N_FEATURES))
    seen, is_true = np.repeat([0, 1, 2], 2), np.tile([True, False], 3)
    none = np.full(6, -1)
    candidates = Candidates(np.zeros((6, 4), np.float32), seen, features, none, none)
    assert fit_fusion([candidates], [is_true]).scores(candidates).max() < 0.9


@pytest.mark.parametrize("outcome", [True, False])
def test_a_kind_of_one_outcome_cannot_be_fitted(outcome):
    candidates, is_true = drawn(200, 2, WEIGHTS)
    is_true[candidates.seen == Seen.AS_PIECE] = outcome
    with pytest.raises(CalibrationDataError, match="as_piece"):
        fit_fusion([candidates], [is_true])


def test_outcomes_are_known_unless_all_that_lies_there_is_invisible():
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 0, 60, 10], [90, 0, 99, 9]], np.float32)
    none = np.full(4, -1)
    candidates = Candidates(boxes, np.zeros(4, np.int64), np.zeros((4, N_FEATURES)), none, none)
    seen, hidden = (
        np.array([[0, 0, 10, 10]], np.float32),
        np.array([[52, 0, 62, 10], [0, 0, 9, 9]], np.float32),
    )
    is_true, known = known_outcomes(candidates, seen, hidden)
    assert is_true.tolist() == [True, True, False, False]
    assert known.tolist() == [0, 1, 3]


def test_outcomes_of_an_image_without_indications_are_false():
    candidates = Candidates(
        np.ones((2, 4), np.float32),
        np.zeros(2, np.int64),
        np.zeros((2, N_FEATURES)),
        np.zeros(2),
        np.zeros(2),
    )
    nothing = np.zeros((0, 4), np.float32)
    is_true, known = known_outcomes(candidates, nothing, nothing)
    assert not is_true.any()
    assert known.tolist() == [0, 1]
