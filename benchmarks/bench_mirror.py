"""Does a mirrored view tell what the probability does not? Writes benchmarks/mirror.json.

Each image is detected as it is and mirrored. A box gets the score of the mirrored box that overlaps it at
IoU 0.5 (the floor where there is none). Two logistic models of "is it true" are compared on images that did
not fit them: from the log-odds of the score alone, and with those of the mirrored view beside it. The
difference of the log loss comes with a 95 % interval by drawing whole images. If it is not below zero,
test-time disagreement earns no place beside the probability. Measured on simulated welds that train nothing
and, where a folder of GDXray is named in RADIKAL_GDXRAY, on its films that did not train the network.
"""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize
from scipy.special import expit

from core.calibrate.logistic import log_odds
from core.domain.detections import FloatArray
from core.domain.radiograph import Polarity
from core.engine.detector import SCORE_FLOOR, Detector
from core.evaluate.average_precision import average_precision, rank
from core.evaluate.matching import iou_matrix, match
from core.imaging.normalise import normalise
from core.labelling.coco import read_coco
from core.labelling.split import members_of, read_split
from core.registry.artefact import WEIGHTS, read_artefact
from core.services.evaluation.recorded_images import read_recorded, select_images
from core.setting_up import CHECKPOINTS
from core.simulate.render import simulate_weld

MODEL = CHECKPOINTS / "weld-v4"
RESULT = Path(__file__).with_name("mirror.json")
SPLITS = Path(__file__).resolve().parents[1] / "data" / "splits"
SEEDS = range(340_000, 340_040)
FOLDS, RESAMPLES, MATCH_IOU = 5, 1000, 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The boxes of one image from the score cut on: (D,) score, score when mirrored, true or not."""

    scores: npt.NDArray[np.float64]
    mirrored: npt.NDArray[np.float64]
    is_true: npt.NDArray[np.bool_]
    n_recorded: int


def main() -> None:
    """Measure and write."""
    torch.set_num_threads(2)
    detector = Detector.load(MODEL / WEIGHTS)
    cut = read_artefact(MODEL).calibration.score_cut
    content: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "model": MODEL.name,
        "score_cut": cut,
        "simulated_welds": compare([look(detector, *one, cut) for one in simulated(detector.polarity)]),
    }
    if folder := os.environ.get("RADIKAL_GDXRAY"):
        real = [look(detector, *one, cut) for one in films(Path(folder), detector.polarity)]
        content["films_that_trained_nothing"] = compare(real)
    elif RESULT.is_file():
        kept = json.loads(RESULT.read_text(encoding="utf-8"))
        content["films_that_trained_nothing"] = kept.get("films_that_trained_nothing")
    RESULT.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(content, indent=1))


def simulated(polarity: Polarity) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Image and recorded boxes of each simulated weld."""
    for seed in SEEDS:
        one = simulate_weld(seed)
        boxes = [flaw.bbox for flaw in one.truth if flaw.visible]
        image = normalise(one.pixels, polarity=one.polarity, model_polarity=polarity)
        yield image, np.array(boxes, np.float32).reshape(-1, 4)


def films(folder: Path, polarity: Polarity) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Image and recorded boxes of each film of the list weld-judging.yaml."""
    series = members_of(read_split(SPLITS / "weld-judging.yaml"), "*")
    for entry in select_images(read_coco(folder / "welds.json"), folder, series):
        radiograph = read_recorded(entry, folder, Polarity.FILM)
        image = normalise(radiograph.pixels, polarity=radiograph.polarity, model_polarity=polarity)
        yield image, entry.boxes


def look(detector: Detector, image: FloatArray, recorded: FloatArray, cut: float) -> Seen:
    """What one image shows, as it is and mirrored left to right."""
    found = detector.detect(image).above(cut)
    turned = detector.detect(np.ascontiguousarray(image[:, ::-1]))
    boxes = turned.boxes.copy()
    boxes[:, [0, 2]] = image.shape[1] - turned.boxes[:, [2, 0]]
    overlap = iou_matrix(found.boxes, boxes)
    met = np.where(overlap >= MATCH_IOU, turned.scores[None], SCORE_FLOOR)
    score = met.max(axis=1, initial=SCORE_FLOOR)
    is_true = match(found.boxes, found.scores, recorded).is_true
    return Seen(found.scores.astype(np.float64), score.astype(np.float64), is_true, len(recorded))


def compare(images: list[Seen]) -> dict[str, Any]:
    """Log loss from the score alone and with the mirrored one, and AP50 by score and by their mean."""
    losses = np.zeros((len(images), 3))
    for fold in range(min(FOLDS, len(images))):
        held = [i for i in range(len(images)) if i % FOLDS == fold]
        others = [images[i] for i in range(len(images)) if i % FOLDS != fold]
        for column, with_mirror in enumerate((False, True)):
            weights = _fit(_features(others, with_mirror), np.concatenate([o.is_true for o in others]))
            for i in held:
                p = expit(_features([images[i]], with_mirror) @ weights).clip(1e-6, 1 - 1e-6)
                losses[i, column] = -np.log(np.where(images[i].is_true, p, 1 - p)).sum()
    losses[:, 2] = [len(image.scores) for image in images]
    drawn = np.random.default_rng(0).integers(len(images), size=(RESAMPLES, len(images)))
    sums = losses[drawn].sum(axis=1)
    differences = (sums[:, 1] - sums[:, 0]) / sums[:, 2].clip(min=1)
    alone, beside, count = losses.sum(axis=0)
    both = [(image.scores + image.mirrored) / 2 for image in images]
    return {
        "n_images": len(images),
        "n_boxes": int(count),
        "n_true": int(sum(image.is_true.sum() for image in images)),
        "log_loss_score": round(alone / count, 4),
        "log_loss_with_mirror": round(beside / count, 4),
        "difference": round((beside - alone) / count, 4),
        "difference_ci": [round(float(v), 4) for v in np.percentile(differences, (2.5, 97.5))],
        "ap50_by_score": _ap50(images, (image.scores for image in images)),
        "ap50_by_mean": _ap50(images, both),
    }


def _ap50(images: list[Seen], order: Iterable[npt.NDArray[np.float64]]) -> float | None:
    recorded = np.array([image.n_recorded for image in images])
    value = average_precision(rank(list(order), [image.is_true for image in images], recorded))
    return None if value is None else round(float(value), 4)


def _features(images: list[Seen], with_mirror: bool) -> npt.NDArray[np.float64]:
    """(D, 2 or 3) a one, the log-odds of the score and, if asked for, of the mirrored one."""
    scores = log_odds(np.concatenate([image.scores for image in images]))
    columns = [np.ones_like(scores), scores]
    if with_mirror:
        columns.append(log_odds(np.concatenate([image.mirrored for image in images])))
    return np.stack(columns, axis=1)


def _fit(features: npt.NDArray[np.float64], is_true: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    sign = np.where(is_true, 1.0, -1.0)

    def loss(weights: npt.NDArray[np.float64]) -> float:
        return float(np.logaddexp(0, -sign * (features @ weights)).mean())

    result: npt.NDArray[np.float64] = minimize(loss, np.zeros(features.shape[1])).x
    return result


if __name__ == "__main__":
    main()
