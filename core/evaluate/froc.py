"""The free-response operating curve: what share is found at how many false calls an image."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

#: False calls an image at which sensitivity is customarily quoted.
CUSTOMARY_FALSE_CALLS: tuple[float, ...] = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True, slots=True, eq=False)
class FrocCurve:
    """Operating points by falling threshold; point i reports every box with a score >= thresholds[i].

    Attributes:
        thresholds: (P,) distinct scores, falling.
        sensitivity: (P,) share of the recorded boxes found, 0..1.
        false_calls_per_image: (P,) not negative.
    """

    thresholds: npt.NDArray[np.float64]
    sensitivity: npt.NDArray[np.float64]
    false_calls_per_image: npt.NDArray[np.float64]


def froc_curve(
    scores: npt.NDArray[np.floating[Any]], is_true: npt.NDArray[np.bool_], *, n_truth: int, n_images: int
) -> FrocCurve | None:
    """The curve over all thresholds; None when there is no recorded box or no image.

    Args:
        scores: (D,) of all detections of all images.
        is_true: (D,) from a one-to-one match.
        n_truth: recorded boxes in all images.
        n_images: images, those without boxes included.
    """
    if n_truth == 0 or n_images == 0:
        return None
    order = np.argsort(-np.asarray(scores), kind="stable")
    ranked, hits = np.asarray(scores, np.float64)[order], is_true[order]
    is_last_of_tie = np.append(np.diff(ranked) != 0, True)[: len(ranked)]
    return FrocCurve(
        ranked[is_last_of_tie],
        np.cumsum(hits)[is_last_of_tie] / n_truth,
        np.cumsum(~hits)[is_last_of_tie] / n_images,
    )


def sensitivity_at(curve: FrocCurve, false_calls_per_image: float) -> float:
    """The highest sensitivity with at most so many false calls an image; 0 when none is that quiet."""
    is_quiet = curve.false_calls_per_image <= false_calls_per_image
    return float(curve.sensitivity[is_quiet].max(initial=0.0))
