"""On a detector whose score hangs on one spot: the truth is known."""

import numpy as np
import pytest

from core.domain.explanations import Baseline, Belief, Curve, Faithfulness, Fill
from core.explain.box_view import BoxView
from core.explain.faithfulness import AREAS, FaithfulnessTest
from core.explain.window_maps import (
    box_gaussian,
    consensus,
    edges,
    random_field,
    rank_correlation,
    top_overlap,
)
from tests.explain.planted import SPOT, Planted, planted_detections, planted_image


@pytest.fixture(scope="module")
def around() -> BoxView:
    return BoxView(Planted(), planted_image(), planted_detections(), 0)


@pytest.fixture(scope="module")
def faithfulness(around: BoxView) -> FaithfulnessTest:
    return FaithfulnessTest(around, seed=1)


def _true_map(around: BoxView) -> np.ndarray:
    canvas = np.zeros(around.pixels.shape, np.float32)
    canvas[SPOT[0].start - around.view.y0 : SPOT[0].stop - around.view.y0,
           SPOT[1].start - around.view.x0 : SPOT[1].stop - around.view.x0] = 1  # fmt: skip
    return canvas[around.window]


def test_the_map_of_what_counts_is_faithful(around: BoxView, faithfulness: FaithfulnessTest) -> None:
    found = faithfulness.test(_true_map(around))
    assert found.belief is Belief.FAITHFUL
    assert found.gain() > found.gain(Baseline.GAUSSIAN) + 0.1
    assert set(found.own) == {Fill.MEMBRANE, Fill.THIN_PLATE}


def test_a_gaussian_drawn_on_the_box_is_rejected(around: BoxView, faithfulness: FaithfulnessTest) -> None:
    assert faithfulness.test(box_gaussian(around)).belief is Belief.NOT_DISTINGUISHABLE


def test_edges_and_noise_are_rejected(around: BoxView, faithfulness: FaithfulnessTest) -> None:
    for values in (edges(around), random_field(around, np.random.default_rng(9))):
        assert faithfulness.test(values).belief is Belief.NOT_DISTINGUISHABLE


def test_the_opposite_of_the_truth_is_rejected(around: BoxView, faithfulness: FaithfulnessTest) -> None:
    assert faithfulness.test(1 - _true_map(around)).belief is Belief.NOT_DISTINGUISHABLE


def test_an_empty_map_is_told_and_not_read(around: BoxView, faithfulness: FaithfulnessTest) -> None:
    found = faithfulness.test(np.zeros_like(_true_map(around)))
    assert found.belief is Belief.EMPTY
    assert "empty" in found.words


def test_curves_begin_where_nothing_or_everything_is_taken(
    around: BoxView, faithfulness: FaithfulnessTest
) -> None:
    curve = faithfulness.test(_true_map(around)).own[Fill.THIN_PLATE]
    assert curve.areas == AREAS
    assert curve.deletion[0] == pytest.approx(1.0, abs=1e-3)
    assert curve.insertion[0] < 0.1
    assert curve.deletion[-1] < 0.1
    assert curve.insertion[-1] == pytest.approx(1.0, abs=0.05)


def test_the_same_seed_gives_the_same_figures(around: BoxView, faithfulness: FaithfulnessTest) -> None:
    again = FaithfulnessTest(around, seed=1).test(_true_map(around))
    assert again == faithfulness.test(_true_map(around))


def _curve(gain: float) -> Curve:
    return Curve((0.0, 1.0), (0.0, 0.0), (gain, gain))


@pytest.mark.parametrize(
    ("own", "belief"),
    [
        ((0.5, 0.5), Belief.FAITHFUL),
        ((0.41, 0.60), Belief.WEAK),
        ((0.42, 0.42), Belief.NOT_DISTINGUISHABLE),
        ((0.3, 0.3), Belief.NOT_DISTINGUISHABLE),
    ],
)
def test_the_word_follows_the_gaps(own: tuple[float, float], belief: Belief) -> None:
    fills = (Fill.MEMBRANE, Fill.THIN_PLATE)
    found = Faithfulness(
        dict(zip(fills, map(_curve, own), strict=True)),
        {
            Baseline.RANDOM: {f: _curve(0.1) for f in fills},
            Baseline.GAUSSIAN: {f: _curve(0.4) for f in fills},
        },
    )
    assert found.belief is belief
    assert found.words.startswith(belief.value)


def test_the_gain_is_the_mean_distance_of_the_curves() -> None:
    assert Curve((0.0, 0.5, 1.0), (1.0, 0.5, 0.0), (0.0, 0.5, 1.0)).gain == pytest.approx(0.0)
    assert Curve((0.0, 0.5, 1.0), (1.0, 0.0, 0.0), (0.0, 1.0, 1.0)).gain == pytest.approx(0.5)


def test_consensus_is_of_the_maps_alone() -> None:
    one = np.arange(100, dtype=np.float32).reshape(10, 10)
    assert consensus([one], 10) is None
    assert consensus([one, one * 3], 10) == pytest.approx((1.0, 1.0))
    assert consensus([one, -one], 10) == pytest.approx((-1.0, 0.0))
    assert rank_correlation(one, np.ones_like(one)) == 0.0
    assert top_overlap(one, one.T, 1) == 1.0
