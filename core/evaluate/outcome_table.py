"""The outcomes of all images of a set as columns, matched once, so that later questions are of arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from core.evaluate.matching import IOU_THRESHOLD, iou_matrix, match
from core.evaluate.outcome import ImageOutcome

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
_TEXTS = ("names", "digests", "parts", "classes")
_NUMBERS = ("score_cut", "operating_probability")


@dataclass(frozen=True, slots=True, eq=False)
class OutcomeTable:
    """Recorded and reported boxes of N images. Boxes of an image stand together, by falling score.

    Attributes:
        names, digests, parts: N file names, sha256s of the images' files, and independent parts.
        mm_per_px: (N,) NaN where it is not known.
        elapsed_ms: (N,) time to detect, NaN where it was not measured.
        classes: names that the class columns point to.
        truth, truth_image, truth_class: (G, 4) xyxy px, (G,), (G,).
        boxes, box_image, box_class: (D, 4) xyxy px, (D,), (D,).
        scores, probabilities: (D,) raw and calibrated.
        matched: (D,) the recorded box that it is matched with at IoU 0.5, classes ignored; -1 for none.
        nearest, nearest_iou: (D,) the recorded box that it overlaps most, -1 for none; that overlap.
        is_class_aware: the recorded classes are ones that the version was taught.
        score_cut: only boxes with at least this score are reported and calibrated.
        operating_probability: of the version's calibration.
    """

    names: tuple[str, ...]
    digests: tuple[str, ...]
    parts: tuple[str, ...]
    mm_per_px: Floats
    elapsed_ms: Floats
    classes: tuple[str, ...]
    truth: npt.NDArray[np.float32]
    truth_image: Ints
    truth_class: Ints
    boxes: npt.NDArray[np.float32]
    box_image: Ints
    box_class: Ints
    scores: npt.NDArray[np.float32]
    probabilities: Floats
    matched: Ints
    nearest: Ints
    nearest_iou: npt.NDArray[np.float32]
    is_class_aware: bool
    score_cut: float
    operating_probability: float

    @property
    def n_images(self) -> int:
        """Images, those without boxes included."""
        return len(self.names)

    def is_reported(self, probability: float | None = None) -> Bools:
        """(D,) True at or above the score cut and the probability; None takes the operating one."""
        at_least = self.operating_probability if probability is None else probability
        reported: Bools = (self.scores >= self.score_cut) & (self.probabilities >= at_least)
        return reported

    def box_of_truth(self, probability: float | None = None) -> Ints:
        """(G,) the reported box that found each recorded one, -1 where none did."""
        found = np.full(len(self.truth), -1, np.int32)
        hits = np.flatnonzero(self.is_reported(probability) & (self.matched >= 0))
        found[self.matched[hits]] = hits
        return found

    def per_image(self, of: Ints, chosen: Bools) -> npt.NDArray[np.int64]:
        """(N,) how many chosen boxes each image holds; `of` is `truth_image` or `box_image`."""
        counts: npt.NDArray[np.int64] = np.bincount(of[chosen], minlength=self.n_images)
        return counts

    def class_name(self, index: int) -> str:
        """The class of a class column's entry."""
        return self.classes[index]

    def subset(self, keep: Bools) -> Self:
        """The table of the images that `keep`, (N,) bool, names, in the same order."""
        of_truth, of_box = keep[self.truth_image], keep[self.box_image]
        image = np.cumsum(keep, dtype=np.int32) - 1
        numbered = np.where(of_truth, np.cumsum(of_truth) - 1, -1)
        truth = np.append(numbered, -1).astype(np.int32)
        columns: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        columns |= {
            name: tuple(one for one, kept in zip(columns[name], keep, strict=True) if kept)
            for name in ("names", "digests", "parts")
        }
        columns |= {name: columns[name][keep] for name in ("mm_per_px", "elapsed_ms")}
        columns |= {name: columns[name][of_truth] for name in ("truth", "truth_class")}
        columns |= {
            name: columns[name][of_box]
            for name in ("boxes", "box_class", "scores", "probabilities", "nearest_iou")
        }
        return replace(
            self,
            **columns
            | {
                "truth_image": image[self.truth_image[of_truth]],
                "box_image": image[self.box_image[of_box]],
                "matched": truth[self.matched[of_box]],  # -1 points at the last entry, which is -1
                "nearest": truth[self.nearest[of_box]],
            },
        )

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Plain arrays that `from_arrays` reads; none of them needs pickle."""
        columns = {name: getattr(self, name) for name in self.__slots__}
        columns |= {name: np.array(columns[name], dtype=np.str_) for name in _TEXTS}
        return {name: np.asarray(value) for name, value in columns.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """The table in what `to_arrays` gave.

        Raises:
            KeyError: a column is missing.
        """
        columns: dict[str, Any] = {name: arrays[name] for name in cls.__slots__}
        columns |= {name: tuple(str(one) for one in columns[name]) for name in _TEXTS}
        columns |= {name: float(columns[name]) for name in _NUMBERS}
        return cls(**columns | {"is_class_aware": bool(columns["is_class_aware"])})


def tabulate(
    outcomes: Sequence[ImageOutcome],
    *,
    is_class_aware: bool,
    score_cut: float,
    operating_probability: float,
    digests: Sequence[str] | None = None,
    elapsed_ms: Sequence[float] | None = None,
) -> OutcomeTable:
    """The table of these outcomes; see the attributes of `OutcomeTable` for the arguments.

    Without `digests` it cannot be compared with that of another version.
    """
    n = len(outcomes)
    by_score = [np.argsort(-image.scores, kind="stable") for image in outcomes]
    labels = [image.labels[i] for image, order in zip(outcomes, by_score, strict=True) for i in order]
    recorded = [label for image in outcomes for label in image.truth_labels]
    classes = tuple(sorted({*labels, *recorded}))
    number = {name: index for index, name in enumerate(classes)}
    boxes = [image.boxes[order] for image, order in zip(outcomes, by_score, strict=True)]
    scores = [image.scores[order] for image, order in zip(outcomes, by_score, strict=True)]
    probabilities = [image.probabilities[order] for image, order in zip(outcomes, by_score, strict=True)]
    matched, nearest, overlap = _matches(outcomes, boxes, scores)
    scales = [np.nan if image.mm_per_px is None else image.mm_per_px for image in outcomes]
    return OutcomeTable(
        names=tuple(image.name for image in outcomes),
        digests=("",) * n if digests is None else tuple(digests),
        parts=tuple(image.cluster for image in outcomes),
        mm_per_px=np.array(scales, np.float64),
        elapsed_ms=np.full(n, np.nan) if elapsed_ms is None else np.array(elapsed_ms, np.float64),
        classes=classes,
        truth=_joined([image.truth for image in outcomes], (0, 4), np.float32),
        truth_image=_numbered([len(image.truth) for image in outcomes]),
        truth_class=np.array([number[label] for label in recorded], np.int32),
        boxes=_joined(boxes, (0, 4), np.float32),
        box_image=_numbered([len(found) for found in scores]),
        box_class=np.array([number[label] for label in labels], np.int32),
        scores=_joined(scores, (0,), np.float32),
        probabilities=_joined(probabilities, (0,), np.float64),
        matched=matched,
        nearest=nearest,
        nearest_iou=overlap,
        is_class_aware=is_class_aware,
        score_cut=score_cut,
        operating_probability=operating_probability,
    )


def _matches(
    outcomes: Sequence[ImageOutcome],
    boxes: Sequence[npt.NDArray[np.float32]],
    scores: Sequence[npt.NDArray[np.float32]],
) -> tuple[Ints, Ints, npt.NDArray[np.float32]]:
    """`matched`, `nearest` and `nearest_iou` of all boxes, pointing into the joined recorded boxes."""
    matched, nearest, overlap, start = [], [], [], 0
    for image, found, score in zip(outcomes, boxes, scores, strict=True):
        of_box = match(found, score, image.truth, IOU_THRESHOLD).truth_index
        matched.append(np.where(of_box >= 0, of_box + start, -1))
        overlaps = iou_matrix(found, image.truth)
        best = overlaps.max(axis=1, initial=0.0)
        index = overlaps.argmax(axis=1) if overlaps.shape[1] else np.zeros(len(found), np.intp)
        nearest.append(np.where(best > 0, index + start, -1))
        overlap.append(best)
        start += len(image.truth)
    return (
        _joined(matched, (0,), np.int32),
        _joined(nearest, (0,), np.int32),
        _joined(overlap, (0,), np.float32),
    )


def _joined(arrays: Sequence[npt.NDArray[Any]], empty: tuple[int, ...], kind: Any) -> npt.NDArray[Any]:
    return np.concatenate([np.zeros(empty), *arrays]).astype(kind)


def _numbered(sizes: Sequence[int]) -> Ints:
    return np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
