"""Making a model version out of its training runs: calibrate, measure, write the card."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from core.domain.errors import DatasetError, LeakError, ModelNotFoundError
from core.domain.kinds import family_of
from core.domain.model_version import ModelVersion
from core.domain.radiograph import Polarity
from core.engine.detector import read_network
from core.engine.zone_prior import ZonePrior
from core.labelling.split import read_split
from core.registry.artefact import (
    CALIBRATION,
    CARD,
    MANIFEST,
    RANGES,
    WEIGHTS,
    ZONE_PRIOR,
    file_sha256,
    read_artefact,
)
from core.services.evaluation.evaluating import EvaluateService
from core.services.inference.detecting import DetectService
from core.services.lifecycle.calibrating import OperatingPoint, calibrate_artefact
from core.services.lifecycle.cross_fitting import Fold, cross_fit
from core.services.lifecycle.familiarising import write_familiarity
from core.services.lifecycle.model_card import MeasuredOn, TrainingFacts, facts_of, model_card, write_card
from core.services.lifecycle.ranging import write_ranges
from core.services.lifecycle.release_images import images_of

_FOLD_PREFIX = "without-"


@dataclass(frozen=True, slots=True)
class ReleaseSettings:
    """Folders and facts of a release.

    Attributes:
        run: folder of the training run whose weights ship; folds lie in `<run>-without-<part>` beside it.
        data: folder of the COCO files and images that the specification names.
        out: the artefact folder to write.
        splits: folder of the split lists.
        device: that trained the weights, in words, for the card.
        date: ISO 8601 date the training ended.
    """

    run: Path
    data: Path
    out: Path
    splits: Path
    device: str
    date: str


class OneModel:
    """A source of models that knows one artefact folder, as champion of its name."""

    def __init__(self, folder: Path, version: int) -> None:
        self._folder = folder
        self._version = read_artefact(folder).as_version(version, ("champion",))

    def resolve(
        self, name: str, *, version: int | None = None, alias: str = "champion"
    ) -> tuple[ModelVersion, Path]:
        """The version and its folder.

        Raises:
            ModelNotFoundError: when another one is asked for.
        """
        if name != self._version.name or version not in (None, self._version.version):
            raise ModelNotFoundError(f"only {self._version.name} v{self._version.version} is here")
        return self._version, self._folder


def read_release(path: Path) -> dict[str, Any]:
    """The release specification in a YAML file.

    Raises:
        DatasetError: when it is no such file or lacks a key.
    """
    try:
        content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        missing = {"name", "version", "description", "sources", "limits"} - set(content)
        entries = [content[key] for key in ("calibrate", "cross_fit") if key in content]
        entries += content.get("measure", [])
        lacking = [entry for entry in entries if not entry or "parts" not in entry]
    except (OSError, yaml.YAMLError, TypeError) as error:
        raise DatasetError(f"{path}: expected a release specification in YAML: {error}") from error
    if missing or ("cross_fit" in content) == ("calibrate" in content):
        raise DatasetError(f"{path.name}: lacks {sorted(missing) or 'exactly one of calibrate, cross_fit'}")
    if "calibrate" in content and not content.get("measure"):
        raise DatasetError(f"{path.name}: lacks `measure`: nothing says how good the version is")
    if lacking:
        raise DatasetError(f"{path.name}: lacks `parts`, which says what was measured, in {lacking[0]}")
    return content


def recipe_of(specification: Mapping[str, Any]) -> str:
    """File name of the recipe that trained this version: by default it is called as the version is."""
    return str(specification.get("recipe", f"{specification['name']}-v{specification['version']}.yaml"))


def build_release(specification: Mapping[str, Any], settings: ReleaseSettings) -> Path:
    """The artefact folder, now complete: weights, manifest, calibration and card.

    A version with `calibrate` is calibrated and measured on parts that trained nothing. One with
    `cross_fit` trained on everything: each part is judged by the network of the fold that left it out, or all
    by one that no part trained, from which the shipped weights were trained on (`judged_by`: what follows
    the run's name and a dash in the name of its folder). Where it says `held_out: true`, no part trained the
    weights and only the calibrator is cross-fitted. Either may `measure` the shipped version on further parts
    that did not train it, or with `judged_by` an earlier run, calibrated alike, on what trained it later.

    Raises:
        DatasetError: when specification and data do not fit.
        CalibrationDataError: when the detections cannot calibrate.
        ModelArtefactError: when a run's weights cannot be used.
        LeakError: when parts that are said to be held out trained the weights.
    """
    settings.out.mkdir(parents=True, exist_ok=True)
    for name in (WEIGHTS, MANIFEST):
        shutil.copyfile(settings.run / name, settings.out / name)
    for name in (CARD, RANGES, ZONE_PRIOR):
        (settings.out / name).unlink(missing_ok=True)
    _write_zone_prior(specification, settings.out)
    measured: list[MeasuredOn] = []
    if "cross_fit" in specification:
        figures = _cross_fitted(specification, settings)
        measured.append(MeasuredOn(specification["cross_fit"]["parts"], figures))
    else:
        _calibrate(specification, settings)
    _write_card(specification, settings, measured)  # detecting needs a card
    measured += [_measured(part, specification, settings) for part in specification.get("measure", ())]
    _write_card(specification, settings, measured)
    if "ranges" in specification:  # now, so that a card does not depend on who multiplies integers fast
        write_ranges(specification, settings.out, data=settings.data, splits=settings.splits)
    if "familiar" in specification:
        write_familiarity(specification, settings.out, data=settings.data, splits=settings.splits)
    return settings.out


def _write_zone_prior(specification: Mapping[str, Any], out: Path) -> None:
    """Write the prior of the zone beside the weights in `out`, where the specification sets one."""
    if (how := specification.get("zone_prior")) is None:
        return
    try:
        shift = float(how["outside_log_odds"])
        prior = ZonePrior(file_sha256(out / WEIGHTS), family_of(specification["name"]), shift)
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"zone_prior: expected `outside_log_odds` below 0, got {how!r}") from error
    (out / ZONE_PRIOR).write_text(prior.to_json(), encoding="utf-8")


def _cross_fitted(specification: Mapping[str, Any], settings: ReleaseSettings) -> dict[str, Any]:
    how = specification["cross_fit"]
    parts = read_split(settings.splits / how["split"])
    if how.get("held_out") or "judged_by" in how:
        _require_held_out(parts, _beside(how, settings) / MANIFEST)
    folds = [Fold(_judge_of(part, how, settings), tuple(members)) for part, members in parts.items()]
    _, summary = cross_fit(
        folds,
        settings.data / how["coco"],
        settings.data,
        folder=settings.out,
        model=specification["name"],
        version=specification["version"],
        description=how["parts"],
        polarity=Polarity(how["polarity"]),
        operating=_operating(specification),
    )
    return summary.to_dict()


def _judge_of(part: str, how: Mapping[str, Any], settings: ReleaseSettings) -> Path:
    """The weights that judge a part: those that ship where none of the parts trained, else the fold's own."""
    if "judged_by" in how:
        return _beside(how, settings) / WEIGHTS
    if how.get("held_out"):
        return settings.out / WEIGHTS  # with what lies beside them
    return settings.run.with_name(f"{settings.run.name}-{_FOLD_PREFIX}{part}") / WEIGHTS


def _beside(how: Mapping[str, Any], settings: ReleaseSettings) -> Path:
    """The run that judges every part: the shipped one, or the one that it was trained on from."""
    if "judged_by" not in how:
        return settings.run
    return settings.run.with_name(f"{settings.run.name}-{how['judged_by']}")


def _require_held_out(parts: Mapping[str, list[str]], manifest: Path) -> None:
    """Return when no series or view of `parts` is in the data manifest, else raise LeakError."""
    images = json.loads(manifest.read_text(encoding="utf-8"))["images"]
    trained_on = {image.get("series") for image in images}
    trained_on |= {Path(str(image.get("file_name"))).stem for image in images}
    if leaked := sorted({one for members in parts.values() for one in members} & trained_on):
        raise LeakError(f"cross_fit says held out, but what judges was trained on {', '.join(leaked)}")


def _calibrate(specification: Mapping[str, Any], settings: ReleaseSettings) -> None:
    how = specification["calibrate"]
    with images_of(how, settings.data, settings.splits) as (coco, folder, series):
        sources = [(coco, folder, series)]
        if "also" in how:
            sources.append((settings.data / how["also"], folder, series))
        calibrate_artefact(
            settings.out,
            sources,
            description=how["parts"],
            polarity=Polarity(how.get("polarity", "unknown")),
            operating=_operating(specification),
        )


def _operating(specification: Mapping[str, Any]) -> OperatingPoint | None:
    """The operating point that the specification sets; None leaves it to the calibration."""
    if (how := specification.get("operate")) is None:
        return None
    try:
        return OperatingPoint(float(how["probability"]), str(how["why"]))
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"operate: expected `probability` and `why`, got {how!r}") from error


