"""Calibration judged on parts that had no say in it, neither in the fit nor in the method."""

import numpy as np

from core.calibrate.outer_folds import outer_folds
from core.calibrate.platt import fit_platt


def _boxes(n_parts: int, each: int, shift_of_last: float = 0.0):
    random = np.random.default_rng(3)
    scores = random.uniform(0.05, 0.95, n_parts * each).astype(np.float32)
    groups = [f"part-{k // each:02d}" for k in range(n_parts * each)]
    chance = np.clip(scores - shift_of_last * (np.asarray(groups) == f"part-{n_parts - 1:02d}"), 0, 1)
    return scores, random.random(len(scores)) < chance, groups


def test_every_part_is_judged_once_and_parts_alike_are_in_the_band() -> None:
    scores, is_true, groups = _boxes(10, 120)
    folds = outer_folds(scores, is_true, groups)
    assert sorted(part for fold in folds for part in fold.parts) == sorted(set(groups))
    assert sum(fold.n_boxes for fold in folds) == len(scores)
    assert sum(fold.is_met for fold in folds) >= 4


def test_a_part_of_another_kind_falls_out_of_the_band_in_its_fold_alone() -> None:
    scores, is_true, groups = _boxes(5, 300, shift_of_last=0.45)
    folds = outer_folds(scores, is_true, groups)
    assert [fold.is_met for fold in folds if fold.parts == ("part-04",)] == [False]
    assert sum(fold.is_met for fold in folds) >= 3


def test_a_fold_is_judged_by_a_calibrator_that_did_not_see_it() -> None:
    scores, is_true, groups = _boxes(2, 200)
    is_last = np.asarray(groups) == "part-01"
    is_true = np.where(is_last, ~is_true, is_true)  # the other way round: a fit that saw it would know
    (fold,) = [fold for fold in outer_folds(scores, is_true, groups) if fold.parts == ("part-01",)]
    assert fold.method == "platt"  # one part left: nothing to compare
    expected = fit_platt(scores[~is_last], is_true[~is_last]).probability(scores[is_last])
    assert fold.d_ece > 0.3
    assert abs(float(expected.mean()) - float(scores[~is_last].mean())) < 0.1


def test_small_folds_and_one_part_are_not_judged() -> None:
    scores, is_true, groups = _boxes(2, 20)
    assert outer_folds(scores, is_true, groups) == ()
    assert outer_folds(scores, is_true, ["one"] * len(scores)) == ()
