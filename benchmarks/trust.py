"""Whether "without it", or the outcome of similar boxes, tells true boxes from false ones.

    python -m benchmarks.trust collect castings|new-parts OUT.npz GDXRAY
    python -m benchmarks.trust collect simulated OUT.npz FOLDER
    python -m benchmarks.trust judge NAME=FILE.npz [NAME=FILE.npz ...]

`collect` reads boxes of a probability of at least 0.05, at most 15 an image, again without their region, and
without up to four regions of the same size beside it that touch no other box; none of the images trained the
version. `judge` fits a logistic model on the probability alone and with each further figure, out of fold by
image, tells the AUROC of both with 95 % intervals by bootstrap over images, and writes benchmarks/trust.json.
Simulated welds are every third of `radikal simulate --count 30 --seed 330000`; new parts are every sixth
image of data/splits/casting-untaught.yaml, read by casting-any.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.domain.detections import FloatArray
from core.domain.explanations import Fill
from core.domain.inspection import DetectionResult
from core.domain.radiograph import Polarity
from core.engine.detector import Detector
from core.evaluate.explanation_figures import added_auroc, auroc_estimate
from core.evaluate.matching import counts_despite, match
from core.explain.box_features import box_features
from core.explain.without_region import ScoresWithout, read_box_without
from core.labelling.coco import CocoImage, read_coco
from core.labelling.split import members_of, read_split
from core.services.evaluation.recorded_images import read_recorded, select_images
from core.services.inference.detecting import DetectService, normalised_for
from core.services.inference.without_it import calibrated, seed_of
from core.services.lifecycle.releasing import OneModel
from core.setting_up import CHECKPOINTS

Floats = npt.NDArray[np.float64]
RESULT = Path(__file__).with_name("trust.json")
SPLITS = Path(__file__).resolve().parents[1] / "data" / "splits"
LEAST_PROBABILITY, AT_MOST, NEIGHBOURS, SEED = 0.05, 15, 10, 0
#: Version folder, model and number, COCO file, split and part, polarity of each set.
SETS: dict[str, tuple[str, str, int, str, str | None, str, Polarity]] = {
    "castings": ("casting-v4", "casting", 4, "castings.json", "casting-eighth-views.yaml", "eighth",
                 Polarity.DIGITAL),
    "new-parts": ("casting-any-v2", "casting-any", 2, "castings.json", "casting-untaught.yaml", "untaught",
                  Polarity.DIGITAL),
    "simulated": ("weld-v4", "weld", 4, "truth.json", None, "", Polarity.FILM),
}  # fmt: skip

#: Every so many images of a set are read.
THIN = {"new-parts": 6, "simulated": 3}


def collect(name: str, out: Path, folder: Path) -> None:
    """Read every box of the set again and keep what was found."""
    artefact, model, version, coco, split, part, polarity = SETS[name]
    members = None if split is None else members_of(read_split(SPLITS / split), part)
    images = select_images(read_coco(folder / coco), folder, members)
    images = images[:: THIN.get(name, 1)]
    service = DetectService(OneModel(CHECKPOINTS / artefact, version), device="cpu")
    found: list[dict[str, Any]] = []
    for number, image in enumerate(images, start=1):
        radiograph = read_recorded(image, folder, polarity)
        result = service.detect(radiograph, image.file_name, model=model, version=version)
        found += boxes_of(service.detector_for(result.model), result, image)
        print(f"{number} of {len(images)} images, {len(found)} boxes", flush=True)
    arrays = {key: np.array([one[key] for one in found]) for key in found[0]}
    np.savez_compressed(out, **arrays)


def boxes_of(detector: Detector, result: DetectionResult, image: CocoImage) -> list[dict[str, Any]]:
    """What becomes of each box of one image without its region and regions beside it, and its features."""
    found = result.detections
    assert found.probabilities is not None
    is_true = match(found.boxes, found.scores, image.boxes).is_true
    counts = np.ones(len(found), bool)
    if len(image.ignored):
        counts = counts_despite(found.boxes, found.scores, image.boxes, image.ignored)
    chosen = np.flatnonzero(counts & (found.probabilities >= LEAST_PROBABILITY))
    chosen = np.random.default_rng(SEED).permutation(chosen)[:AT_MOST]
    pixels = normalised_for(result.radiograph, result.model)
    features = box_features(detector, pixels, found.boxes[chosen])
    answers = []
    for place, index in enumerate(chosen):
        box = found.boxes[index]
        own = _read(detector, pixels, result, int(index), None)
        beside = [
            _read(detector, pixels, result, int(index), region)
            for region in regions_beside(box, found.boxes, pixels.shape)
        ]
        before, after = own.before, [own.after[kind] for kind in Fill]
        told = calibrated(result, own)
        answers.append(
            {
                "image": image.file_name,
                "group": str(image.series or image.file_name),
                "is_true": bool(is_true[index]),
                "box": box,
                "score": float(found.scores[index]),
                "probability": float(found.probabilities[index]),
                "before": before,
                "after": np.array(after),
                "told": np.array([told.before, told.typical_after]),
                "beside": _mean_after(beside),
                "features": features[place],
            }
        )
    return answers


def _read(
    detector: Detector, pixels: FloatArray, result: DetectionResult, index: int, hidden: FloatArray | None
) -> ScoresWithout:
    found = result.detections
    box = found.boxes[index]
    seed = seed_of(result.radiograph.sha256, box)
    others = np.delete(found.boxes, index, axis=0)
    origin = found.origins[index]
    return read_box_without(detector, pixels, box, origin, seed=seed, others=others, hidden=hidden)


def regions_beside(box: FloatArray, boxes: FloatArray, shape: tuple[int, ...]) -> list[FloatArray]:
    """Up to four regions of the size of a box, right, left, below and above it, that touch no box."""
    width, height = (box[2:] - box[:2]).tolist()
    steps = [(1, 0), (-1, 0), (0, 1), (0, -1)]
    regions = []
    for across, down in steps:
        moved = box + np.array([across * (width * 1.3 + 8), down * (height * 1.3 + 8)] * 2, np.float32)
        is_inside = (moved[:2] >= 0).all() and moved[2] <= shape[1] and moved[3] <= shape[0]
        apart = (boxes[:, 2:] <= moved[:2]).any(axis=1) | (boxes[:, :2] >= moved[2:]).any(axis=1)
        if is_inside and apart.all():
            regions.append(moved.astype(np.float32))
    return regions


def _mean_after(found: list[ScoresWithout]) -> FloatArray:
    """(3,) by fill, the mean score of the box with a region beside it filled; NaN where none was free."""
    if not found:
        return np.full(len(Fill), np.nan)
    return np.array([[one.after[kind] for kind in Fill] for one in found]).mean(axis=0)


def judge(kept: dict[str, npt.NDArray[Any]]) -> dict[str, Any]:
    """Every figure of one set."""
    known = kept["before"] > 0
    rows = {name: values[known] for name, values in kept.items()}
    is_true, images = rows["is_true"], rows["image"]
    probability = _odds(rows["probability"])
    figures: dict[str, Any] = {
        "n_boxes": int(known.sum()),
        "n_true": int(is_true.sum()),
        "n_images": len(np.unique(images)),
        "n_not_evaluable": int((~known).sum()),
    }
    alone = auroc_estimate(probability, is_true, images, seed=SEED)
    figures["probability"] = None if alone is None else alone.to_dict()
    for name, extra in candidates(rows).items():
        usable = np.isfinite(extra).all(axis=1)
        own = auroc_estimate(extra[usable, 0], is_true[usable], images[usable], seed=SEED)
        added = added_auroc(
            probability[usable, None], extra[usable], is_true[usable], images[usable], seed=SEED
        )
        figures[name] = {
            "n_boxes": int(usable.sum()),
            "alone": None if own is None else own.to_dict(),
            "added": None if added is None else added[2].to_dict(),
            "medians": {
                kind: round(float(np.median(extra[usable & of_kind, 0])), 4)
                for kind, of_kind in (("true", is_true), ("false", ~is_true))
                if (usable & of_kind).any()
            },
        }
    return figures


def candidates(rows: dict[str, npt.NDArray[Any]]) -> dict[str, Floats]:
    """(N, K) by name: what may tell more than the probability; the first column is judged alone too."""
    before, after, beside = rows["before"], rows["after"], rows["beside"]
    told_before, told_after = rows["told"].T
    ratio = 1 - after / before[:, None]
    fall = _odds(before)[:, None] - _odds(after)
    fall_beside = _odds(before)[:, None] - _odds(beside)
    middle, middle_beside = np.median(fall, axis=1), np.median(fall_beside, axis=1)
    found = {
        "falls by at least half (as told)": _column(1.0 * (told_after <= 0.5 * told_before)),
        "share of the probability that goes": _column(1 - told_after / told_before),
        "share of the score that goes": _column(np.median(ratio, axis=1)),
        "fall in log-odds": _column(middle),
        "least fall in log-odds of the fills": _column(fall.min(axis=1)),
        "spread of the fills": _column(fall.max(axis=1) - fall.min(axis=1)),
        "fall less that of regions beside it": _column(middle - middle_beside),
        "fall of regions beside it": _column(middle_beside),
        "all of these": np.column_stack((middle, fall.min(axis=1), middle_beside)),
    }
    found |= {f"fall in log-odds, {kind}": _column(fall[:, i]) for i, kind in enumerate(Fill)}
    for name, key in (("of other images", "image"), ("of other parts", "group")):
        found[f"true among the {NEIGHBOURS} most similar {name}"] = _column(share_true(rows, key))
    return found


def share_true(rows: dict[str, npt.NDArray[Any]], key: str) -> Floats:
    """(N,) the share of true ones among the most similar boxes that are not of the same image, or part."""
    features, group = rows["features"].astype(np.float64), rows[key]
    likeness = features @ features.T
    likeness[group[:, None] == group[None]] = -np.inf
    shares = np.full(len(features), np.nan)
    for number, row in enumerate(likeness):
        best = np.argsort(-row)[:NEIGHBOURS]
        best = best[np.isfinite(row[best])]
        if len(best) == NEIGHBOURS:
            shares[number] = rows["is_true"][best].mean()
    return shares


def _odds(probability: npt.ArrayLike) -> Floats:
    kept = np.asarray(probability, np.float64).clip(1e-3, 1 - 1e-3)
    odds: Floats = np.log(kept / (1 - kept))
    return odds


def _column(values: npt.ArrayLike) -> Floats:
    return np.asarray(values, np.float64)[:, None]


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    if what == "collect":
        collect(rest[0], Path(rest[1]), Path(rest[2]))
    else:
        files = dict(one.split("=", 1) for one in rest)
        answer = {name: judge(dict(np.load(path))) for name, path in files.items()}
        RESULT.write_text(json.dumps(answer, indent=1) + "\n", encoding="utf-8")
        print(json.dumps(answer, indent=1))
