"""Which flaws of known size a version found, and what it called besides."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from core.evaluate.matching import IOU_THRESHOLD, Boxes, iou_matrix
from core.evaluate.pod_models import Bools, Floats

#: A box reaches a flaw when they share so much of the smaller of both. Where a person looks, an overlap of
#: 0.5 is not needed: a box around a cluster shows each of its pores.
REACHES = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class ImageTargets:
    """The flaws of one image.

    Attributes:
        size_mm: (N,).
        labels: N classes.
        scores: (N,) the highest score of the boxes that reach each; 0 where none does.
        strict_scores: (N,) as `scores`, of boxes that overlap it by at least 0.5 (IoU).
        is_visible: (N,) False for flaws too faint to be told from the noise of the picture.
        n_false: boxes at the operating point that reach no flaw.
    """

    size_mm: Floats
    labels: tuple[str, ...]
    scores: Floats
    strict_scores: Floats
    is_visible: Bools
    n_false: int


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """The flaws of all images; attributes as of `ImageTargets`, and how many images."""

    size_mm: Floats
    labels: tuple[str, ...]
    scores: Floats
    strict_scores: Floats
    is_visible: Bools
    n_false: int
    n_images: int

    @classmethod
    def of(cls, images: list[ImageTargets]) -> Self:
        """Those of the images, in their order."""
        return cls(
            _joined([one.size_mm for one in images]),
            tuple(label for one in images for label in one.labels),
            _joined([one.scores for one in images]),
            _joined([one.strict_scores for one in images]),
            _joined([one.is_visible.astype(np.float64) for one in images]) > 0,
            sum(one.n_false for one in images),
            len(images),
        )

    def subset(self, keep: Bools) -> Self:
        """The flaws that `keep`, (N,) bool, names; calls and images stay."""
        return replace(
            self,
            size_mm=self.size_mm[keep],
            labels=tuple(label for label, kept in zip(self.labels, keep, strict=True) if kept),
            scores=self.scores[keep],
            strict_scores=self.strict_scores[keep],
            is_visible=self.is_visible[keep],
        )

    def of_class(self, label: str) -> Self:
        """The flaws of a class."""
        return self.subset(np.array([one == label for one in self.labels], np.bool_))


def targets_of(
    truth: Boxes,
    size_mm: Floats,
    labels: tuple[str, ...],
    is_visible: Bools,
    boxes: Boxes,
    scores: Floats,
    *,
    operating_score: float,
) -> ImageTargets:
    """The flaws of an image beside the boxes of a version.

    Args:
        truth: (N, 4) xyxy px around the flaws.
        size_mm: (N,).
        labels: N classes.
        is_visible: (N,) whether the picture shows them.
        boxes: (D, 4) xyxy px.
        scores: (D,) raw scores.
        operating_score: boxes from here on are called.
    """
    reached = share_of_smaller(boxes, truth) >= REACHES
    strict = iou_matrix(boxes, truth) >= IOU_THRESHOLD
    scored = np.asarray(scores, np.float64)[:, None]
    return ImageTargets(
        np.asarray(size_mm, np.float64),
        labels,
        np.where(reached, scored, 0.0).max(axis=0, initial=0.0),
        np.where(strict, scored, 0.0).max(axis=0, initial=0.0),
        np.asarray(is_visible, np.bool_),
        int((~reached.any(axis=1) & (scored[:, 0] >= operating_score)).sum()),
    )


def share_of_smaller(boxes: Boxes, truth: Boxes) -> Floats:
    """(D, N) area that each pair shares over the area of the smaller of both, 0..1. Boxes are xyxy px."""
    a, b = np.asarray(boxes, np.float64), np.asarray(truth, np.float64)
    top_left = np.maximum(a[:, None, :2], b[None, :, :2])
    bottom_right = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(bottom_right - top_left, 0, None).prod(axis=2)
    area_a, area_b = ((one[:, 2:] - one[:, :2]).prod(axis=1) for one in (a, b))
    smaller = np.minimum(area_a[:, None], area_b[None, :])
    found: Floats = np.zeros_like(shared)
    np.divide(shared, smaller, out=found, where=smaller > 0)
    return found


def _joined(arrays: list[Floats]) -> Floats:
    return np.concatenate([np.zeros(0), *arrays])
