"""Against another implementation, and where there is nothing to place."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from core.evaluate.principal_axes import principal_axes


def test_the_axes_are_those_of_another_implementation() -> None:
    rows = np.random.default_rng(0).normal(size=(60, 9)) @ np.diag(np.linspace(3, 0.1, 9))
    positions, shares = principal_axes(rows)
    other = PCA(2, svd_solver="full")
    expected = other.fit_transform(rows)
    assert np.abs(positions) == pytest.approx(np.abs(expected))
    assert shares == pytest.approx(other.explained_variance_ratio_)


@pytest.mark.parametrize("rows", [np.zeros((0, 2)), np.ones((1, 5)), np.ones((7, 5))])
def test_what_cannot_be_told_apart_lies_at_the_origin(rows: np.ndarray) -> None:
    positions, shares = principal_axes(rows)
    assert positions.shape == (len(rows), 2)
    assert np.abs(positions).max(initial=0.0) < 1e-9
    assert shares.sum() <= 1


def test_the_same_features_give_the_same_picture() -> None:
    rows = np.random.default_rng(1).normal(size=(20, 4))
    assert principal_axes(rows)[0] == pytest.approx(principal_axes(rows.copy())[0])
