"""Draws docs/images/errors-weld.webp: what weld v4 gets wrong on simulated welds that trained nothing.

`python docs/draw_errors.py`. The same weights give the same picture.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import click
import cv2
import numpy as np
import numpy.typing as npt

from core.calibrate.calibrator import calibrator_from
from core.engine.detector import Detector
from core.evaluate.error_types import Errors, ErrorType, error_types
from core.evaluate.outcome import ImageOutcome
from core.evaluate.outcome_table import OutcomeTable, tabulate
from core.imaging.normalise import normalise
from core.registry.artefact import WEIGHTS, read_artefact
from core.simulate.render import SimulatedRadiograph, simulate_weld

MODEL = Path(__file__).resolve().parents[1] / "models" / "checkpoints" / "weld-v4"
TARGET = Path(__file__).with_name("images") / "errors-weld.webp"
SEEDS = range(330_000, 330_014)
#: Examples of a kind in a row, shown square; px of the picture.
_EXAMPLES, _SIDE, _LABEL = 5, 190, 24
#: What is shown around a box: this many times its longer side, at least so many px.
_ROOM, _LEAST_PX = 1.8, 90.0
_RECORDED, _REPORTED = (90, 220, 90), (60, 140, 255)  # BGR: green and orange


@dataclass(frozen=True, slots=True, eq=False)
class _Example:
    pixels: npt.NDArray[np.uint8]
    title: str


def main() -> None:
    """Write the picture and say how many errors of each kind there are."""
    radiographs = [simulate_weld(seed) for seed in SEEDS]
    table = _table(radiographs)
    errors = error_types(table)
    rows = [_row(kind, radiographs, table, errors) for kind in ErrorType]
    cv2.imwrite(str(TARGET), np.vstack(rows), [cv2.IMWRITE_WEBP_QUALITY, 50])
    click.echo(", ".join(f"{kind}: {count}" for kind, count in errors.counts().items()))


def _table(radiographs: list[SimulatedRadiograph]) -> OutcomeTable:
    artefact = read_artefact(MODEL)
    calibration = artefact.calibration
    calibrator = calibrator_from(calibration.method, calibration.parameters)
    detector = Detector.load(MODEL / WEIGHTS)
    outcomes = []
    for one in radiographs:
        image = normalise(one.pixels, polarity=one.polarity, model_polarity=detector.polarity)
        found = detector.detect(image, score_floor=calibration.score_cut)
        shown = [flaw for flaw in one.truth if flaw.visible]
        outcome = ImageOutcome(
            name=str(one.seed),
            cluster=str(one.seed),
            truth=np.array([flaw.bbox for flaw in shown], np.float32).reshape(-1, 4),
            truth_labels=tuple(flaw.flaw_class.value for flaw in shown),
            boxes=found.boxes,
            scores=found.scores,
            labels=tuple(str(name) for name in found.classes),
            probabilities=calibrator.probability(found.scores),
        )
        outcomes.append(replace(outcome, mm_per_px=one.mm_per_px))
    return tabulate(
        outcomes,
        digests=[""] * len(outcomes),
        elapsed_ms=[np.nan] * len(outcomes),
        is_class_aware=True,
        score_cut=calibration.score_cut,
        operating_probability=calibration.operating_probability,
    )


def _row(
    kind: ErrorType, radiographs: list[SimulatedRadiograph], table: OutcomeTable, errors: Errors
) -> npt.NDArray[np.uint8]:
    """One line of examples: the most certain reports, the largest recorded ones that were missed."""
    indices = errors.boxes(kind)
    if kind is ErrorType.MISSED:
        size = (table.truth[indices, 2:] - table.truth[indices, :2]).max(axis=1, initial=0)
        order = indices[np.argsort(-size, kind="stable")]
    else:
        order = indices[np.argsort(-table.probabilities[indices], kind="stable")]
    tiles = [_tile(_example(kind, int(i), radiographs, table)) for i in _spread(order, kind, table)]
    blank = np.full((_SIDE + _LABEL, _SIDE, 3), 24, np.uint8)
    tiles += [blank] * (_EXAMPLES - len(tiles))
    head = np.full((_LABEL, _SIDE * _EXAMPLES, 3), 24, np.uint8)
    _write(head, f"{kind}: {kind.meaning} ({len(indices)})", 8)
    return np.vstack([head, np.hstack(tiles)])


def _spread(order: npt.NDArray[np.intp], kind: ErrorType, table: OutcomeTable) -> list[int]:
    """The first ones, no two of one radiograph while there are others."""
    image = table.truth_image if kind is ErrorType.MISSED else table.box_image
    first = {int(image[i]): int(i) for i in order[::-1]}
    chosen = [int(i) for i in order if first[int(image[i])] == i]
    return [*chosen, *(int(i) for i in order if i not in chosen)][:_EXAMPLES]


def _example(
    kind: ErrorType, index: int, radiographs: list[SimulatedRadiograph], table: OutcomeTable
) -> _Example:
    is_missed = kind is ErrorType.MISSED
    box = table.truth[index] if is_missed else table.boxes[index]
    number = int((table.truth_image if is_missed else table.box_image)[index])
    radiograph = radiographs[number]
    side = max(_ROOM * float((box[2:] - box[:2]).max()), _LEAST_PX)
    corner = (box[:2] + box[2:]) / 2 - side / 2
    scale = _SIDE / side
    grey = _window(radiograph, corner, side, scale)
    tile = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    for recorded in table.truth[table.truth_image == number]:
        _frame(tile, (recorded.reshape(2, 2) - corner) * scale, _RECORDED)
    shown = table.is_reported() & (table.box_image == number)
    for reported in table.boxes[shown]:
        _frame(tile, (reported.reshape(2, 2) - corner) * scale, _REPORTED)
    if is_missed:
        return _Example(tile, table.class_name(int(table.truth_class[index])))
    return _Example(tile, f"{table.class_name(int(table.box_class[index]))} {table.probabilities[index]:.2f}")


def _window(
    radiograph: SimulatedRadiograph, corner: npt.NDArray[np.floating], side: float, scale: float
) -> npt.NDArray[np.uint8]:
    """(S, S) the grey values around a box, stretched to what lies there."""
    matrix = np.array([[scale, 0, -corner[0] * scale], [0, scale, -corner[1] * scale]])
    pixels = radiograph.pixels.astype(np.float32)
    part = cv2.warpAffine(
        pixels, matrix, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    low, high = np.percentile(part, (1, 99))
    return (np.clip((part - low) / max(high - low, 1e-6), 0, 1) * 255).astype(np.uint8)


def _frame(
    tile: npt.NDArray[np.uint8], corners: npt.NDArray[np.floating], colour: tuple[int, int, int]
) -> None:
    (x1, y1), (x2, y2) = np.round(corners).astype(int).tolist()
    cv2.rectangle(tile, (x1, y1), (x2, y2), colour, 1)


def _tile(example: _Example) -> npt.NDArray[np.uint8]:
    foot = np.full((_LABEL, _SIDE, 3), 24, np.uint8)
    _write(foot, example.title, 4)
    return np.vstack([example.pixels, foot])


def _write(strip: npt.NDArray[np.uint8], text: str, x: int) -> None:
    cv2.putText(strip, text, (x, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (230, 230, 230), 1, cv2.LINE_AA)


if __name__ == "__main__":
    main()
