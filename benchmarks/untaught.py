"""How well casting networks read parts that nobody taught them: benchmarks/untaught.json.

    python -m benchmarks.untaught GDXRAY NAME=WEIGHTS [NAME=WEIGHTS ...]

`GDXRAY` holds castings.json and its images. The twelve series of data/splits/casting-untaught.yaml; five of
them, part `calibration` of data/splits/casting.yaml, choose what ships, so the other seven are shown beside
them. Recall is by the longer side of the recorded box, where there is one false call an image, at IoU 0.5.
"""

import json
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from core.domain.detections import Detections
from core.domain.radiograph import Polarity
from core.engine.detector import Detector
from core.evaluate.average_precision import average_precision, rank
from core.evaluate.calibration_groups import SIZE_EDGES_PX
from core.evaluate.matching import match
from core.labelling.coco import CocoImage, read_coco
from core.labelling.split import members_of, read_split
from core.services.evaluation.recorded_images import detect_recorded, select_images

RESULT = Path(__file__).with_name("untaught.json")
SPLITS = Path(__file__).resolve().parents[1] / "data" / "splits"
FALSE_CALLS_AN_IMAGE = 1.0


def ap(images: Sequence[CocoImage], found: Sequence[Detections], iou: float = 0.5) -> float:
    """Average precision over all images, classes ignored."""
    hits = [match(f.boxes, f.scores, i.boxes, iou).is_true for i, f in zip(images, found, strict=True)]
    value = average_precision(
        rank([f.scores for f in found], hits, np.array([len(image.boxes) for image in images]))
    )
    assert value is not None  # there are recorded boxes
    return round(float(value), 3)


def recall_by_size(images: Sequence[CocoImage], found: Sequence[Detections]) -> dict[str, Any]:
    """Found and recorded boxes by size, the score from which on reports count, and their false calls."""
    sides, reached, false = [], [], []
    for image, own in zip(images, found, strict=True):
        matched = match(own.boxes, own.scores, image.boxes)
        false += own.scores[~matched.is_true].tolist()
        by_truth = dict(zip(matched.truth_index.tolist(), own.scores.tolist(), strict=True))
        reached += [by_truth.get(number, -1.0) for number in range(len(image.boxes))]
        sides += (image.boxes[:, 2:] - image.boxes[:, :2]).max(axis=1).tolist()
    allowed = int(FALSE_CALLS_AN_IMAGE * len(images))
    cut = sorted(false, reverse=True)[allowed] if len(false) > allowed else 0.0
    is_found, longer = np.array(reached) > cut, np.array(sides)
    shares = {}
    for low, high in pairwise(SIZE_EDGES_PX):
        is_in = (longer >= low) & (longer < high)
        shares[f"{low:g} to {high:g} px"] = [int(is_found[is_in].sum()), int(is_in.sum())]
    return {"above_score": round(cut, 4), "n_false": int(sum(s > cut for s in false)), "found": shares}


def measure(data: Path, weights: Path) -> dict[str, Any]:
    """Every figure of one network."""
    series = members_of(read_split(SPLITS / "casting-untaught.yaml"), "untaught")
    choosing = set(members_of(read_split(SPLITS / "casting.yaml"), "calibration"))
    images = select_images(read_coco(data / "castings.json"), data, series)
    detector = Detector.load(weights)
    found = [detect_recorded(detector, image, data, Polarity.DIGITAL) for image in images]
    is_choosing = [image.series in choosing for image in images]
    parts = {
        name: [(i, f) for i, f, is_one in zip(images, found, is_choosing, strict=True) if is_one is wanted]
        for name, wanted in (("choosing", True), ("other seven", False))
    }
    return {
        "number_format": detector.number_format,
        "n_images": len(images),
        "n_boxes": sum(len(image.boxes) for image in images),
        "ap50": ap(images, found),
        "ap30": ap(images, found, 0.3),
        **{f"ap50 {name}": ap([i for i, _ in own], [f for _, f in own]) for name, own in parts.items()},
        "at_one_false_call": recall_by_size(images, found),
    }


def main(arguments: Sequence[str]) -> int:
    """Measure, write, print."""
    data, named = Path(arguments[0]), dict(one.split("=", 1) for one in arguments[1:])
    figures = {name: measure(data, Path(weights)) for name, weights in named.items()}
    RESULT.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
