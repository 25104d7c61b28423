"""Whether the probabilities of a weld version hold for each group it claims: group_calibration.json.

    python -m benchmarks.group_calibration GDXRAY VERSION

`VERSION` is a folder such as models/checkpoints/weld-v4. Judged on 60 simulated welds that trained nothing
and on the three films that calibrated it, so the figures of these flatter it. A report is true when it
matches a recorded box of whatever kind, because that is what its probability says.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.outlines import judging_films
from core.calibrate.calibrator import calibrator_from
from core.domain.detections import FloatArray
from core.engine.detector import Detector
from core.engine.second_stage import SecondStage
from core.evaluate.calibration_figures import CalibratedBoxes
from core.evaluate.calibration_groups import calibration_by_class, calibration_by_size_px
from core.evaluate.matching import counts_despite, match
from core.imaging.normalise import normalise
from core.registry.artefact import GROUPS, WEIGHTS, read_artefact
from core.simulate.render import simulate_weld

RESULT = Path(__file__).with_name("group_calibration.json")
SEEDS = range(310_000, 310_060)
UNCLASSIFIED = "unclassified"
Image = tuple[FloatArray, FloatArray, FloatArray]


def simulated() -> Iterator[Image]:
    """Normalised image, boxes that can be seen and boxes that cannot, of each simulated weld."""
    for seed in SEEDS:
        made = simulate_weld(seed)
        boxes = np.array([flaw.bbox for flaw in made.truth], np.float32).reshape(-1, 4)
        is_seen = np.array([flaw.visible for flaw in made.truth], np.bool_)
        yield normalise(made.pixels), boxes[is_seen], boxes[~is_seen]


def claimed(images: Iterable[Image], version: Path) -> CalibratedBoxes:
    """The reports on all images at or above the score cut; their class is the group that is claimed."""
    record = read_artefact(version).calibration
    calibrator = calibrator_from(record.method, record.parameters)
    detector, stage = Detector.load(version / WEIGHTS), SecondStage.load(version / GROUPS)
    columns: dict[str, list[Any]] = {name: [] for name in ("scores", "is_true", "image", "side", "group")}
    for number, (image, truth, ignored) in enumerate(images):
        found = detector.detect(image).above(record.score_cut)
        if len(ignored):
            found = found.take(np.flatnonzero(counts_despite(found.boxes, found.scores, truth, ignored)))
        claims = stage.claimed(image, found).claims or ()
        columns["scores"] += found.scores.tolist()
        columns["is_true"] += match(found.boxes, found.scores, truth).is_true.tolist()
        columns["image"] += [number] * len(found)
        columns["side"] += (found.boxes[:, 2:] - found.boxes[:, :2]).max(axis=1, initial=0).tolist()
        columns["group"] += [claim.group.value if claim.group else UNCLASSIFIED for claim in claims]
    scores = np.array(columns["scores"], np.float64)
    return CalibratedBoxes(
        scores=scores,
        probabilities=calibrator.probability(scores.astype(np.float32)).astype(np.float64),
        is_true=np.array(columns["is_true"], np.bool_),
        image_index=np.array(columns["image"], np.intp),
        longer_side_px=np.array(columns["side"], np.float64),
        longer_side_mm=np.full(len(scores), np.nan),
        classes=np.array(columns["group"], np.str_),
    )


def measure(data: Path, version: Path) -> dict[str, Any]:
    """Calibration by claimed group and by size on both sets."""
    films = ((film.image, film.boxes, film.ignored) for film in judging_films(data))
    found = {}
    for name, images in (("simulated", simulated()), ("judging films", films)):
        boxes = claimed(images, version)
        by = {
            "claimed group": calibration_by_class(boxes, seed=0),
            "size": calibration_by_size_px(boxes, seed=0),
        }
        found[name] = {kind: [asdict(one) for one in groups] for kind, groups in by.items()}
    return found


def main(arguments: list[str]) -> int:
    """Measure, write, print."""
    data, version = (Path(one) for one in arguments)
    figures = measure(data, version)
    RESULT.write_text(json.dumps({version.name: figures}, indent=1) + "\n", encoding="utf-8")
    for name, kinds in figures.items():
        for kind, groups in kinds.items():
            print(f"\n{name}, by {kind}:")
            for one in groups:
                band = one["d_ece_band"]
                told = "-" if band is None else f"{one['d_ece']:.3f} ({band[0]:.3f} to {band[1]:.3f})"
                p, share = one["mean_probability"], one["share_true"]
                means = "" if p is None else f"mean p {p:.2f}, share true {share:.2f}, D-ECE "
                print(f"  {one['group']:<16} {one['n_boxes']:5d} boxes  {means}{told}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
