"""Measuring a model version on whole films of which only cells are recorded."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.calibrate.calibrator import calibrator_from
from core.domain.errors import BadInputError, DatasetError, LeakError
from core.domain.kinds import family_of
from core.domain.model_version import ModelVersion
from core.domain.ports import ModelSource
from core.domain.radiograph import Polarity
from core.domain.zone import Zone
from core.evaluate.cell_classes import count_classes
from core.evaluate.cell_summary import CellSummary, summarise_films
from core.evaluate.cells import FilmOutcome, count_cells
from core.imaging.read import read_radiograph_file
from core.imaging.zone import judged_zone
from core.labelling.coco import read_coco
from core.labelling.film_cells import (
    BAM_CELL_PX,
    FilmRecord,
    FilmStatus,
    read_film_cells,
    recorded_cells,
)
from core.registry.seen import seen_by
from core.services.inference.detecting import DetectService

#: (films done, films in all); called after each film.
Progress = Callable[[int, int], None]
_SWEEP = tuple(round(0.05 * step, 2) for step in range(1, 20))


@dataclass(frozen=True, slots=True, eq=False)
class FilmEvaluation:
    """The cells that a model version reports on films beside the recorded ones.

    Attributes:
        version: the model version.
        probability: boxes of at least this are reported.
        lowest_probability: of a box at the score cut; weaker boxes were never reported.
        cell_px: width of a cell.
        films: one outcome a film, in file order.
        in_zone: the same without the boxes outside of the zone that was found on the film, which stand apart
            on the page; where no zone was found all of them.
        n_zones: films on which a zone was found.
        trained_on: why a film is not unseen, by its file name.
        not_evaluable: recorded indications that begin beyond the end of their film, one line each.
    """

    version: ModelVersion
    probability: float
    lowest_probability: float
    cell_px: float
    films: tuple[FilmOutcome, ...]
    in_zone: tuple[FilmOutcome, ...]
    n_zones: int
    trained_on: dict[str, str]
    not_evaluable: tuple[str, ...]

    @property
    def unseen(self) -> tuple[FilmOutcome, ...]:
        """The films that trained nothing."""
        return self._unseen(self.films)

    @property
    def unseen_in_zone(self) -> tuple[FilmOutcome, ...]:
        """Those of `in_zone` that trained nothing."""
        return self._unseen(self.in_zone)

    def _unseen(self, films: Sequence[FilmOutcome]) -> tuple[FilmOutcome, ...]:
        return tuple(film for film in films if film.name not in self.trained_on)

    def sweep(self, films: Sequence[FilmOutcome]) -> list[CellSummary]:
        """The figures of `films` at rising operating probabilities, from the score cut on."""
        points = sorted({self.probability, *(p for p in _SWEEP if p > self.lowest_probability)})
        return [summarise_films(films, probability=point) for point in points]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a JSON file; `films` holds the cells of each film."""
        calibration = self.version.calibration
        sets = {"all": self.films, "unseen": self.unseen}
        zoned = {"all": self.in_zone, "unseen": self.unseen_in_zone}
        return {
            "model": self.version.name,
            "version": self.version.version,
            "model_sha256": self.version.sha256,
            "calibration_id": calibration.calibration_id,
            "score_cut": calibration.score_cut,
            "lowest_probability": round(self.lowest_probability, 4),
            "operating_probability": self.probability,
            "cell_px": self.cell_px,
            "n_films": len(self.films),
            "n_trained_on": len(self.trained_on),
            "trained_on": self.trained_on,
            "not_evaluable": list(self.not_evaluable),
            **{name: summarise_films(f, probability=self.probability).to_dict() for name, f in sets.items()},
            "n_zones": self.n_zones,
            "in_zone": {
                name: summarise_films(f, probability=self.probability).to_dict() for name, f in zoned.items()
            },
            "classes": {name: _classes(f, self.probability) for name, f in sets.items()},
            "sweep": {name: [point.to_dict() for point in self.sweep(f)] for name, f in sets.items()},
            "films": [_film_dict(film, self.probability) for film in self.films],
        }


