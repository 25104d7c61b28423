"""How much the recorded boxes of one flaw differ from view to view, and what that leaves to reach.

    python -m benchmarks.label_scatter GDXRAY

Writes label_scatter.json. Recorded boxes of successive views of a series are linked where each is the other's
nearest and their centres are closer than the longer side. Half of the variance of the logarithm of the ratio
of their sizes is the scatter of one record; a turn of the part between the views and a wrong link add to it.
Then a network that always reports the mean extent of a flaw is simulated: how many records with such a
scatter does it meet at IoU 0.5 and 0.6? All four sides scatter independently there, and so does the place.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.domain.detections import FloatArray
from core.labelling.coco import CocoImage, read_coco

RESULT = Path(__file__).with_name("label_scatter.json")
#: Pairs that a series needs to be judged.
LEAST_PAIRS = 8
OVERLAPS = (0.5, 0.6)
N_SIMULATED = 20_000

Floats = npt.NDArray[np.float64]


def linked(before: FloatArray, after: FloatArray) -> list[tuple[int, int]]:
    """Indices of the boxes, (N, 4) and (M, 4) xyxy px, that are one flaw in two successive views."""
    if not len(before) or not len(after):
        return []
    gaps = np.linalg.norm(_centres(before)[:, None] - _centres(after)[None], axis=2)
    pairs = []
    for i, j in enumerate(gaps.argmin(axis=1)):
        side = max(_sizes(before)[i].max(), _sizes(after)[j].max())
        if gaps[:, j].argmin() == i and gaps[i, j] < side:
            pairs.append((i, int(j)))
    return pairs


def scatter(ratios: Floats) -> Floats:
    """(2,) standard deviation of the logarithm of a recorded width and height, of (N, 2) log ratios."""
    result: Floats = ratios.std(axis=0) / np.sqrt(2)
    return result


def reachable(deviation: Floats, random: np.random.Generator) -> list[float]:
    """Share of records met at each of `OVERLAPS` by boxes of mean extent, by the scatter of the records."""
    sides = random.normal(0, 1, (2, N_SIMULATED, 2)) * deviation / np.sqrt(2)
    low, high = sides[0] - 0.5, sides[1] + 0.5
    shared = (np.minimum(high, 0.5) - np.maximum(low, -0.5)).clip(0).prod(axis=1)
    overlap = shared / (1 + (high - low).prod(axis=1) - shared)
    return [round(float((overlap >= least).mean()), 3) for least in OVERLAPS]


def _centres(boxes: FloatArray) -> FloatArray:
    return boxes[:, :2] + np.float32(0.5) * _sizes(boxes)


def _sizes(boxes: FloatArray) -> FloatArray:
    return boxes[:, 2:] - boxes[:, :2]


def measure(images: Sequence[CocoImage]) -> dict[str, Any]:
    """By series: linked pairs, scatter of width and height, and the share that boxes of mean extent meet."""
    views: dict[str, dict[int, FloatArray]] = defaultdict(dict)
    for image in images:
        views[str(image.series)][int(Path(image.file_name).stem.split("_")[-1])] = image.boxes
    random, result = np.random.default_rng(0), dict[str, Any]()
    for series, by_number in sorted(views.items()):
        ratios = [
            np.log(_sizes(by_number[b])[j] / _sizes(by_number[a])[i])
            for a, b in pairwise(sorted(by_number))
            if b == a + 1
            for i, j in linked(by_number[a], by_number[b])
        ]
        if len(ratios) >= LEAST_PAIRS:
            deviation = scatter(np.array(ratios, np.float64))
            result[series] = {
                "pairs": len(ratios),
                "scatter": [round(float(value), 3) for value in deviation],
                "reachable": reachable(deviation, random),
            }
    return result


def main(arguments: Sequence[str]) -> int:
    """Measure the recorded boxes and write the figures."""
    if len(arguments) != 1:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    figures = measure(read_coco(Path(arguments[0]) / "castings.json").images)
    RESULT.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
