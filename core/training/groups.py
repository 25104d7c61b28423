"""`python -m core.training.groups FOLDER --data DIR`: fits the second stage of a weld model.

It learns groups and types from simulated welds and virtual flaws, and from the codes of recorded films. Each
film is judged by a second stage that never saw it, real or with virtual flaws, and so is each simulated weld.
"""

import argparse
import json
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import yaml

from core.calibrate.calibrator import calibrator_from
from core.domain.indication import IndicationClass
from core.engine.detector import Detector
from core.engine.look_features import FEATURES
from core.engine.second_stage import LOOKS, Floats
from core.evaluate.cells import FilmOutcome
from core.labelling.film_cells import BAM_CELL_PX, FilmRecord, FilmStatus, read_film_cells, recorded_cells
from core.registry.artefact import CALIBRATION, CARD, GROUPS, WEIGHTS, file_sha256, read_calibration
from core.training.command import exit_code
from core.training.group_examples import (
    Examples,
    film_examples,
    joined,
    read_examples,
    simulated_examples,
    virtual_examples,
    write_examples,
)
from core.training.group_figures import Judged, figures_of, operating_by_group
from core.training.group_fit import Bag, Network, fit_network, look_of_code, with_reliabilities

log = logging.getLogger(__name__)
_FOLDS, _SEED = 5, 0
#: Virtual flaws are seeded so far behind the simulated welds.
_BEHIND = 10_000


def fit_groups(
    folder: Path,
    *,
    records: Path,
    data_dir: Path,
    seed: int,
    count: int,
    variants: int,
    unseen: Sequence[str],
    examples: Path | None,
    is_one_point: bool = False,
) -> Path:
    """The second stage, now in `folder`; a card beside it names its digest and figures.

    Args:
        folder: with the weights, and the calibration where there is one: it sets what is reported.
        records: CSV of films, see `core.labelling.film_cells`.
        data_dir: the folder that its file names are relative to.
        seed: of the first simulated weld; neither it nor one of the next may have trained the weights.
        count: of simulated welds.
        variants: pictures with virtual flaws of each film that has a stretch without anything recorded.
        unseen: stems of the films that trained nothing; operating points are chosen on these.
        examples: folder that keeps examples between runs on the same weights; None keeps none.
        is_one_point: every group is reported from the version's operating probability; figures are of both.

    Raises:
        ModelArtefactError: when the weights cannot be used.
        DatasetError: when records and films do not belong together.
    """
    films = [film for film in read_film_cells(records) if film.status is not FilmStatus.NOT_RECORDED]
    sets = _gathered(
        folder / WEIGHTS, films, data_dir, seed=seed, count=count, variants=variants, kept=examples
    )
    known, real = joined([sets["simulated"], sets["virtual"]]), sets["films"]
    known = known.take(known.looks >= 0)
    outcomes = _outcomes(real, films, folder)
    bags = [_bags(real, film, number) for number, film in enumerate(films)]
    judged = _judged(known, real, bags, outcomes)
    fitted_on = (
        f"{len(known.looks)} reports of known flaws on {len(set(known.names))} simulated welds"
        f"{' and films with virtual flaws' if variants else ''}, {sum(map(len, bags))} recorded cells of "
        f"{len(films)} films"
    )
    answers = judged.groups().evened(), judged.types().evened()
    stage = with_reliabilities(_fitted(known, real, bags), *answers, fitted_on)
    figures = figures_of(stage, judged)
    if (folder / CALIBRATION).is_file():
        probability = read_calibration(folder / CALIBRATION).operating_probability
        points, figures["operating"] = operating_by_group(stage, judged, unseen, probability=probability)
        if not is_one_point:
            stage = replace(stage, operating_shares={one: at / probability for one, at in points.items()})
    path = folder / GROUPS
    path.write_text(json.dumps(stage.to_dict()) + "\n", encoding="utf-8")
    _tell_card(folder, figures | {"fitted_on": fitted_on})
    return path


def _gathered(
    weights: Path,
    films: Sequence[FilmRecord],
    data_dir: Path,
    *,
    seed: int,
    count: int,
    variants: int,
    kept: Path | None,
) -> dict[str, Examples]:
    loaded: list[Detector] = []

    def detector() -> Detector:
        if not loaded:
            loaded.append(Detector.load(weights))
        return loaded[0]

    makers: dict[str, Callable[[], Iterator[Examples]]] = {
        "films": lambda: film_examples(detector(), films, data_dir),
        "simulated": lambda: simulated_examples(detector(), seed=seed, count=count),
        "virtual": lambda: virtual_examples(
            detector(), films, data_dir, seed=seed + _BEHIND, variants=variants
        ),
    }
    sets = {}
    for name, make in makers.items():
        key = f"{name}-{file_sha256(weights)[:12]}-{seed}-{count}-{variants}-{len(FEATURES)}.npz"
        path = None if kept is None else kept / key
        if path is not None and path.is_file():
            sets[name] = read_examples(path)
            continue
        sets[name] = joined(list(make()))
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_examples(path, sets[name])
    return sets


