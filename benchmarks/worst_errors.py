"""The worst errors of a weld version on the judging films, to be looked at and named by eye.

    python benchmarks/worst_errors.py shared/gdxray models/checkpoints/weld-v4 FOLDER

Writes `false.png` and `missed.png` into the folder: the reports of highest probability that match no
recorded box, and the largest recorded boxes that no report matches, at an IoU of 0.5, from the operating
probability on. Orange is what was reported, green what was recorded, red what was missed. The pictures show
parts of the data set, whose licence keeps them out of the repository.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.outlines import Film, judging_films
from core.calibrate.calibrator import calibrator_from
from core.domain.detections import FloatArray
from core.engine.detector import Detector
from core.evaluate.matching import iou_matrix
from core.registry.artefact import WEIGHTS, read_artefact

IOU, COUNT, IN_A_ROW = 0.5, 25, 5
#: Side of a picture, height of its title, px; what is shown around a box, as a multiple of its longer side.
_SIDE, _TITLE, _ROOM, _LEAST_PX = 230, 24, 2.2, 90.0
_RECORDED, _REPORTED, _MISSED = (90, 220, 90), (60, 140, 255), (0, 0, 255)  # BGR


@dataclass(frozen=True, slots=True, eq=False)
class Fault:
    """A report without a recorded box, or a recorded box without a report.

    Attributes:
        film: it is on.
        box: (4,) xyxy px.
        rank: worst first.
        iou: with the nearest of the other side.
    """

    film: Film
    box: FloatArray
    rank: float
    iou: float


def faults_of(films: list[Film], version: Path) -> tuple[list[Fault], list[Fault]]:
    """False reports by their probability and missed boxes by their area, worst first."""
    artefact = read_artefact(version)
    calibration = artefact.calibration
    calibrator = calibrator_from(calibration.method, calibration.parameters)
    detector = Detector.load(version / WEIGHTS)
    false, missed = [], []
    for film in films:
        found = detector.detect(film.image, score_floor=calibration.score_cut)
        probability = calibrator.probability(found.scores)
        is_in = probability >= calibration.operating_probability
        boxes, probability = found.boxes[is_in], probability[is_in]
        overlap = iou_matrix(boxes, film.boxes)
        taken: set[int] = set()
        for k in np.argsort(-probability, kind="stable"):
            near = [j for j in range(len(film.boxes)) if j not in taken and overlap[k, j] >= IOU]
            if near:
                taken.add(max(near, key=lambda j: float(overlap[k, j])))
            else:
                false.append(Fault(film, boxes[k], float(probability[k]), float(overlap[k].max(initial=0))))
        for j, box in enumerate(film.boxes):
            if j not in taken:
                area = float((box[2:] - box[:2]).prod())
                missed.append(Fault(film, box, area, float(overlap[:, j].max(initial=0))))
    return sorted(false, key=lambda f: -f.rank), sorted(missed, key=lambda f: -f.rank)


def sheet(faults: list[Fault], colour: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    """The first `COUNT` of them, numbered, `IN_A_ROW`."""
    cells = [_drawn(number, fault, colour) for number, fault in enumerate(faults[:COUNT], 1)]
    while len(cells) % IN_A_ROW:
        cells.append(np.zeros_like(cells[0]))
    rows = [np.hstack(cells[k : k + IN_A_ROW]) for k in range(0, len(cells), IN_A_ROW)]
    return np.asarray(np.vstack(rows), np.uint8)


def _drawn(number: int, fault: Fault, colour: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    size = fault.box[2:] - fault.box[:2]
    half = max(_ROOM * float(size.max()), _LEAST_PX) / 2
    middle = (fault.box[:2] + fault.box[2:]) / 2
    x0, y0 = (int(max(v - half, 0)) for v in middle)
    x1, y1 = (int(min(v + half, n)) for v, n in zip(middle, fault.film.image.shape[::-1], strict=True))
    cut = fault.film.image[y0:y1, x0:x1]
    low, high = np.percentile(cut, (1, 99))
    grey = np.clip((cut - low) / max(float(high - low), 1e-6) * 255, 0, 255).astype(np.uint8)
    scale = _SIDE / max(grey.shape)
    cell = np.asarray(cv2.cvtColor(cv2.resize(grey, None, fx=scale, fy=scale), cv2.COLOR_GRAY2BGR), np.uint8)
    for box, drawn, width in [*((b, _RECORDED, 1) for b in fault.film.boxes), (fault.box, colour, 2)]:
        corners = ((box.reshape(2, 2) - (x0, y0)) * scale).astype(int).tolist()
        cv2.rectangle(cell, corners[0], corners[1], drawn, width)
    bottom, right = _SIDE - cell.shape[0], _SIDE + 6 - cell.shape[1]
    framed = np.asarray(cv2.copyMakeBorder(cell, _TITLE, bottom, 0, right, cv2.BORDER_CONSTANT), np.uint8)
    title = f"{number}  {fault.film.name}  {size[0]:.0f}x{size[1]:.0f}  IoU {fault.iou:.2f}"
    cv2.putText(framed, title, (2, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1)
    return framed


def main(data: Path, version: Path, out: Path) -> None:
    """Write the two pictures and say how many faults there are."""
    false, missed = faults_of(judging_films(data), version)
    out.mkdir(parents=True, exist_ok=True)
    for name, faults, colour in (("false", false, _REPORTED), ("missed", missed, _MISSED)):
        print(f"{name}: {len(faults)}")
        if faults:
            cv2.imwrite(str(out / f"{name}.png"), sheet(faults, colour))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
