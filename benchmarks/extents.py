"""How well the boxes of castings fit, at three overlaps and by series. Writes extents.json.

    python -m benchmarks.extents GDXRAY NAME=ARTEFACT [NAME=ARTEFACT ...]

ARTEFACT is the folder of a version or of a training run: its weights, and the manifest that says what trained
them. Two sets of views: part `eighth` of casting-eighth-views.yaml, every eighth view of each series, and
part `held_views` of casting-views.yaml, views of five series that no shipped version trained on. For each
network and set: how many of its images trained the network, AP at IoU 0.3, 0.5 and 0.6 with intervals from a
bootstrap over series, the differences to the network named first from the same draws, and what becomes of
the recorded boxes at IoU 0.5.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.domain.detections import FloatArray
from core.domain.radiograph import Polarity
from core.engine.detector import Detector
from core.evaluate.average_precision import RankedDetections, average_precision, rank
from core.evaluate.matching import iou_matrix, match
from core.evaluate.resampling import Resampling, expanded_interval, resample
from core.labelling.coco import CocoImage, read_coco
from core.labelling.split import members_of, read_split
from core.registry.artefact import MANIFEST, WEIGHTS
from core.services.evaluation.recorded_images import count_trained_on, detect_recorded, select_images

SPLITS = Path(__file__).resolve().parents[1] / "data" / "splits"
RESULT = Path(__file__).with_name("extents.json")
#: File and part of each set of views.
SETS = {
    "every eighth view of 33 series": ("casting-eighth-views.yaml", "eighth"),
    "views held back of five series": ("casting-views.yaml", "held_views"),
}
OVERLAPS = (0.3, 0.5, 0.6)
#: Of a recorded box: the least overlap that calls a report on it one of wrong extent, not a miss.
TOUCHES = 0.1
#: A report is too large or too small when its area differs by more than this factor.
AREA_FACTOR = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Recorded and reported boxes of one image.

    Attributes:
        series: of the part.
        truth: (G, 4) xyxy px.
        boxes: (D, 4) xyxy px, highest score first.
        scores: (D,).
    """

    series: str
    truth: FloatArray
    boxes: FloatArray
    scores: FloatArray


def detected(detector: Detector, images: Sequence[CocoImage], folder: Path) -> list[View]:
    """What `detector` reports on each image beside what is recorded."""
    views = []
    for image in images:
        found = detect_recorded(detector, image, folder, Polarity.DIGITAL)
        views.append(View(str(image.series), image.boxes, found.boxes, found.scores))
    return views


def ranked(views: Sequence[View], overlap: float) -> RankedDetections:
    """The reports of all views by score, each true or false at `overlap`."""
    hits = [match(view.boxes, view.scores, view.truth, overlap).is_true for view in views]
    return rank([view.scores for view in views], hits, np.array([len(view.truth) for view in views]))


def fates(views: Sequence[View], least_score: float) -> dict[str, int]:
    """How many recorded boxes were met at IoU 0.5, and what overlaps the others most, if anything.

    Args:
        views: to look at.
        least_score: reports below it are left out.
    """
    counts = dict.fromkeys(("found", "too large", "too small", "displaced", "missed"), 0)
    for view in views:
        shown = view.scores >= least_score
        boxes = view.boxes[shown]
        is_found = match(boxes, view.scores[shown], view.truth, 0.5).is_found
        overlaps = iou_matrix(boxes, view.truth)
        for number, truth in enumerate(view.truth):
            counts[_fate(bool(is_found[number]), boxes, overlaps[:, number], truth)] += 1
    return counts


def _fate(is_found: bool, boxes: FloatArray, overlaps: npt.NDArray[np.float64], truth: FloatArray) -> str:
    """The key of `fates` for one recorded box."""
    if is_found:
        return "found"
    if overlaps.max(initial=0.0) < TOUCHES:
        return "missed"
    ratio = _area(boxes[overlaps.argmax()]) / _area(truth)
    if ratio > AREA_FACTOR:
        return "too large"
    return "too small" if ratio < 1 / AREA_FACTOR else "displaced"


def _area(box: FloatArray) -> float:
    return float((box[2] - box[0]) * (box[3] - box[1]))


def figures_of(views: Sequence[View], plan: Resampling, reference: Sequence[View]) -> dict[str, Any]:
    """The figures of one network on one set.

    Args:
        views: of the network.
        plan: draws of series.
        reference: the same views by the network to compare with.
    """
    result: dict[str, Any] = {}
    for overlap in OVERLAPS:
        now, before = ranked(views, overlap), ranked(reference, overlap)
        draws = _draws(now, plan)
        name = f"ap{round(100 * overlap)}"
        result[name] = _rounded(average_precision(now))
        result[f"{name}_ci"] = _interval(draws, plan)
        result[f"{name}_difference_ci"] = _interval(draws - _draws(before, plan), plan)
    result["recorded_boxes"] = fates(views, 0.1)
    by_series = result["by_series"] = dict[str, Any]()
    for name in sorted({view.series for view in views}):
        own = [ranked([view for view in views if view.series == name], overlap) for overlap in OVERLAPS]
        by_series[name] = [_rounded(average_precision(ranking)) for ranking in own]
    return result


def _draws(ranking: RankedDetections, plan: Resampling) -> npt.NDArray[np.float64]:
    """(R,) AP of each draw, NaN where it holds no recorded box."""
    values = (average_precision(ranking, plan.image_weights(i)) for i in range(len(plan.counts)))
    return np.array([np.nan if value is None else value for value in values])


def _interval(draws: npt.NDArray[np.float64], plan: Resampling) -> list[float] | None:
    interval = expanded_interval(draws, plan.n_parts)
    return None if interval is None else [round(value, 3) for value in interval]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def trained_on(artefact: Path) -> frozenset[str]:
    """The sha256 of every image that trained the network in `artefact`."""
    entries = json.loads((artefact / MANIFEST).read_text(encoding="utf-8"))["images"]
    return frozenset(str(entry["sha256"]) for entry in entries)


def measure(folder: Path, artefacts: dict[str, Path]) -> dict[str, Any]:
    """The figures of every set and network; the first network is what the others are compared with."""
    dataset = read_coco(folder / "castings.json")
    result: dict[str, Any] = {}
    for title, (file, part) in SETS.items():
        images = select_images(dataset, folder, members_of(read_split(SPLITS / file), part))
        plan = resample([str(image.series) for image in images])
        networks: dict[str, Any] = {}
        first: list[View] | None = None
        for name, artefact in artefacts.items():
            views = detected(Detector.load(artefact / WEIGHTS), images, folder)
            first = first or views
            n_trained = count_trained_on(images, folder, trained_on(artefact))
            networks[name] = {"n_trained_on": n_trained, **figures_of(views, plan, first)}
            told = {key: networks[name][key] for key in ("n_trained_on", "ap30", "ap50", "ap60")}
            sys.stderr.write(f"{title}, {name}: {told}\n")
        n_boxes = sum(len(image.boxes) for image in images)
        result[title] = {"n_images": len(images), "n_boxes": n_boxes, "networks": networks}
    return result


def main(arguments: Sequence[str]) -> int:
    """Measure the networks that are named and write the figures."""
    if len(arguments) < 2 or not all("=" in one for one in arguments[1:]):
        sys.stderr.write(f"{__doc__}\n")
        return 2
    artefacts = {name: Path(path) for name, path in (one.split("=", 1) for one in arguments[1:])}
    content = measure(Path(arguments[0]), artefacts)
    RESULT.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
