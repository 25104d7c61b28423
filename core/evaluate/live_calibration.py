"""Whether probabilities hold on the boxes that inspectors decided on, as they work.

It is no validation. Only boxes that were shown, at or above the operating point, are decided on; whoever
decides knows the probability; one person's word stands for the truth; what nobody reported does not occur.
So the figures tell of a change, and that probabilities are too high; never that too much was missed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.evaluate.calibration_error import d_ece, perfect_d_ece_band, reliability
from core.evaluate.proportion import wilson_interval

#: Fewer decided boxes make no diagram.
LEAST_BOXES = 30
_MOST_BINS, _BOXES_A_BIN = 10, 15
_SEED = 0


@dataclass(frozen=True, slots=True)
class DecidedBox:
    """A box that the model reported and an inspector decided on.

    Attributes:
        probability: that the model gave it.
        is_true: confirmed; False where it was dismissed as an error of the detector.
        part, equipment: of the inspection; empty where not stated.
    """

    probability: float
    is_true: bool
    part: str = ""
    equipment: str = ""


@dataclass(frozen=True, slots=True)
class LiveBin:
    """Boxes of similar probability.

    Attributes:
        interval: 95 %, Wilson; too narrow where boxes of one film are alike.
    """

    mean_probability: float
    share_true: float
    n_boxes: int
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class LiveCalibration:
    """The figures of some decided boxes.

    Attributes:
        bins: by rising probability; empty below `LEAST_BOXES`.
        d_ece, band: what was measured, and what a perfectly calibrated model of this size shows (95 %); None
            below `LEAST_BOXES`.
    """

    n_boxes: int
    n_true: int
    mean_probability: float | None
    bins: tuple[LiveBin, ...]
    d_ece: float | None
    band: tuple[float, float] | None

    @property
    def words(self) -> str:
        """What the figures say, in one sentence without a full stop."""
        if self.d_ece is None or self.band is None:
            return f"{self.n_boxes} boxes were decided on; {LEAST_BOXES} are the least to say anything"
        low, high = self.band
        measured = f"D-ECE {self.d_ece:.3f}; a perfect model of this size shows {low:.3f} to {high:.3f}"
        return f"{measured}: {'no sign of miscalibration' if self.d_ece <= high else 'miscalibrated'}"


def live_calibration(boxes: Sequence[DecidedBox]) -> LiveCalibration:
    """The figures of these boxes; those that too few boxes do not allow are None."""
    p = np.array([one.probability for one in boxes], np.float64)
    is_true = np.array([one.is_true for one in boxes], np.bool_)
    n, n_true = len(boxes), int(is_true.sum())
    if n < LEAST_BOXES:
        return LiveCalibration(n, n_true, float(p.mean()) if n else None, (), None, None)
    n_bins = max(2, min(_MOST_BINS, n // _BOXES_A_BIN))
    bins = []
    for mean, share, count in reliability(p, is_true, n_bins):
        interval = wilson_interval(round(share * count), count)
        assert interval is not None  # a bin holds boxes
        bins.append(LiveBin(mean, share, count, interval))
    return LiveCalibration(
        n,
        n_true,
        float(p.mean()),
        tuple(bins),
        d_ece(p, is_true, n_bins),
        perfect_d_ece_band(p, seed=_SEED, n_bins=n_bins),
    )


def live_by(boxes: Iterable[DecidedBox], name: str) -> Mapping[str, LiveCalibration]:
    """The figures by `part` or `equipment`, most boxes first; without those where it is not stated."""
    groups: dict[str, list[DecidedBox]] = {}
    for one in boxes:
        if value := getattr(one, name):
            groups.setdefault(value, []).append(one)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return {value: live_calibration(own) for value, own in ordered}
