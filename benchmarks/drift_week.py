"""A week of uploads while the detector drifts day by day: when the alarm comes, at what cost.

    python -m benchmarks.drift_week WEIGHTS_FOLDER WORK_FOLDER

A fresh installation in `WORK_FOLDER` reads 100 simulated welds, which become the reference, then 30 a
day for seven days. In `noise` white noise is added until there is 1.1 times that of the day before, in
`gain` the grey values fall to 0.96 of the day before, in `grain` the film's own grain grows to 1.15
times that of the day before, in `focus` the picture is blurred by 0.35 px more (standard deviation)
each day, in `steady` nothing changes. Each weld is read as drifted, recorded and observed by the
services of the product; the same welds of `steady` say what would have been read without drift. The
cost is what was missed and falsely called beyond that, at the operating point and IoU 0.5, before the
alarm. Written to benchmarks/drift_week.json.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.drift import brighter, coarser, noisier
from core.domain.accounts import COMMAND_LINE
from core.domain.inspection import DetectionResult
from core.domain.radiograph import Polarity, Radiograph
from core.evaluate.matching import match
from core.registry.artefact import read_artefact
from core.services.inference.detecting import DetectService
from core.services.lifecycle.releasing import OneModel
from core.services.monitoring.drift import REFERENCE, DriftService
from core.services.workspaces import make_workspace
from core.simulate.config import SimulationConfig
from core.simulate.dataset import encode_png
from core.simulate.render import SimulatedRadiograph, simulate_weld
from core.store.audit_trail import open_store
from core.store.database import open_database, upgrade

RESULT = Path(__file__).with_name("drift_week.json")
DAYS, A_DAY = 7, 30
NOISE_A_DAY, GAIN_A_DAY, GRAIN_A_DAY, BLUR_A_DAY_PX = 1.1, 0.96, 1.15, 0.35
_WELDS = SimulationConfig(
    height_px=256, width_px=512, mm_per_px=(0.05, 0.05), plate_mm=(8.0, 20.0), bit_depths=(12,),
    has_wear=False, recorder_seed=4,
)  # fmt: skip


Change = Callable[[Radiograph, int, np.random.Generator], Radiograph]
SCENARIOS: dict[str, Change] = {
    "steady": lambda radiograph, _day, _rng: radiograph,
    "noise": lambda radiograph, day, rng: noisier(radiograph, rng, NOISE_A_DAY**day),
    "gain": lambda radiograph, day, _rng: brighter(radiograph, GAIN_A_DAY**day),
    "grain": lambda radiograph, day, _rng: coarser(radiograph, GRAIN_A_DAY**day),
    "focus": lambda radiograph, day, _rng: blurred(radiograph, BLUR_A_DAY_PX * day),
}


def blurred(radiograph: Radiograph, sigma_px: float) -> Radiograph:
    """The radiograph out of focus, by a Gaussian of this standard deviation, px."""
    soft = cv2.GaussianBlur(radiograph.pixels.astype(np.float32), (0, 0), sigma_px)
    return replace(radiograph, pixels=np.rint(soft).astype(radiograph.pixels.dtype))


class Week:
    """One scenario in an installation of its own.

    Args:
        weights: folder of the version.
        folder: of the installation; must not exist.
    """

    def __init__(self, weights: Path, folder: Path) -> None:
        folder.mkdir(parents=True)
        database = open_database(f"sqlite:///{folder / 'radikal.db'}")
        upgrade(database)
        self.store = open_store(database)
        self.desk = make_workspace("", self.store, folder)
        self.name = read_artefact(weights).name
        self.detect = DetectService(OneModel(weights, 1), device="cpu")
        self.drift = DriftService(self.store, self.desk.images, self.detect)

    def read(self, weld: SimulatedRadiograph, pixels: Any) -> DetectionResult:
        """What the version reports on these pixels of the weld; recorded and observed."""
        data = encode_png(replace(weld, pixels=pixels))
        film = self.desk.images.add(COMMAND_LINE, data, f"{weld.seed}.png", polarity=Polarity.FILM)
        result = self.detect.detect(film, f"{weld.seed}.png", model=self.name)
        self.desk.inspections.record(COMMAND_LINE, result)
        self.drift.observe_next()
        return result


def run(weights: Path, folder: Path, change: Change) -> list[dict[str, Any]]:
    """One entry a weld after the reference: its day, whether an alarm stood, what was found and called."""
    week, rng = Week(weights, folder), np.random.default_rng(5)
    told = []
    for number in range(REFERENCE + DAYS * A_DAY):
        day = 0 if number < REFERENCE else 1 + (number - REFERENCE) // A_DAY
        weld = simulate_weld(700_000 + number, _WELDS)
        radiograph = Radiograph(weld.pixels, weld.bit_depth, weld.polarity, None, f"{number:064x}", "PNG")
        pixels = change(radiograph, day, rng).pixels if day else weld.pixels
        result = week.read(weld, pixels)
        if number % 20 == 0:
            print(f"{folder.name}: {number}", file=sys.stderr, flush=True)
        if day:
            sha256 = result.model.sha256
            told.append({"day": day, "alarm": week.drift.standing(sha256), **outcome(weld, result)})
    return told


def outcome(weld: SimulatedRadiograph, result: DetectionResult) -> dict[str, int]:
    """Visible flaws, those found at the operating point, and false calls."""
    shown = result.detections.reported(result.model.calibration.operating_probability)
    found = result.detections.take(shown)
    visible = [flaw.bbox for flaw in weld.truth if flaw.visible]
    any_flaw = np.array([flaw.bbox for flaw in weld.truth], np.float32).reshape(-1, 4)
    truth = np.array(visible, np.float32).reshape(-1, 4)
    n_found = int(match(found.boxes, found.scores, truth).is_true.sum())
    n_false = int((~match(found.boxes, found.scores, any_flaw).is_true).sum())
    return {"visible": len(visible), "found": n_found, "false": n_false}


def summary(told: list[dict[str, Any]], steady: list[dict[str, Any]]) -> dict[str, Any]:
    """When the alarm came, and what was read before it beside the same welds without drift."""
    first = next((index for index, one in enumerate(told) if one["alarm"]), None)
    before = len(told) if first is None else first + 1
    return {
        "alarm_after_images": None if first is None else first + 1,
        "alarm_on_day": None if first is None else told[first]["day"],
        "alarm": "" if first is None else told[first]["alarm"].partition(" in all")[2],
        "by_day": [_counts([one for one in told if one["day"] == day]) for day in range(1, DAYS + 1)],
        "before_alarm": _counts(told[:before]),
        "same_welds_steady": _counts(steady[:before]),
        "after_alarm": _counts(told[before:]),
        "after_steady": _counts(steady[before:]),
    }


def _counts(told: list[dict[str, Any]]) -> dict[str, Any]:
    n_visible, n_found = (sum(one[key] for one in told) for key in ("visible", "found"))
    return {
        "n_images": len(told),
        "n_visible": n_visible,
        "n_found": n_found,
        "recall": round(n_found / n_visible, 3) if n_visible else None,
        "false_calls": sum(one["false"] for one in told),
    }


def main() -> int:
    """Run every scenario, write, print."""
    weights, folder = Path(sys.argv[1]), Path(sys.argv[2])
    told = {name: run(weights, folder / name, change) for name, change in SCENARIOS.items()}
    figures = {name: summary(one, told["steady"]) for name, one in told.items()}
    RESULT.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
