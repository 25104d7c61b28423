"""Decided boxes of a calibrated model show no sign; those of an overconfident one do; few say nothing."""

import numpy as np
import pytest

from core.evaluate.live_calibration import LEAST_BOXES, DecidedBox, live_by, live_calibration


def decided(n: int, *, share: float = 1.0, part: str = "") -> list[DecidedBox]:
    """`n` boxes whose chance to be true is `share` of their probability."""
    rng = np.random.default_rng(2)
    p = rng.uniform(0.4, 1, n)
    return [DecidedBox(float(one), bool(rng.random() < share * one), part) for one in p]


def test_too_few_boxes_say_nothing() -> None:
    found = live_calibration(decided(LEAST_BOXES - 1))
    assert (found.bins, found.d_ece, found.band) == ((), None, None)
    assert "29 boxes were decided on; 30" in found.words
    assert live_calibration([]).mean_probability is None


@pytest.mark.parametrize(("share", "said"), [(1.0, "no sign"), (0.6, ": miscalibrated")])
def test_overconfidence_is_told(share: float, said: str) -> None:
    found = live_calibration(decided(600, share=share))
    assert said in found.words
    assert sum(one.n_boxes for one in found.bins) == 600
    assert all(one.interval[0] <= one.share_true <= one.interval[1] for one in found.bins)


def test_parts_are_told_apart_and_unstated_ones_left_out() -> None:
    found = live_by([*decided(40, part="a"), *decided(50, part="b"), *decided(9)], "part")
    assert [(name, one.n_boxes) for name, one in found.items()] == [("b", 50), ("a", 40)]