def _outcomes(real: Examples, films: Sequence[FilmRecord], folder: Path) -> list[FilmOutcome]:
    """Each film with its reports; without a calibration the scores stand for probabilities."""
    probabilities = real.scores
    is_reported = np.ones(len(probabilities), np.bool_)
    if (folder / CALIBRATION).is_file():
        record = read_calibration(folder / CALIBRATION)
        probabilities = calibrator_from(record.method, record.parameters).probability(real.scores)
        is_reported = real.scores >= record.score_cut
    probabilities = np.where(is_reported, probabilities, 0.0).astype(np.float32)
    return [
        FilmOutcome(
            name=PurePosixPath(film.file_name).stem,
            width=film.width,
            cell_px=BAM_CELL_PX,
            recorded=recorded_cells(film),
            is_judged=True,
            boxes=real.boxes[real.source == number],
            probabilities=probabilities[real.source == number],
            classes=(IndicationClass.UNCLASSIFIED,) * int((real.source == number).sum()),
        )
        for number, film in enumerate(films)
    ]


def _bags(real: Examples, film: FilmRecord, number: int) -> list[Bag]:
    """One bag for each recorded cell and look that a report reaches."""
    rows = np.flatnonzero(real.source == number)
    recorded = [
        (entry, look) for entry in recorded_cells(film) if (look := look_of_code(entry.code)) is not None
    ]
    first = real.boxes[rows, 0] / BAM_CELL_PX
    last = real.boxes[rows, 2] / BAM_CELL_PX
    groups: dict[int, set[Any]] = {}
    for entry, look in recorded:
        for cell in entry.cells:
            for near in (cell - 1, cell, cell + 1):
                groups.setdefault(near, set()).add(look.group)
    bags = []
    for cell, look in sorted({(cell, look) for entry, look in recorded for cell in entry.cells}):
        inside = rows[(first < cell) & (last > cell - 1)]
        if len(inside):
            bags.append(Bag(inside, LOOKS.index(look), frozenset(groups[cell])))
    return bags


def _fitted(known: Examples, real: Examples, bags: Sequence[Sequence[Bag]], seed: int = _SEED) -> Network:
    every = [bag for own in bags for bag in own]
    rows = np.unique(np.concatenate([np.zeros(0, np.intp), *(bag.rows for bag in every)]))
    every = [replace(bag, rows=np.searchsorted(rows, bag.rows)) for bag in every]
    return fit_network(known.features, known.looks, real.features[rows], every, seed=seed)


def _judged(
    known: Examples, real: Examples, bags: Sequence[Sequence[Bag]], outcomes: Sequence[FilmOutcome]
) -> Judged:
    """The shares of every example by a network that saw neither its weld nor its film."""
    films = [outcome.name for outcome in outcomes]
    known_shares: Floats = np.zeros((len(known.looks), len(LOOKS)))
    real_shares: Floats = np.zeros((len(real.scores), len(LOOKS)))
    names = np.array(known.names)[known.source]
    number_of: dict[str, int] = {}
    fold = np.array([number_of.setdefault(name, len(number_of)) % _FOLDS for name in names])
    fold[np.isin(names, films)] = -1  # virtual flaws go with their film
    for held in range(_FOLDS):
        stage = _fitted(known.take(fold != held), real, bags, seed=held + 1).as_stage()
        known_shares[fold == held] = stage.shares(known.features[fold == held])
    for number, film in enumerate(films):
        is_out = names == film
        others = [own if k != number else [] for k, own in enumerate(bags)]
        stage = _fitted(known.take(~is_out), real, others, seed=number + 1).as_stage()
        known_shares[is_out] = stage.shares(known.features[is_out])
        real_shares[real.source == number] = stage.shares(real.features[real.source == number])
        log.info("film %s judged by the others", film)
    return Judged(
        known_shares=known_shares,
        looks=known.looks,
        is_virtual=np.isin(names, films),
        film_shares=tuple(real_shares[real.source == number] for number in range(len(films))),
        outcomes=tuple(outcomes),
    )


def _tell_card(folder: Path, figures: dict[str, Any]) -> None:
    path = folder / CARD
    if not path.is_file():
        return
    card = yaml.safe_load(path.read_text(encoding="utf-8"))
    card["second_stage"] = {"sha256": file_sha256(folder / GROUPS), **figures}
    path.write_text(yaml.safe_dump(card, sort_keys=False, allow_unicode=True, width=100), encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 done, 2 bad input."""
    parser = argparse.ArgumentParser(prog="python -m core.training.groups", description=__doc__)
    parser.add_argument("folder", type=Path, help="of a run or a model version, with its weights")
    parser.add_argument("--data", type=Path, required=True, help="folder of the films")
    parser.add_argument("--records", type=Path, help="CSV of the films; default: weld_films.csv there")
    parser.add_argument("--seed", type=int, default=800_000, help="of the first simulated weld")
    parser.add_argument("--count", type=int, default=60, help="simulated welds")
    parser.add_argument("--variants", type=int, default=2, help="pictures with virtual flaws of each film")
    parser.add_argument("--unseen", default="", help="stems of the films that trained nothing, with commas")
    parser.add_argument(
        "--one-point", action="store_true", help="report every group from the same probability; measure both"
    )
    parser.add_argument("--examples", type=Path, help="folder that keeps the examples for another fit")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    return exit_code(
        lambda: fit_groups(
            options.folder,
            records=options.records or options.data / "weld_films.csv",
            data_dir=options.data,
            seed=options.seed,
            count=options.count,
            variants=options.variants,
            unseen=[name for name in options.unseen.split(",") if name],
            examples=options.examples,
            is_one_point=options.one_point,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