class FilmEvaluateService:
    """Runs a model version on recorded films and counts cells."""

    def __init__(self, detect: DetectService, models: ModelSource) -> None:
        self._detect = detect
        self._models = models

    def evaluate(
        self,
        records: Path,
        images_dir: Path,
        *,
        model: str,
        version: int | None = None,
        alias: str = "champion",
        crops: Path | None = None,
        probability: float | None = None,
        cell_px: float = BAM_CELL_PX,
        polarity: Polarity = Polarity.UNKNOWN,
        gate: bool = False,
        progress: Progress | None = None,
    ) -> FilmEvaluation:
        """The result of `model` on the films of a CSV; `core.evaluate.cells` says how cells are counted.

        Args:
            records: CSV of films, see `core.labelling.film_cells`.
            images_dir: the folder that its file names are relative to.
            model: "weld" or "casting".
            version: of the model; None takes the one that bears `alias`.
            alias: "champion" or "challenger".
            crops: COCO file whose entries name the `parent_film` they were cut from: a film whose crop
                was trained on is not unseen.
            probability: report boxes of at least this; None takes the model's operating probability.
            cell_px: width of a centimetre, px.
            polarity: of films that do not say.
            gate: refuse when any of the films was trained on, before anything runs.
            progress: called after each film.

        Raises:
            ModelNotFoundError: when there is no such version.
            DatasetError: when records, crops, films and their sizes do not belong together.
            UnreadableImageError: when a film cannot be read.
            LeakError: with `gate`, when films were trained on.
        """
        resolved, folder = self._models.resolve(model, version=version, alias=alias)
        films = read_film_cells(records)
        trained_on = _trained_on(films, images_dir, crops, seen_by(self._models, resolved, folder).trained_on)
        if gate and trained_on:
            raise LeakError(
                f"{len(trained_on)} of {len(films)} films were trained on by {resolved.name} "
                f"v{resolved.version}; evaluate it on films that trained nothing"
            )
        outcomes: list[FilmOutcome] = []
        zones: list[Zone | None] = []
        for film in films:
            outcome, zone = self._outcome(film, images_dir, resolved, polarity, cell_px)
            outcomes.append(outcome)
            zones.append(zone)
            if progress is not None:
                progress(len(outcomes), len(films))
        calibration = resolved.calibration
        calibrator = calibrator_from(calibration.method, calibration.parameters)
        weakest = calibrator.probability(np.array([calibration.score_cut], np.float32))
        return FilmEvaluation(
            version=resolved,
            probability=calibration.operating_probability if probability is None else probability,
            lowest_probability=float(weakest[0]),
            cell_px=cell_px,
            films=tuple(outcomes),
            in_zone=tuple(_inside(one, zone) for one, zone in zip(outcomes, zones, strict=True)),
            n_zones=sum(zone is not None for zone in zones),
            trained_on=trained_on,
            not_evaluable=tuple(line for film in films for line in _beyond(film, cell_px)),
        )

    def _outcome(
        self, film: FilmRecord, images_dir: Path, version: ModelVersion, polarity: Polarity, cell_px: float
    ) -> tuple[FilmOutcome, Zone | None]:
        """Recorded and reported on a film, and the zone that was found on it."""
        radiograph = read_radiograph_file(images_dir / film.file_name, polarity=polarity)
        if (radiograph.width, radiograph.height) != (film.width, film.height):
            raise DatasetError(
                f"{film.file_name} is {radiograph.width}x{radiograph.height}, the records say "
                f"{film.width}x{film.height}: its cells would lie elsewhere"
            )
        found = self._detect.detect(
            radiograph, film.file_name, model=version.name, version=version.version
        ).detections
        assert found.probabilities is not None  # DetectService always calibrates
        zone = judged_zone(radiograph.pixels, family_of(version.name), radiograph.polarity)
        outcome = FilmOutcome(
            name=film.file_name,
            width=film.width,
            cell_px=cell_px,
            recorded=recorded_cells(film, cell_px),
            is_judged=film.status is not FilmStatus.NOT_RECORDED,
            boxes=found.boxes,
            probabilities=found.probabilities,
            classes=found.classes,
        )
        return outcome, zone


def _inside(film: FilmOutcome, zone: Zone | None) -> FilmOutcome:
    """The film with the boxes that count as inside of the zone; all of them without one."""
    if zone is None:
        return film
    kept = np.flatnonzero([zone.holds(box) for box in film.boxes.tolist()])
    return replace(
        film,
        boxes=film.boxes[kept],
        probabilities=film.probabilities[kept],
        classes=tuple(film.classes[index] for index in kept),
    )


def _classes(films: Sequence[FilmOutcome], probability: float) -> dict[str, Any]:
    counted = count_classes(films, probability=probability)
    return {one.indication_class.value: one.to_dict() for one in counted}


def _beyond(film: FilmRecord, cell_px: float) -> list[str]:
    n_cells = -int(-film.width // cell_px)
    return [
        f"{film.file_name}: {entry.code} begins in cell {entry.start_cell} of {n_cells}"
        for entry in film.indications
        if entry.start_cell > n_cells
    ]


def _trained_on(
    films: Sequence[FilmRecord], images_dir: Path, crops: Path | None, trained_on: frozenset[str]
) -> dict[str, str]:
    """The reason why a film is not unseen, by file name: it was trained on, or a crop of it was."""
    reasons = {}
    if crops is not None:
        for crop in read_coco(crops).images:
            if crop.parent_film is not None and _sha256(images_dir / crop.file_name) in trained_on:
                reasons[crop.parent_film] = f"its crop {crop.file_name} was trained on"
    for film in films:
        if _sha256(images_dir / film.file_name) in trained_on:
            reasons[film.file_name] = "it was trained on"
    return {film.file_name: reasons[film.file_name] for film in films if film.file_name in reasons}


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise BadInputError(f"cannot read {path}: {error.strerror}") from error


def _film_dict(film: FilmOutcome, probability: float) -> dict[str, Any]:
    counted = count_cells(film, probability=probability)
    return {
        "film": film.name,
        "n_cells": counted.n_cells,
        "n_reached": counted.n_reached,
        "false_cells": None if counted.false_cells is None else list(counted.false_cells),
        "recorded": {key: list(cells) for key, cells in counted.recorded.items()},
        "found": {key: list(cells) for key, cells in counted.found.items()},
    }
