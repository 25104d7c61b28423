"""A curve is said to miss its points where it does, and not where they scatter around it."""

import numpy as np
import pytest

from core.evaluate.pod import estimate_pod
from core.evaluate.pod_misfit import misfit_of


def groups(sizes: np.ndarray, hits: np.ndarray) -> list[dict[str, float]]:
    """Ten groups of about as many targets each."""
    order = np.argsort(sizes)
    return [
        {"size_mm": float(np.exp(np.log(sizes[one]).mean())), "n": len(one), "found": int(hits[one].sum())}
        for one in np.array_split(order, 10)
    ]


def drawn(seed: int, *, is_mixed: bool) -> tuple[np.ndarray, np.ndarray]:
    """Sizes and hits of one kind of flaw, or of two of which the larger one is hard to see."""
    rng = np.random.default_rng(seed)
    sizes = np.exp(rng.uniform(np.log(0.1), np.log(3), 1000))
    a50 = np.where((sizes > 0.4) & is_mixed, 1.2, 0.2)
    return sizes, rng.random(1000) < 1 / (1 + (a50 / sizes) ** 4)


def test_the_curve_of_a_mixture_misses_its_points() -> None:
    sizes, hits = drawn(1, is_mixed=True)
    bins = groups(sizes, hits)
    found = misfit_of(estimate_pod(sizes, hits).to_dict(), bins)
    assert found is not None
    assert found.p < 0.001
    shares = {one["size_mm"]: one["found"] / one["n"] for one in bins}
    assert found.found == pytest.approx(shares[found.size_mm])
    assert "misses its points (p < 0.001)" in found.words


@pytest.mark.parametrize("seed", range(3))
def test_one_kind_fits(seed: int) -> None:
    sizes, hits = drawn(seed, is_mixed=False)
    assert misfit_of(estimate_pod(sizes, hits).to_dict(), groups(sizes, hits)) is None


def test_without_a_curve_or_with_few_groups_nothing_is_said() -> None:
    sizes, hits = drawn(1, is_mixed=True)
    whole = estimate_pod(sizes, hits).to_dict()
    assert misfit_of(whole, groups(sizes, hits)[:2]) is None
    assert misfit_of(estimate_pod(sizes, hits, has_curve=False).to_dict(), groups(sizes, hits)) is None
    assert misfit_of({"reason": "3 targets"}, []) is None
