"""Calibrating and measuring a challenger on what never trained it, and its card.

Which films calibrate is decided by a written rule, see docs/adr/0008-how-a-challenger-is-calibrated.md.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from core.domain.data_manifest import DataManifest, ImageOrigin, ManifestImage
from core.domain.errors import CalibrationDataError
from core.domain.model_version import CalibrationRecord, ModelVersion
from core.engine.detector import Detector
from core.engine.network import HEAD_CLASSES
from core.registry.artefact import CALIBRATION, MANIFEST, WEIGHTS, file_sha256
from core.services.calibrating import (
    CalibrationSet,
    collect_calibration_set,
    fit_calibration,
    join_calibration_sets,
    read_comparison,
    read_operating_rule,
)
from core.services.detecting import DetectService
from core.services.evaluating import EvaluateService, Progress
from core.services.model_card import (
    GDXRAY_NOTICE,
    MeasuredOn,
    TrainingFacts,
    data_notice,
    model_card,
    write_card,
)
from core.services.releasing import OneModel
from core.services.retrain_data import (
    CALIBRATION_FILE,
    CALIBRATION_SEED,
    TEST_FILE,
    TEST_SEED,
    TrainingData,
)
from core.services.retrain_request import RetrainRequest
from core.simulate.dataset import write_dataset
from core.store.data_versions import DataVersion

log = logging.getLogger(__name__)
#: A calibration part of so many parts with so many true boxes calibrates alone.
ENOUGH_PARTS, ENOUGH_TRUE = 20, 100
#: Below so many true or so many false boxes nothing is calibrated and nothing registered.
LEAST_BOXES = 50
_LISTED = 200


@dataclass(frozen=True, slots=True, eq=False)
class Lineage:
    """What a challenger comes from.

    Attributes:
        base: the version whose weights it started from.
        data: the data version.
        manifest: what that holds.
        trained: what of it trained, new or old.
        n_steps: done, of those asked for.
        device: in words.
    """

    request: RetrainRequest
    base: ModelVersion
    data: DataVersion
    manifest: DataManifest
    trained: TrainingData
    n_steps: int
    device: str

    @property
    def corrections(self) -> tuple[ManifestImage, ...]:
        """The labelled images that the base version did not know, or knew with other boxes."""
        return tuple(image for image in self.trained.new if image.origin is ImageOrigin.LABELS)


def calibrate(folder: Path, lineage: Lineage, *, device: str, progress: Progress) -> CalibrationRecord:
    """The record now written beside the weights in `folder`.

    The calibration part of the data version alone where it is large enough; else together with simulated
    films, where the model has a simulator.

    Raises:
        CalibrationDataError: fewer than `LEAST_BOXES` true or false boxes were found on all of it.
    """
    detector = Detector.load(folder / WEIGHTS, device=device)
    sets: list[CalibrationSet] = []
    told: list[str] = []
    own = lineage.trained.folder / CALIBRATION_FILE
    if own.is_file():
        sets.append(collect_calibration_set(detector, own, own.parent, progress=progress))
        told.append(f"calibration part of data version {lineage.data.number}")
    if not (sets and is_enough(sets[0])) and (n_films := _n_judging(lineage)):
        films = lineage.trained.folder / "calibration-films"
        truth = write_dataset(films, count=n_films, seed=CALIBRATION_SEED)
        sets.append(collect_calibration_set(detector, truth, films, progress=progress))
        told.append(f"{n_films} simulated welds that trained nothing")
    _require_boxes(sets)
    return fit_calibration(join_calibration_sets(sets), folder / CALIBRATION, description=" and ".join(told))


def is_enough(collected: CalibrationSet) -> bool:
    """True when a set calibrates alone."""
    return len(collected.parts) >= ENOUGH_PARTS and int(collected.is_true.sum()) >= ENOUGH_TRUE


def measure(folder: Path, lineage: Lineage, *, device: str, progress: Progress) -> list[MeasuredOn]:
    """Figures on the test part of the data version and on simulated films; either may be missing.

    Raises:
        LeakError: something of it trained; a mistake of ours.
    """
    models = OneModel(folder, lineage.base.version)
    service = EvaluateService(DetectService(models, device=device), models)

    def measured(parts: str, coco: Path) -> MeasuredOn:
        summary = service.evaluate(
            coco, coco.parent, model=lineage.request.model_name, gate=True, progress=progress
        )
        return MeasuredOn(parts, summary.to_dict())

    found = []
    own = lineage.trained.folder / TEST_FILE
    if own.is_file():
        found.append(measured(f"test part of data version {lineage.data.number}", own))
    if n_films := _n_judging(lineage):
        films = lineage.trained.folder / "test-films"
        found.append(
            measured(
                f"{n_films} simulated welds that trained nothing",
                write_dataset(films, count=n_films, seed=TEST_SEED),
            )
        )
    return found


def write_challenger_card(
    folder: Path,
    lineage: Lineage,
    record: CalibrationRecord,
    measured: Sequence[MeasuredOn],
    *,
    today: Callable[[], date] = date.today,
) -> dict[str, Any]:
    """The content of the card, now written: what it learnt from is named correction by correction."""
    request, base, data = lineage.request, lineage.base, lineage.data
    sources = _sources(lineage)
    card = model_card(
        name=request.model_name,
        description=f"{request.model_name.capitalize()} v{base.version} trained on with data version "
        f"{data.number}: {_n_images(len(lineage.corrections), 'corrected ')}, {lineage.n_steps} steps.",
        polarity=base.polarity.value,
        weights_sha256=file_sha256(folder / WEIGHTS),
        manifest_sha256=file_sha256(folder / MANIFEST),
        training=TrainingFacts(
            sources=tuple(sources),
            n_images=len(lineage.trained.train) + lineage.trained.n_simulated,
            recipe=f"{request.model_name}-on-data-{data.number}.yaml",
            date=today().isoformat(),
            device=lineage.device,
            lineage=f"{request.model_name} v{base.version}",
        ),
        calibration=record,
        measured=measured,
        limits=_limits(lineage, record),
        comparison=read_comparison(folder / CALIBRATION),
        operating_chosen=read_operating_rule(folder / CALIBRATION),
        classes=_classes(lineage),
        alias="challenger",
    )
    card["data_notice"] = _notice(sources, data)
    card["data_version"] = {"number": data.number, "manifest_sha256": data.manifest_sha256}
    card["corrections"] = [
        {
            "image": image.name,
            "sha256": image.sha256,
            "labels_version": image.annotation_version,
            "boxes": len(image.boxes),
        }
        for image in lineage.corrections[:_LISTED]
    ]
    card["n_corrections"] = len(lineage.corrections)
    write_card(folder, card)
    return card


def _n_judging(lineage: Lineage) -> int:
    return lineage.request.n_judging if lineage.request.model_name == "weld" else 0


def _require_boxes(sets: Sequence[CalibrationSet]) -> None:
    n_true = sum(int(one.is_true.sum()) for one in sets)
    n_false = sum(len(one.scores) for one in sets) - n_true
    if min(n_true, n_false) < LEAST_BOXES:
        raise CalibrationDataError(
            f"too few boxes to calibrate: {n_true} true and {n_false} false on what was held back, at least "
            f"{LEAST_BOXES} of each are needed; nothing was registered. Label more parts and make a data "
            "version whose calibration part is larger"
        )


def _sources(lineage: Lineage) -> list[str]:
    base, data, trained = lineage.base, lineage.data, lineage.trained
    sources = [
        f"data version {data.number}: {_n_images(len(trained.new), 'new ')}, "
        f"{_n_images(len(trained.old), 'that the base version knew ')}; {data.licence}"
    ]
    if trained.n_simulated:
        last = trained.simulated_seed + trained.n_simulated - 1
        sources.append(f"simulated welds: seeds {trained.simulated_seed} to {last}")
    return sources + [f"through v{base.version}: {line}" for line in base.card.get("trained_on") or ()]


def _notice(sources: Sequence[str], data: DataVersion) -> str:
    """The strictest of what the base version, the sources and the licence of the data version say."""
    if data_notice(sources) == GDXRAY_NOTICE:
        return GDXRAY_NOTICE
    return f"trained on data version {data.number}: {data.licence}"


def _limits(lineage: Lineage, record: CalibrationRecord) -> list[str]:
    limits = [str(line) for line in lineage.base.card.get("limits") or ()]
    if lineage.n_steps < lineage.request.steps:
        limits.append(
            f"Its training ended after {lineage.n_steps} of {lineage.request.steps} steps: the budget was "
            "used up."
        )
    if not (lineage.trained.old or lineage.trained.n_simulated):
        limits.append("No old data were mixed in: what its base version knew it may have forgotten.")
    if "simulated" in record.fitted_on:
        limits.append("Calibrated in part on simulated films; on real ones its probabilities may be off.")
    return list(dict.fromkeys(limits))


def _classes(lineage: Lineage) -> list[str]:
    """What the class head was taught: by the base version, and by the boxes that trained now."""
    taught = {str(name) for name in lineage.base.card.get("classes") or ()}
    taught |= {box.indication_class.value for image in lineage.trained.train for box in image.boxes}
    return [c.value for c in HEAD_CLASSES if c.value in taught]


def _n_images(count: int, what: str) -> str:
    return f"{count} {what}image{'' if count == 1 else 's'}"
