"""The lineage of a challenger and its card, which names every correction that it learnt from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from core.domain.data_manifest import DataManifest, ImageOrigin, ManifestImage
from core.domain.model_version import CalibrationRecord, ModelVersion
from core.engine.network import HEAD_CLASSES
from core.services.lifecycle.model_card import (
    GDXRAY_NOTICE,
    MeasuredOn,
    TrainingFacts,
    data_notice,
    facts_of,
    model_card,
    write_card,
)
from core.services.training.retrain_data import TrainingData
from core.services.training.retraining import RetrainRequest
from core.store.data_versions import DataVersion

#: So many corrections are named one by one; the data manifest holds them all.
_LISTED = 200
#: Beginnings of limits that are about the base version's own calibration.
_OF_CALIBRATION = "Calibrated"


@dataclass(frozen=True, slots=True, eq=False)
class Lineage:
    """The origin of a challenger.

    Attributes:
        request: what was asked for.
        base: the version whose weights it started from.
        data: the data version.
        manifest: what that holds.
        trained: what of it trained, new or old.
        n_steps: done, of those asked for.
        device: in words.
        number: that it will have in the registry.
    """

    request: RetrainRequest
    base: ModelVersion
    data: DataVersion
    manifest: DataManifest
    trained: TrainingData
    n_steps: int
    device: str
    number: int

    @property
    def corrections(self) -> tuple[ManifestImage, ...]:
        """The labelled images that the base version did not know, or knew with other boxes."""
        return tuple(image for image in self.trained.new if image.origin is ImageOrigin.LABELS)


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
        training=TrainingFacts(
            sources=tuple(sources),
            n_images=len(lineage.trained.train) + lineage.trained.n_simulated,
            recipe=f"{request.model_name}-on-data-{data.number}.yaml",
            date=today().isoformat(),
            device=lineage.device,
            lineage=f"{request.model_name} v{base.version}",
        ),
        measured=measured,
        limits=_limits(lineage, record),
        **facts_of(folder),
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
    known = (str(line) for line in lineage.base.card.get("limits") or ())
    limits = [line for line in known if not line.startswith(_OF_CALIBRATION)]
    if lineage.n_steps < lineage.request.steps:
        limits.append(
            f"Its training ended after {lineage.n_steps} of {lineage.request.steps} steps: the budget was "
            "used up."
        )
    if not (lineage.trained.old or lineage.trained.n_simulated):
        limits.append("No old data were mixed in: what its base version knew it may have forgotten.")
    if record.doubt:
        limits.append(f"{record.doubt.capitalize()}: its scores are others than those it was fitted to.")
    elif "simulated" in record.fitted_on:
        limits.append("Calibrated in part on simulated films; on real ones its probabilities may be off.")
    return list(dict.fromkeys(limits))


def _classes(lineage: Lineage) -> list[str]:
    """Classes that the class head was taught: by the base version, and by the boxes that trained now."""
    taught = {str(name) for name in lineage.base.card.get("classes") or ()}
    taught |= {box.indication_class.value for image in lineage.trained.train for box in image.boxes}
    return [c.value for c in HEAD_CLASSES if c.value in taught]


def _n_images(count: int, what: str) -> str:
    return f"{count} {what}image{'' if count == 1 else 's'}"
