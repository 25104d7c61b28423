import numpy as np
import pytest

from core.evaluate.explanation_figures import added_auroc, auroc, auroc_estimate, mean_difference

RNG = np.random.default_rng(0)
IMAGES = np.repeat([f"film {i}" for i in range(40)], 6)


@pytest.mark.parametrize(
    ("values", "is_true", "expected"),
    [
        ([0.9, 0.8, 0.2, 0.1], [1, 1, 0, 0], 1.0),
        ([0.9, 0.8, 0.2, 0.1], [0, 0, 1, 1], 0.0),
        ([0.5, 0.5], [1, 0], 0.5),
        ([0.9, 0.5, 0.5, 0.1], [1, 1, 0, 0], 0.875),
        ([0.9, 0.5], [1, 1], None),
    ],
)
def test_auroc_is_the_chance_of_the_right_order(
    values: list[float], is_true: list[int], expected: float | None
) -> None:
    assert auroc(np.array(values), np.array(is_true, bool)) == expected


def test_a_difference_that_is_there_has_an_interval_above_zero() -> None:
    one = RNG.normal(0.3, 0.2, len(IMAGES))
    found = mean_difference(one, np.zeros(len(IMAGES)), IMAGES, seed=1)
    assert found.interval is not None
    assert 0 < found.interval[0] < found.value < found.interval[1]


def test_a_map_is_not_better_than_itself() -> None:
    one = RNG.normal(0.3, 0.2, len(IMAGES))
    assert mean_difference(one, one, IMAGES, seed=1) == (0.0, (0.0, 0.0))


def test_whole_images_are_drawn() -> None:
    """Values that only differ between images leave a wider interval than as many independent ones."""
    shared = np.repeat(RNG.normal(0, 1, 40), 6)
    clustered = mean_difference(shared, np.zeros(240), IMAGES, seed=1)
    single = mean_difference(shared, np.zeros(240), np.arange(240), seed=1)
    assert clustered.interval is not None
    assert single.interval is not None
    assert clustered.interval[1] - clustered.interval[0] > 1.5 * (single.interval[1] - single.interval[0])


def test_lengths_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="0, 0 values of 0 boxes"):
        mean_difference(np.zeros(0), np.zeros(0), np.zeros(0), seed=1)
    with pytest.raises(ValueError, match="2, 3 values"):
        mean_difference(np.zeros(2), np.zeros(3), np.zeros(2), seed=1)


def test_a_feature_that_says_more_is_seen_to_add() -> None:
    is_true = RNG.random(len(IMAGES)) < 0.5
    base = RNG.normal(0, 1, (len(IMAGES), 1)) + 0.5 * is_true[:, None]
    extra = RNG.normal(0, 1, (len(IMAGES), 1)) + 2.0 * is_true[:, None]
    found = added_auroc(base, extra, is_true, IMAGES, seed=1)
    assert found is not None
    alone, both, more = found
    assert more.interval is not None
    assert more.interval[0] > 0.05
    assert both.value == pytest.approx(alone.value + more.value)


def test_noise_is_not_seen_to_add() -> None:
    is_true = RNG.random(len(IMAGES)) < 0.5
    base = RNG.normal(0, 1, (len(IMAGES), 1)) + is_true[:, None]
    found = added_auroc(base, RNG.normal(0, 1, (len(IMAGES), 3)), is_true, IMAGES, seed=1)
    assert found is not None
    assert found[2].interval is not None
    assert found[2].interval[0] <= 0


def test_without_both_kinds_or_with_few_images_there_is_no_figure() -> None:
    nothing = np.zeros(4, bool)
    four = np.arange(4)
    assert auroc_estimate(np.ones(4), nothing, four, seed=1) is None
    assert added_auroc(np.ones((4, 1)), np.ones((4, 1)), nothing, four, seed=1) is None
    mixed = np.array([1, 0, 1, 0], bool)
    assert added_auroc(np.ones((4, 1)), np.ones((4, 1)), mixed, four, seed=1) is None
