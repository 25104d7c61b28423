"""What each idea and each labelled image is worth: trains the arms of ablations.yaml. Writes ablations.json.

    python -m benchmarks.ablations GDXRAY RUNS [TABLE ...]

All arms of a table are trained for the same steps on the same machine and judged on the same images, which
train none of them. Intervals come from a bootstrap over parts (series or films), differences from the same
draws for both arms. An arm whose weights lie in RUNS already is not trained again, so a stopped campaign goes
on. Two CPU cores take about three minutes an arm.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import yaml

from core.domain.radiograph import Polarity
from core.engine.detector import Detector
from core.evaluate.average_precision import RankedDetections, average_precision, rank
from core.evaluate.matching import match
from core.evaluate.resampling import Resampling, expanded_interval, resample
from core.labelling.coco import read_coco
from core.labelling.split import members_of, read_split
from core.registry.artefact import WEIGHTS
from core.services.evaluation.recorded_images import detect_recorded, select_images
from core.training.images import load_images
from core.training.logs import ConsoleJobLog, FileRunLog
from core.training.loop import RunSettings, train
from core.training.recipe import Recipe, recipe_from

ROOT = Path(__file__).resolve().parents[1]
SPLITS = ROOT / "data" / "splits"
ARMS = Path(__file__).with_suffix(".yaml")
RESULT = Path(__file__).with_suffix(".json")
THREADS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One arm on the images of its table: its detections by score, and AP50 of each resample of the parts."""

    ranked: RankedDetections
    draws: npt.NDArray[np.float64]

    @property
    def ap50(self) -> float:
        """AP50 on all images, 0..1."""
        return average_precision(self.ranked) or 0.0


def main(arguments: Sequence[str]) -> int:
    """Train and judge the tables that are named, all of them by default; other tables keep their figures."""
    if len(arguments) < 2:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    data, runs, wanted = Path(arguments[0]), Path(arguments[1]), arguments[2:]
    torch.set_num_threads(THREADS)
    tables = yaml.safe_load(ARMS.read_text(encoding="utf-8"))["tables"]
    content = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.is_file() else {}
    for table in tables:
        if not wanted or table["name"] in wanted:
            content[table["name"]] = run_table(table, data, runs / table["name"])
            RESULT.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return 0


def run_table(table: Mapping[str, Any], data: Path, runs: Path) -> dict[str, Any]:
    """The figures of every arm of a table."""
    parts, judged = [], {}
    for number, arm in enumerate(table["arms"]):
        print(f"{table['name']}: {arm['name']}", flush=True)
        weights = ROOT / arm["weights"] if "weights" in arm else trained(table, arm, data, runs / str(number))
        parts, judged[arm["name"]] = judge(weights, table["judged_on"], data)
    reference = judged[table["against"]]
    n_parts = len(set(parts))
    return {
        "title": table["title"],
        "judged_on": table["judged_on"]["parts"],
        "against": table["against"],
        "n_images": len(parts),
        "n_boxes": int(reference.ranked.truth_per_image.sum()),
        "n_parts": n_parts,
        "schedule": {key: table["schedule"][key] for key in ("steps", "batch", "crop_px")},
        "date": datetime.now(UTC).date().isoformat(),
        "device": f"{THREADS} CPU threads, torch {torch.__version__}",
        "arms": [figures_of(arm, judged[arm["name"]], reference, n_parts) for arm in table["arms"]],
    }


def recipe_of(table: Mapping[str, Any], arm: Mapping[str, Any]) -> Recipe:
    """The recipe of an arm: that of its table with what the arm changes."""
    content = yaml.safe_load((ROOT / table["recipe"]).read_text(encoding="utf-8"))
    content["schedule"] = table["schedule"] | arm.get("schedule", {})
    for key in ("initial_weights", "sources"):
        for says in (table, arm):
            if key in says:
                content[key] = says[key]
    if "only" in arm:
        content["sources"] = [s for s in content["sources"] if set(s) & set(arm["only"])]
    content["title"] = arm["name"]
    return recipe_from(content)


def trained(table: Mapping[str, Any], arm: Mapping[str, Any], data: Path, run: Path) -> Path:
    """The weights of an arm, trained where they are not there yet."""
    if (run / WEIGHTS).is_file():
        return run / WEIGHTS
    run.mkdir(parents=True, exist_ok=True)
    recipe = recipe_of(table, arm)
    images = load_images(recipe, data, SPLITS)
    settings = RunSettings(run, "cpu", resume=True, root=ROOT)
    return train(recipe, images, settings, FileRunLog(run), ConsoleJobLog())


def judge(weights: Path, judged_on: Mapping[str, Any], data: Path) -> tuple[list[str], Judged]:
    """The part of each image that judges, and how the network in `weights` does on them."""
    detector = Detector.load(weights)
    members = members_of(read_split(SPLITS / judged_on["split"]), "*")
    entries = select_images(read_coco(data / judged_on["coco"]), data, members)
    found = [detect_recorded(detector, e, data, Polarity(judged_on["polarity"])) for e in entries]
    hits = [match(f.boxes, f.scores, e.boxes).is_true for f, e in zip(found, entries, strict=True)]
    ranked = rank([f.scores for f in found], hits, np.array([len(e.boxes) for e in entries]))
    parts = [e.series or e.file_name for e in entries]
    return parts, Judged(ranked, draws_of(ranked, resample(parts)))


def draws_of(ranked: RankedDetections, plan: Resampling) -> npt.NDArray[np.float64]:
    """(R,) AP50 of each resample, NaN where it holds no recorded box."""
    values = (average_precision(ranked, plan.image_weights(i)) for i in range(len(plan.counts)))
    return np.array([np.nan if value is None else value for value in values])


def figures_of(arm: Mapping[str, Any], own: Judged, reference: Judged, n_parts: int) -> dict[str, Any]:
    """What is stored of an arm, beside the one that all are compared with."""
    is_reference = own is reference
    differences = own.draws - reference.draws
    return {
        "name": arm["name"],
        "about": arm.get("about", ""),
        "ap50": round(own.ap50, 3),
        "ap50_ci": _rounded(expanded_interval(own.draws, n_parts)),
        "difference": None if is_reference else round(own.ap50 - reference.ap50, 3),
        "difference_ci": None if is_reference else _rounded(expanded_interval(differences, n_parts)),
    }


def _rounded(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else [round(value, 3) for value in interval]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
