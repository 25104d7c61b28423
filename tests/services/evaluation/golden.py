"""The figures of a small fixed set, and the file that they are compared with.

`python -m tests.services.evaluation.golden` writes that file anew once `FIGURES_VERSION` was raised.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.calibrate.calibrator import FIT, calibrator_from
from core.domain.model_version import CalibrationRecord, ModelVersion
from core.domain.radiograph import Polarity
from core.engine.detector import SCORE_FLOOR, Detector
from core.evaluate.operating_figures import measure
from core.evaluate.outcome import ImageOutcome
from core.evaluate.outcome_table import OutcomeTable, tabulate
from core.evaluate.resampling import resample
from core.evaluate.summary import FIGURES_VERSION, summarise
from core.labelling.coco import read_coco
from core.services.evaluation.recorded_images import detect_recorded, outcome_of
from tests.artefacts import write_artefact
from tests.evaluate.versions import Skill, recorded, reported, table_of

GOLDEN = Path(__file__).with_name("golden_figures.json")
SAMPLES = Path(__file__).resolve().parents[3] / "data" / "samples"
_IMAGES = ("gas_pores.png", "mixed_flaws.png", "porosity_line.png")
_RECORD = CalibrationRecord("0" * 12, "temperature", (0.8,), 0.05, 0.5, "nothing")


def computed() -> dict[str, dict[str, Any]]:
    """Figures of boxes that are simulated, of ones that a network detects, and of each calibrator."""
    counted = table_of(reported(recorded(30, seed=1, per_part=3), Skill(), seed=2))
    is_true = counted.matched >= 0
    return {
        "counted": _summary(counted),
        "calibrated": {
            method: fit(counted.scores, is_true).probability(np.array([0.1, 0.3, 0.5, 0.9])).tolist()
            for method, fit in FIT.items()
        },
    } | _detected()


def _summary(table: OutcomeTable) -> dict[str, Any]:
    model = ModelVersion("weld", 1, "0" * 64, Polarity.FILM, _RECORD, {})
    figures = measure(table, resample(table.parts, n_resamples=200))
    found = summarise(
        table, figures, model, cluster_by="series", score_floor=SCORE_FLOOR, n_trained_on=0
    ).to_dict()
    return {name: value for name, value in found.items() if not isinstance(value, str)}


def _detected() -> dict[str, dict[str, Any]]:
    """Boxes of a random network on three samples, in float32 as that is alike on all machines."""
    with tempfile.TemporaryDirectory() as folder:
        weights = write_artefact(Path(folder), seed=3, score_spread=1.0) / "weights.safetensors"
        detector = Detector.load(weights, dtype=torch.float32)
    calibrator = calibrator_from(_RECORD.method, _RECORD.parameters)
    outcomes: list[ImageOutcome] = []
    strongest: dict[str, Any] = {}
    for image in read_coco(SAMPLES / "truth.json").images:
        if image.file_name in _IMAGES:
            found = detect_recorded(detector, image, SAMPLES, Polarity.FILM)
            outcomes.append(outcome_of(image, found.with_probabilities(calibrator.probability(found.scores))))
            strongest[image.file_name] = {
                "boxes": found.boxes[:12].tolist(),
                "scores": found.scores[:12].tolist(),
                "mean_box": found.boxes.mean(axis=0).tolist(),
                "mean_score": float(found.scores.mean()),
            }
    table = tabulate(outcomes, is_class_aware=False, score_cut=0.05, operating_probability=0.1)
    return {"detected": strongest, "detected_figures": _summary(table)}


def main() -> int:
    """Write the golden file; refuse when figures moved and `FIGURES_VERSION` was not raised."""
    figures = computed()
    stored = json.loads(GOLDEN.read_text(encoding="utf-8")) if GOLDEN.is_file() else {}
    if stored.get("figures_version") == FIGURES_VERSION:
        sys.stderr.write(f"{GOLDEN.name} is of FIGURES_VERSION {FIGURES_VERSION} already: raise it first\n")
        return 1
    lines = ",\n".join(f"{json.dumps(group)}: {json.dumps(values)}" for group, values in figures.items())
    GOLDEN.write_text(
        f'{{"figures_version": {FIGURES_VERSION}, "figures": {{\n{lines}\n}}}}\n', encoding="utf-8"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
