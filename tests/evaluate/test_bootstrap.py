import numpy as np
import pytest

from core.evaluate.bootstrap import clustered_intervals


def _mean_of(values: np.ndarray):
    def statistic(weights: np.ndarray) -> dict[str, float | None]:
        return {"mean": float(values @ weights / weights.sum())}

    return statistic


def test_the_interval_of_a_mean_is_that_of_the_normal_theory() -> None:
    values = np.random.default_rng(0).normal(0, 1, 400)
    interval = clustered_intervals([str(i) for i in range(400)], _mean_of(values), seed=1)["mean"]
    assert interval is not None
    assert interval[1] - interval[0] == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)
    assert interval[0] < values.mean() < interval[1]


def test_frames_of_one_part_widen_the_interval() -> None:
    per_part = np.random.default_rng(0).normal(0, 1, 20)
    values = np.repeat(per_part, 20)
    parts = [str(i // 20) for i in range(400)]
    clustered = clustered_intervals(parts, _mean_of(values), seed=1)["mean"]
    by_image = clustered_intervals([str(i) for i in range(400)], _mean_of(values), seed=1)["mean"]
    assert clustered is not None
    assert by_image is not None
    assert clustered[1] - clustered[0] > 3 * (by_image[1] - by_image[0])


def test_all_images_of_a_drawn_part_come_together() -> None:
    seen = []

    def statistic(weights: np.ndarray) -> dict[str, float | None]:
        seen.append(weights.tolist())
        return {"x": 0.0}

    clustered_intervals(["a", "b", "a", "c"], statistic, seed=0, n_resamples=20)
    assert all(w[0] == w[2] and w[0] + w[1] + w[3] == 3 for w in seen)


def test_the_same_seed_gives_the_same_interval() -> None:
    values, names = np.arange(10.0), list("abcdefghij")
    first = clustered_intervals(names, _mean_of(values), seed=3, n_resamples=50)
    assert first == clustered_intervals(names, _mean_of(values), seed=3, n_resamples=50)


@pytest.mark.parametrize("clusters", [[], ["only"], ["only", "only"]])
def test_fewer_than_two_parts_give_no_interval(clusters: list[str]) -> None:
    interval = clustered_intervals(clusters, lambda w: {"x": float(w.sum())}, seed=0, n_resamples=10)
    assert interval == {"x": None}


def test_a_figure_that_is_mostly_not_evaluable_has_no_interval() -> None:
    interval = clustered_intervals(["a", "b"], lambda w: {"x": None, "y": 1.0}, seed=0, n_resamples=10)
    assert interval == {"x": None, "y": (1.0, 1.0)}
