"""Average precision by faster-coco-eval, the authority for the figures that are quoted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from faster_coco_eval import COCO, COCOeval_faster

from core.evaluate.matching import COCO_IOU_THRESHOLDS

#: Detections an image that count, by falling score. COCO's own 100 is too few for a weld film.
MAX_DETECTIONS = 1000


@dataclass(frozen=True, slots=True, eq=False)
class LabelledBoxes:
    """The recorded and detected boxes of one image.

    Attributes:
        truth: (G, 4) xyxy px.
        truth_labels: G names.
        boxes: (D, 4) xyxy px.
        labels: D names.
        scores: (D,).
    """

    truth: npt.NDArray[np.floating[Any]]
    truth_labels: Sequence[str]
    boxes: npt.NDArray[np.floating[Any]]
    labels: Sequence[str]
    scores: npt.NDArray[np.floating[Any]]


def coco_average_precision(images: Sequence[LabelledBoxes]) -> npt.NDArray[np.float64] | None:
    """The average precision at the overlaps 0.50, 0.55 ... 0.95: (10,) in 0..1, mean over labels.

    Only labels that some recorded box bears count. Area "all", 1,000 detections an image.

    Returns:
        None when there is no recorded box.
    """
    names = sorted({label for image in images for label in image.truth_labels})
    if not names:
        return None
    category = {name: number for number, name in enumerate(names, start=1)}
    truth = _load(images, category, [(i.truth, i.truth_labels, None) for i in images])
    found = _load(images, category, [(i.boxes, i.labels, i.scores) for i in images])
    if not found.anns:
        return np.zeros(len(COCO_IOU_THRESHOLDS))
    evaluation = COCOeval_faster(truth, found, iouType="bbox")
    evaluation.params.maxDets = [1, 10, MAX_DETECTIONS]
    evaluation.params.iouThrs = np.array(COCO_IOU_THRESHOLDS)
    evaluation.evaluate()
    evaluation.accumulate()
    precision = np.asarray(evaluation.eval["precision"])[:, :, :, 0, -1]
    per_threshold: npt.NDArray[np.float64] = precision.mean(axis=(1, 2))
    return per_threshold


def _load(
    images: Sequence[LabelledBoxes],
    category: dict[str, int],
    parts: Sequence[
        tuple[npt.NDArray[np.floating[Any]], Sequence[str], npt.NDArray[np.floating[Any]] | None]
    ],
) -> Any:
    """A COCO object of one side; boxes whose label no recorded box bears cannot match and are left out."""
    annotations: list[dict[str, Any]] = []
    for image_id, (boxes, labels, scores) in enumerate(parts, start=1):
        for index, label in enumerate(labels):
            if label not in category:
                continue
            x1, y1, x2, y2 = (float(v) for v in boxes[index])
            annotation = {
                "id": len(annotations) + 1,
                "image_id": image_id,
                "category_id": category[label],
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "area": (x2 - x1) * (y2 - y1),
                "iscrowd": 0,
            }
            annotations.append(annotation if scores is None else annotation | {"score": float(scores[index])})
    return COCO(
        {
            "images": [{"id": number} for number in range(1, len(images) + 1)],
            "annotations": annotations,
            "categories": [{"id": number, "name": name} for name, number in category.items()],
        }
    )
