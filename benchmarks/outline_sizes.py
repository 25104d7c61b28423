"""How well sizes along the outline fit, beside those of the box. Writes outline_sizes.json.

    python -m benchmarks.outline_sizes GDXRAY NAME=WEIGHTS [NAME=WEIGHTS ...]

A network of films looks at simulated welds (seeds from 730000) that trained nothing, one of castings at
virtual flaws laid on the unlabelled castings of GDXray (every fourth frame). What it reports from a score of
0.2 on is compared with the mask of the flaw that its box meets best, from IoU 0.3 on: the overlap of both
masks; length and width, along the outline and by the box, against the narrowest rectangle around the mask;
the share of lengths within what the product states, a cell at each end; the area.
"""

import csv
import json
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from core.domain.detections import FloatArray
from core.domain.outline import Outline
from core.domain.radiograph import Polarity
from core.domain.sizing import is_closer
from core.engine.detector import Detector
from core.engine.pieces import cut_to_box
from core.evaluate.matching import iou_matrix
from core.imaging.normalise import normalise
from core.imaging.read import read_radiograph_file
from core.simulate.casting_flaws import lay_flaws
from core.simulate.config import SimulationConfig
from core.simulate.render import simulate_weld

RESULT = Path(__file__).with_name("outline_sizes.json")
FIRST_WELD, N_WELDS = 730000, 40
FIRST_LAID, EVERY, FLAWS, LEAST_PX = 940000, 4, 5, 14.0
LEAST_SCORE, LEAST_IOU = 0.2, 0.3
#: A flaw is long from this ratio of length to width on.
LONG = 3.0

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """An image as the network wants it, with the masks of its visible flaws and their corners (x, y)."""

    image: FloatArray
    boxes: FloatArray
    corners: Sequence[tuple[int, int]]
    masks: Sequence[Mask]


def simulated() -> Iterator[Picture]:
    """Simulated welds."""
    for seed in range(FIRST_WELD, FIRST_WELD + N_WELDS):
        made = simulate_weld(seed, SimulationConfig())
        seen = [flaw for flaw in made.truth if flaw.visible]
        yield Picture(
            normalise(made.pixels, polarity=made.polarity, model_polarity=Polarity.FILM),
            np.array([flaw.bbox for flaw in seen], np.float32).reshape(-1, 4),
            [(int(flaw.bbox[0]), int(flaw.bbox[1])) for flaw in seen],
            [flaw.mask for flaw in seen],
        )


def laid(folder: Path) -> Iterator[Picture]:
    """Virtual flaws on castings that nobody labelled."""
    with (folder / "castings_unlabelled.csv").open(encoding="utf-8") as file:
        names = [row["file_name"] for row in csv.DictReader(file)]
    for number, name in enumerate(names[::EVERY]):
        radiograph = read_radiograph_file(folder / name, polarity=Polarity.DIGITAL)
        grey = radiograph.pixels.astype(np.float32) / float((1 << radiograph.bit_depth) - 1)
        rng = np.random.default_rng(FIRST_LAID + number)
        made = lay_flaws(grey, rng, count=FLAWS, taken=np.zeros((0, 4), np.float32), least_px=LEAST_PX)
        seen = np.flatnonzero(made.is_visible)
        pixels = np.rint(made.grey.clip(0, 1) * np.float32(np.iinfo(np.uint16).max)).astype(np.uint16)
        yield Picture(
            normalise(pixels, polarity=Polarity.DIGITAL, model_polarity=Polarity.DIGITAL),
            made.boxes[seen],
            [made.corners[i] for i in seen],
            [made.masks[i] for i in seen],
        )


def rectangle(mask: Mask) -> tuple[float, float]:
    """Length and width of the narrowest rectangle around a mask, px, as outlines are measured."""
    rows, columns = np.nonzero(mask)
    _, sides, _ = cv2.minAreaRect(np.stack([columns, rows], axis=1).astype(np.float32))
    return max(sides) + 1, min(sides) + 1


