"""Calibrating and measuring a challenger on what never trained it.

Which films calibrate is decided by a written rule, see docs/adr/0008-how-a-challenger-is-calibrated.md and
docs/adr/0021-a-calibration-may-be-inherited.md.
"""

import json
from pathlib import Path

from core.domain.data_manifest import Part
from core.domain.model_version import CalibrationRecord, ModelVersion
from core.engine.detector import Detector
from core.registry.artefact import CALIBRATION, WEIGHTS, read_calibration
from core.services.evaluation.evaluating import EvaluateService, Progress
from core.services.inference.detecting import DetectService
from core.services.lifecycle.calibrating import (
    CalibrationSet,
    collect_calibration_set,
    fit_calibration,
    join_calibration_sets,
)
from core.services.lifecycle.model_card import MeasuredOn
from core.services.lifecycle.releasing import OneModel
from core.services.training.outlook import LEAST_BOXES, SIMULATED_MODEL
from core.services.training.retrain_card import Lineage
from core.services.training.retrain_data import CALIBRATION_FILE, CALIBRATION_SEED, TEST_FILE, TEST_SEED
from core.simulate.dataset import write_dataset

#: A calibration part of so many parts with so many true boxes calibrates alone.
ENOUGH_PARTS, ENOUGH_TRUE = 20, 100
#: What of the calibration of a base version is kept where too little was held back for one of its own.
_KEPT_OF_CALIBRATION = (
    "method",
    "parameters",
    "score_cut",
    "operating_probability",
    "operating_chosen",
)
#: A test part of fewer boxes does not decide whether a version is released.
DECISIVE_BOXES = 50
_FASTEST = 1


def calibrate(
    folder: Path, base: Path, lineage: Lineage, *, device: str, progress: Progress
) -> CalibrationRecord:
    """The record now written beside the weights in `folder`.

    The calibration part of the data version alone where it is large enough; else together with simulated
    films, where the model has a simulator. Where fewer than `LEAST_BOXES` true or false boxes were found
    on all of it, that of the base version is kept and says so.

    Args:
        folder: holds the weights.
        base: the artefact folder of the base version.
        lineage: of the challenger.
        device: to run on.
        progress: called after each image.
    """
    detector = Detector.load(folder / WEIGHTS, device=device)
    sets: list[CalibrationSet] = []
    told: list[str] = []
    own = lineage.trained.folder / CALIBRATION_FILE
    n_own, n_films = len(lineage.manifest.of_part(Part.CALIBRATION)), _n_judging(lineage)
    if own.is_file():
        counted = counted_on(progress, 0, n_own + n_films)
        sets.append(collect_calibration_set(detector, own, own.parent, progress=counted))
        told.append(f"calibration part of data version {lineage.data.number}")
    if not (sets and is_enough(sets[0])) and n_films:
        films = lineage.trained.folder / "calibration-films"
        truth = write_dataset(films, count=n_films, seed=CALIBRATION_SEED, compression=_FASTEST)
        counted = counted_on(progress, n_own, n_own + n_films)
        sets.append(collect_calibration_set(detector, truth, films, progress=counted))
        told.append(f"{n_films} simulated welds that trained nothing")
    n_true = sum(int(one.is_true.sum()) for one in sets)
    n_false = sum(len(one.scores) for one in sets) - n_true
    if min(n_true, n_false) < LEAST_BOXES:
        return _inherit(folder, base, lineage.base, f"{n_true} true and {n_false} false boxes")
    return fit_calibration(join_calibration_sets(sets), folder / CALIBRATION, description=" and ".join(told))


def is_enough(collected: CalibrationSet) -> bool:
    """True when a set calibrates alone."""
    return len(collected.parts) >= ENOUGH_PARTS and int(collected.is_true.sum()) >= ENOUGH_TRUE


def counted_on(progress: Progress, done_before: int, total: int) -> Progress:
    """A progress that goes on counting where another one ended."""
    return lambda done, _total: progress(done_before + done, total)


def measure(folder: Path, lineage: Lineage, *, device: str, progress: Progress) -> list[MeasuredOn]:
    """Figures on the test part of the data version and on simulated films; either may be missing.

    A test part with fewer than `DECISIVE_BOXES` boxes comes last: its figures say next to nothing.

    Raises:
        LeakError: something of it trained; a mistake of ours.
    """
    models = OneModel(folder, lineage.number)
    service = EvaluateService(DetectService(models, device=device), models)
    test, n_films = lineage.manifest.of_part(Part.TEST), _n_judging(lineage)

    def measured(parts: str, coco: Path, done_before: int) -> MeasuredOn:
        summary = service.evaluate(
            coco,
            coco.parent,
            model=lineage.request.model_name,
            gate=True,
            progress=counted_on(progress, done_before, len(test) + n_films),
        )
        return MeasuredOn(parts, summary.to_dict())

    found = []
    if test:
        own = lineage.trained.folder / TEST_FILE
        found.append(measured(f"test part of data version {lineage.data.number}", own, 0))
    if n_films:
        films = lineage.trained.folder / "test-films"
        truth = write_dataset(films, count=n_films, seed=TEST_SEED, compression=_FASTEST)
        found.append(measured(f"{n_films} simulated welds that trained nothing", truth, len(test)))
    is_decisive = sum(len(image.boxes) for image in test) >= DECISIVE_BOXES
    return found if is_decisive else found[::-1]


def _n_judging(lineage: Lineage) -> int:
    return lineage.request.n_judging if lineage.request.model_name == SIMULATED_MODEL else 0


def _inherit(folder: Path, base: Path, version: ModelVersion, found: str) -> CalibrationRecord:
    """The calibration of the base version, kept in `folder` and flagged; `found` says what was too little."""
    content = json.loads((base / CALIBRATION).read_text(encoding="utf-8"))
    source = str(content.get("inherited_from") or f"{version.name} v{version.version}")
    kept = {key: content[key] for key in _KEPT_OF_CALIBRATION if key in content}
    kept |= {
        "inherited_from": source,
        "fitted_on": f"inherited from {source}, not verified: {found} were held back, at least "
        f"{LEAST_BOXES} of each are needed; {source} was fitted on {version.calibration.fitted_on}",
        "chosen": f"kept from {source}",
        "parts": content.get("parts") or [],
    }
    (folder / CALIBRATION).write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return read_calibration(folder / CALIBRATION)
