"""The card of a model version: what it is, what it learnt from, how it did, where it ends."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from core.domain.errors import ModelArtefactError
from core.domain.model_version import CalibrationRecord
from core.registry.artefact import CALIBRATION, CARD, MANIFEST, WEIGHTS, file_sha256, read_calibration

#: AP50 on parts that trained nothing, from which a version counts as released.
RELEASE_AP50 = 0.7
GDXRAY_NOTICE = "trained on GDXray: research and educational use only"
SIMULATED_NOTICE = "trained on simulated radiographs only: no restriction"
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class TrainingFacts:
    """The training that made the weights.

    Attributes:
        sources: one line each, e.g. "GDXray castings: 20 series, 431 images", "simulated welds, seeds ...".
        n_images: training images in the manifest.
        recipe: name of the recipe file.
        date: ISO 8601 date the training ended.
        device: what it ran on, in words.
        lineage: the weights it started from, "from scratch" when none.
    """

    sources: tuple[str, ...]
    n_images: int
    recipe: str
    date: str
    device: str
    lineage: str = "from scratch"


@dataclass(frozen=True, slots=True)
class MeasuredOn:
    """Figures and the parts they come from.

    Attributes:
        parts: which parts, one phrase.
        figures: content of `EvaluationSummary.to_dict()`.
    """

    parts: str
    figures: Mapping[str, Any]


def model_card(
    *,
    name: str,
    description: str,
    polarity: str,
    weights_sha256: str,
    manifest_sha256: str,
    training: TrainingFacts,
    calibration: CalibrationRecord,
    measured: Sequence[MeasuredOn],
    limits: Sequence[str],
    comparison: Mapping[str, Any] | None = None,
    outer_folds: Sequence[Mapping[str, Any]] = (),
    operating_chosen: str | None = None,
    classes: Sequence[str] = (),
    alias: str | None = None,
) -> dict[str, Any]:
    """The content of card.yaml; the keys are documented in docs/model-cards.md.

    The data notice follows from the sources: any that names GDXray restricts the version to research and
    education. It reaches the release threshold when every entry of `measured` does.

    Args:
        name: "weld" or "casting".
        description: one paragraph for a person who chooses a version.
        polarity: "film" or "digital".
        weights_sha256: of the weights file.
        manifest_sha256: of the data manifest.
        training: what made the weights.
        calibration: its record.
        measured: figures on parts that trained nothing, those nearest to the intended use first.
        limits: what it does not do, one sentence each.
        operating_chosen: by which rule the operating probability was chosen.
        comparison: of the calibration methods, as the calibration file holds it; None when there is none.
        outer_folds: the whole choice repeated without a fifth of the parts, as the calibration file holds it.
        classes: that the class head was taught; none leaves every box unclassified.
        alias: "challenger" when it should not become champion.
    """
    card: dict[str, Any] = {
        "name": name,
        "description": description,
        "data_notice": data_notice(training.sources),
        "polarity": polarity,
        "classes": list(classes),
        "release": release(measured),
        "evaluation": [{"on": m.parts} | _rounded(m.figures) for m in measured],
        "limits": list(limits),
        "calibration": {
            "id": calibration.calibration_id,
            "method": calibration.method,
            "fitted_on": calibration.fitted_on,
            "score_cut": calibration.score_cut,
            "operating_probability": calibration.operating_probability,
            "operating_chosen": operating_chosen,
            "comparison": _rounded(comparison),
            "outer_folds": [_rounded(fold) for fold in outer_folds],
        },
        "trained_on": list(training.sources),
        "n_training_images": training.n_images,
        "recipe": training.recipe,
        "lineage": training.lineage,
        "date": training.date,
        "device": training.device,
        "weights_sha256": weights_sha256,
        "manifest_sha256": manifest_sha256,
    }
    return card if alias is None else card | {"alias": alias}


def facts_of(folder: Path) -> dict[str, Any]:
    """The arguments of `model_card` that follow from the other files of its folder.

    Raises:
        ModelArtefactError: the calibration file is missing or damaged.
    """
    calibration = read_calibration(folder / CALIBRATION)
    content = json.loads((folder / CALIBRATION).read_text(encoding="utf-8"))
    return {
        "weights_sha256": file_sha256(folder / WEIGHTS),
        "manifest_sha256": file_sha256(folder / MANIFEST),
        "calibration": calibration,
        "comparison": content.get("comparison"),
        "outer_folds": content.get("outer_folds", []),
        "operating_chosen": content.get("operating_chosen"),
    }


def data_notice(sources: Sequence[str]) -> str:
    """The licence line for weights trained on these sources."""
    is_restricted = any("gdxray" in source.lower() for source in sources)
    return GDXRAY_NOTICE if is_restricted else SIMULATED_NOTICE


def release(measured: Sequence[MeasuredOn]) -> dict[str, Any]:
    """{"minimum_ap50", "is_released", "note"}: released when AP50 reaches the threshold wherever measured."""
    figures = [(float(m.figures["ap50"]), m.parts) for m in measured if m.figures.get("ap50") is not None]
    said = [f"{ap50:.2f} on {parts}" for ap50, parts in figures if ap50 < RELEASE_AP50]
    is_measured = bool(measured) and measured[0].figures.get("ap50") is not None
    if not is_measured:
        note = "below release threshold: AP50 was not measured on parts that trained nothing"
    elif said:
        note = f"below release threshold: AP50 {' and '.join(said)}, {RELEASE_AP50:.2f} needed"
    else:
        reached = " and ".join(f"{ap50:.2f} on {parts}" for ap50, parts in figures)
        note = f"AP50 {reached} reaches the release threshold {RELEASE_AP50:.2f}"
    return {"minimum_ap50": RELEASE_AP50, "is_released": is_measured and not said, "note": note}


def add_pod(folder: Path, figures: Mapping[str, Any]) -> Path:
    """The path of card.yaml, now with what `radikal pod` measured under `pod`; curves by class are left out.

    Raises:
        ModelArtefactError: the figures are of other weights than those in the folder.
    """
    digest = file_sha256(folder / WEIGHTS)
    if figures["sha256"] != digest:
        raise ModelArtefactError(f"{folder.name}: the figures are of weights {figures['sha256'][:12]}")
    card = yaml.safe_load((folder / CARD).read_text(encoding="utf-8"))
    plain = {name: {**one, "curve": None} for name, one in figures["by_class"].items()}
    return write_card(folder, card | {"pod": {**figures, "by_class": plain}})


def write_card(folder: Path, card: Mapping[str, Any]) -> Path:
    """The path of card.yaml, now written in `folder`."""
    path = folder / CARD
    path.write_text(
        yaml.safe_dump(dict(card), sort_keys=False, allow_unicode=True, width=100), encoding="utf-8"
    )
    return path


def _rounded(value: Any) -> Any:
    """Figures to four digits, as many as a reader can use."""
    if isinstance(value, float):
        return round(value, _DIGITS)
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value