def compared(found: FloatArray, outline: Outline, corner: tuple[int, int], mask: Mask) -> dict[str, float]:
    """The figures of one report beside the flaw that it meets."""
    length, width = rectangle(mask)
    sides = found[2:] - found[:2]
    is_along = is_closer(outline.length_px, outline.width_px, found.tolist())
    drawn = np.kron(outline.cells, np.ones((outline.cell_px, outline.cell_px), np.bool_))
    x, y = min(corner[0], outline.left), min(corner[1], outline.top)
    planes = np.zeros(
        (
            2,
            max(corner[1] + mask.shape[0], outline.top + drawn.shape[0]) - y,
            max(corner[0] + mask.shape[1], outline.left + drawn.shape[1]) - x,
        ),
        np.bool_,
    )
    for plane, part, (left, top) in zip(
        planes, (mask, drawn), (corner, (outline.left, outline.top)), strict=True
    ):
        plane[top - y : top - y + part.shape[0], left - x : left - x + part.shape[1]] |= part
    return {
        "is_long": float(length >= LONG * width),
        "overlap": float((planes[0] & planes[1]).sum() / (planes[0] | planes[1]).sum()),
        "length_px": length,
        "length_by_outline": abs(outline.length_px - length) / length,
        "length_by_box": abs(float(sides.max()) - length) / length,
        "width_by_outline": abs(outline.width_px - width) / width,
        "width_by_box": abs(float(sides.min()) - width) / width,
        "is_within_stated": float(abs(outline.length_px - length) <= 2 * outline.cell_px),
        "is_width_within_stated": float(abs(outline.width_px - width) <= 2 * outline.cell_px),
        "length_as_stated": abs((outline.length_px if is_along else float(sides.max())) - length) / length,
        "width_as_stated": abs((outline.width_px if is_along else float(sides.min())) - width) / width,
        "area_by_outline": abs(outline.area_px - float(mask.sum())) / float(mask.sum()),
    }


def rows_of(detector: Detector, pictures: Iterator[Picture]) -> tuple[list[dict[str, float]], int]:
    """The figures of every report that meets a flaw and has an outline, and how many have none."""
    rows, n_alone = [], 0
    for picture in pictures:
        found = detector.detect(picture.image, score_floor=LEAST_SCORE)
        overlaps = iou_matrix(found.boxes, picture.boxes)
        for index in range(len(found)):
            if not len(picture.boxes) or overlaps[index].max() < LEAST_IOU:
                continue
            best = int(overlaps[index].argmax())
            outline = (found.outlines or (None,) * len(found))[index]
            outline = outline and cut_to_box(outline, found.boxes[index])  # as the product says it
            if outline is None:
                n_alone += 1
                continue
            rows.append(compared(found.boxes[index], outline, picture.corners[best], picture.masks[best]))
    return rows, n_alone


def figures(rows: Sequence[dict[str, float]], n_alone: int) -> dict[str, Any]:
    """Medians of long flaws and of the others, and the shares within what is stated."""
    result: dict[str, Any] = {"n": len(rows), "n_without_outline": n_alone}
    for name, is_long in (("long", 1.0), ("others", 0.0)):
        own = [row for row in rows if row["is_long"] == is_long]
        if not own:
            continue
        result[name] = {"n": len(own)} | {
            key: round(
                (statistics.fmean if key.startswith("is_") else statistics.median)(r[key] for r in own), 3
            )
            for key in own[0]
            if key != "is_long"
        }
    return result


def main(arguments: Sequence[str]) -> int:
    """Measure the networks that are named and write the figures."""
    if len(arguments) < 2 or not all("=" in one for one in arguments[1:]):
        sys.stderr.write(f"{__doc__}\n")
        return 2
    folder, result = Path(arguments[0]), dict[str, Any]()
    for name, weights in (one.split("=", 1) for one in arguments[1:]):
        detector = Detector.load(Path(weights))
        pictures = simulated() if detector.polarity is Polarity.FILM else laid(folder)
        result[name] = figures(*rows_of(detector, pictures))
        sys.stderr.write(f"{name}: {result[name]}\n")
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
