"""Reported beside recorded boxes of one image."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class ImageOutcome:
    """Recorded and reported boxes of one image.

    Attributes:
        name: file name.
        cluster: the part, film or image whose frames are resampled together.
        truth: (G, 4) xyxy px.
        truth_labels: G category names.
        boxes: (D, 4) xyxy px, every merged detection above the evaluation floor.
        scores: (D,) raw scores, 0..1.
        labels: D class names.
        probabilities: (D,) calibrated, 0..1.
        mm_per_px: of the image, None when it is not known.

    Raises:
        ValueError: when lengths differ, or millimetres per px are not positive and finite.
    """

    name: str
    cluster: str
    truth: npt.NDArray[np.float32]
    truth_labels: tuple[str, ...]
    boxes: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    labels: tuple[str, ...]
    probabilities: npt.NDArray[np.floating[Any]]
    mm_per_px: float | None = None

    def __post_init__(self) -> None:
        n_truth, n = len(self.truth_labels), len(self.scores)
        if self.truth.shape != (n_truth, 4) or self.boxes.shape != (n, 4) or len(self.labels) != n:
            raise ValueError(
                f"{self.name}: truth {self.truth.shape}, {n_truth} recorded labels, "
                f"boxes {self.boxes.shape}, {n} scores, {len(self.labels)} labels do not belong together"
            )
        if self.probabilities.shape != (n,):
            raise ValueError(f"{self.name}: probabilities {self.probabilities.shape} for {n} detections")
        if self.mm_per_px is not None and not (np.isfinite(self.mm_per_px) and self.mm_per_px > 0):
            raise ValueError(f"{self.name}: mm_per_px must be positive and finite, got {self.mm_per_px}")
