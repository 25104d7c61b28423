"""How much less is to be believed of calls beside the weld: false cells and recorded cells found, by shift.

    python -m benchmarks.zone_prior GDXRAY VERSION [PART ...]

`GDXRAY` is the folder of the radiographs, `VERSION` an artefact folder such as models/checkpoints/weld-v4;
its own prior is left out. Parts are those of data/splits/weld-films.yaml: `cells` trained nothing,
`background` trained what to leave alone. Prints a line for each part and shift.
"""

import sys
from pathlib import Path

import numpy as np
import torch

from core.calibrate.calibrator import calibrator_from
from core.domain.kinds import Family
from core.domain.radiograph import Polarity
from core.engine.detector import Detector, read_network
from core.engine.fusion import Fusion
from core.engine.tiling import BANDS, TILES
from core.engine.zone_prior import ZonePrior
from core.evaluate.cell_summary import summarise_films
from core.evaluate.cells import FilmOutcome
from core.imaging.normalise import normalise
from core.imaging.read import read_radiograph_file
from core.labelling.film_cells import BAM_CELL_PX, FilmRecord, FilmStatus, read_film_cells, recorded_cells
from core.labelling.split import members_of, read_split
from core.registry.artefact import WEIGHTS, read_artefact

ROOT = Path(__file__).resolve().parents[1]
SHIFTS = (0.0, -0.8, -1.2, -1.6, -2.4, -4.8)


def plain_detector(folder: Path) -> Detector:
    """The detector of a version in float32, without its prior."""
    network, header = read_network(folder / WEIGHTS)
    return Detector(
        network,
        Polarity(header["polarity"]),
        torch.device("cpu"),
        dtype=torch.float32,
        least_px=int(header["crop_px"]),
        is_banded=header.get(TILES) == BANDS,
        fusion=Fusion.from_json(header["fusion"]) if "fusion" in header else None,
    )


def outcomes(film: FilmRecord, images: Path, detector: Detector, version: Path) -> list[FilmOutcome]:
    """What is recorded and reported on a film, one for each of `SHIFTS`."""
    calibration = read_artefact(version).calibration
    calibrator = calibrator_from(calibration.method, calibration.parameters)
    radiograph = read_radiograph_file(images / film.file_name, polarity=Polarity.FILM)
    image = normalise(radiograph.pixels, polarity=radiograph.polarity, model_polarity=detector.polarity)
    plain = detector.detect(image)
    results = []
    for shift in SHIFTS:
        found = plain
        if shift:
            found = ZonePrior("", Family.WELD, shift).weigh(plain, image, detector.polarity)
        found = found.above(calibration.score_cut)
        results.append(
            FilmOutcome(
                name=film.file_name,
                width=film.width,
                cell_px=BAM_CELL_PX,
                recorded=recorded_cells(film, BAM_CELL_PX),
                is_judged=film.status is not FilmStatus.NOT_RECORDED,
                boxes=found.boxes,
                probabilities=calibrator.probability(found.scores),
                classes=found.classes,
            )
        )
    return results


def main(images: Path, version: Path, parts: list[str]) -> None:
    """Print the tables."""
    point = read_artefact(version).calibration.operating_probability
    detector = plain_detector(version)
    for part in parts:
        names = set(members_of(read_split(ROOT / "data" / "splits" / "weld-films.yaml"), part))
        films = [
            film for film in read_film_cells(images / "weld_films.csv") if Path(film.file_name).stem in names
        ]
        by_shift = list(zip(*(outcomes(film, images, detector, version) for film in films), strict=True))
        for shift, chosen in zip(SHIFTS, by_shift, strict=True):
            found = summarise_films(chosen, probability=point).to_dict()
            groups = ", ".join(
                f"{name} {one['found']}/{one['recorded']}" for name, one in found["groups"].items()
            )
            free = f"{found['n_false_cells']} of {found['n_free_cells']} free cells"
            per_film = np.nan if found["false_cells_per_film"] is None else found["false_cells_per_film"]
            print(f"{part} {shift:+.1f}: {per_film:.2f} false cells a film ({free}); {groups}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:] or ["cells"])
