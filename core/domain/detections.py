"""Detections as one validated value that crosses every boundary."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from core.domain.flaw_group import GroupClaim
from core.domain.indication import IndicationClass
from core.domain.outline import Outline

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class View:
    """A rectangle of the image as the network saw it: absolute px, and the scale it was seen at.

    It reaches beyond an image that is smaller than what the network was trained on; there the border repeats.
    """

    x0: int
    y0: int
    x1: int
    y1: int
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class CellOrigin:
    """Place in the network that a box came from: the raw prediction that survived merging.

    Attributes:
        view: the tile that was run.
        level: index of the pyramid level, 0 is the finest.
        row, col: cell of that level's map.
    """

    view: View
    level: int
    row: int
    col: int


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """The merged detections of one image, highest score first.

    Attributes:
        boxes: (N, 4) float32, xyxy, absolute px, origin at the top left.
        scores: (N,) float32 in 0..1, the raw class-agnostic indication score.
        classes: N classes.
        origins: N origins.
        probabilities: (N,) float32 in 0..1, calibrated; None before the calibrating service ran.
        outlines: N outlines, None for a box alone; None from a network that draws none.
        class_shares: (N, K) float32, what the network says of each class, summing to 1; None when not asked.
        claims: N claims of the second stage; None of a model without one.

    Raises:
        ValueError: when lengths differ or a value is out of range.
    """

    boxes: FloatArray
    scores: FloatArray
    classes: tuple[IndicationClass, ...]
    origins: tuple[CellOrigin, ...]
    probabilities: FloatArray | None = None
    outlines: tuple[Outline | None, ...] | None = None
    class_shares: FloatArray | None = None
    claims: tuple[GroupClaim, ...] | None = None

    def __post_init__(self) -> None:
        n = len(self.scores)
        if self.boxes.shape != (n, 4):
            raise ValueError(f"boxes must be ({n}, 4), got {self.boxes.shape}")
        if len(self.classes) != n or len(self.origins) != n:
            raise ValueError(f"{n} scores, {len(self.classes)} classes, {len(self.origins)} origins")
        optional = {"outlines": self.outlines, "class shares": self.class_shares, "claims": self.claims}
        for name, each in optional.items():
            if each is not None and len(each) != n:
                raise ValueError(f"{n} scores, {len(each)} {name}")
        if n and not (self.boxes[:, 2:] >= self.boxes[:, :2]).all():
            raise ValueError("boxes must be xyxy with x2 >= x1 and y2 >= y1")
        for name, values in (("scores", self.scores), ("probabilities", self.probabilities)):
            if values is None:
                continue
            if values.shape != (n,) or (n and not ((values >= 0) & (values <= 1)).all()):
                raise ValueError(f"{name} must be ({n},) within 0..1")

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def empty(cls) -> Self:
        """No detections."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), (), ())

    def take(self, indices: Sequence[int] | npt.NDArray[np.intp]) -> "Detections":
        """The detections at `indices`, in that order."""
        index = np.asarray(indices, dtype=np.intp)
        return Detections(
            self.boxes[index],
            self.scores[index],
            tuple(self.classes[i] for i in index),
            tuple(self.origins[i] for i in index),
            None if self.probabilities is None else self.probabilities[index],
            None if self.outlines is None else tuple(self.outlines[i] for i in index),
            None if self.class_shares is None else self.class_shares[index],
            None if self.claims is None else tuple(self.claims[i] for i in index),
        )

    def with_scores(self, scores: FloatArray) -> "Detections":
        """The same detections with other scores, (N,) in 0..1, highest first; not calibrated.

        Raises:
            ValueError: when they were calibrated: their probabilities would belong to earlier scores.
        """
        if self.probabilities is not None:
            raise ValueError("the detections were calibrated: expected none with probabilities")
        return replace(self, scores=scores.astype(np.float32)).take(np.argsort(-scores, kind="stable"))

    def above(self, score: float) -> "Detections":
        """Those with a score of at least `score`."""
        return self.take(np.flatnonzero(self.scores >= score))

    def reported(self, threshold: float) -> npt.NDArray[np.intp]:
        """Places of those that a threshold of the probability lets through, as the group of each asks for it.

        Raises:
            ValueError: when they carry no probabilities.
        """
        if self.probabilities is None:
            raise ValueError("the detections were not calibrated: no probabilities")
        shares = [claim.operating_share for claim in self.claims or ()] or 1.0
        return np.flatnonzero(self.probabilities >= threshold * np.asarray(shares))

    def with_probabilities(self, probabilities: FloatArray) -> "Detections":
        """The same detections, calibrated. `probabilities` is (N,) in 0..1."""
        return replace(self, probabilities=probabilities.astype(np.float32))