def _measured(
    part: Mapping[str, Any], specification: Mapping[str, Any], settings: ReleaseSettings
) -> MeasuredOn:
    recorded = images_of(part, settings.data, settings.splits)
    with _judge(part, specification, settings) as judge, recorded as (coco, folder, series):
        models = OneModel(judge, specification["version"])
        service = EvaluateService(DetectService(models), models)
        summary = service.evaluate(
            coco,
            folder,
            model=specification["name"],
            series=series,
            polarity=Polarity(part.get("polarity", "unknown")),
            gate=True,
        )
    return MeasuredOn(part["parts"], summary.to_dict())


@contextmanager
def _judge(
    part: Mapping[str, Any], specification: Mapping[str, Any], settings: ReleaseSettings
) -> Iterator[Path]:
    """The artefact folder that a `measure` entry is judged by: what ships, or an earlier run of it."""
    if "judged_by" not in part:
        yield settings.out
        return
    with tempfile.TemporaryDirectory() as folder:
        earlier = replace(settings, run=_beside(part, settings), out=Path(folder))
        for name in (WEIGHTS, MANIFEST):
            shutil.copyfile(earlier.run / name, earlier.out / name)
        shutil.copyfile(settings.out / CALIBRATION, earlier.out / CALIBRATION)
        _write_card(specification, earlier, ())
        yield earlier.out


def _write_card(
    specification: Mapping[str, Any], settings: ReleaseSettings, measured: Sequence[MeasuredOn]
) -> None:
    _, header = read_network(settings.out / WEIGHTS)
    manifest = json.loads((settings.out / MANIFEST).read_text(encoding="utf-8"))
    training = TrainingFacts(
        sources=tuple(specification["sources"]),
        n_images=len(manifest["images"]),
        recipe=recipe_of(specification),
        date=settings.date,
        device=settings.device,
        lineage=specification.get("lineage", "from scratch"),
    )
    card = model_card(
        name=specification["name"],
        description=specification["description"],
        polarity=header["polarity"],
        training=training,
        measured=measured,
        limits=specification["limits"],
        **facts_of(settings.out),
        classes=specification.get("classes", ()),
        alias=specification.get("alias"),
    )
    write_card(settings.out, card)
