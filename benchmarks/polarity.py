"""Is the polarity that the picture tells the right one? Prints the table of docs/polarity.md.

Every image counts in both directions: as it is, and with its grey values inverted. Welds are fitted on
simulated radiographs only and measured on others and on the films of GDXray, which fit nothing. Castings are
fitted on GDXray, and measured leaving the whole series out. `--fit` fits again and writes the weights.

    python benchmarks/polarity.py --gdxray ../shared/gdxray [--fit]
"""

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from core.domain.radiograph import Polarity
from core.imaging.polarity import WEIGHTS, polarity_weights
from core.imaging.polarity_signs import NAMES, signs
from core.imaging.read import read_radiograph_file
from core.simulate.config import SimulationConfig
from core.simulate.render import simulate_weld

RESULT = Path(__file__).with_name("polarity.json")
FITTED, UNSEEN = range(20_000, 21_000), range(90_000, 90_300)
SIZES = ((1600, 600), (2400, 700), (1200, 500), (900, 700), (640, 640))
#: Frames of a casting series that are taken; a series is one part turned a few degrees a frame.
FRAMES = 8
RIDGE = {"weld": 0.3, "casting": 0.3}
SPEAKS_ABOVE = {"weld": 0.85, "casting": 0.85}
#: Signs that tell the shading of the simulator, not the polarity of a weld.
NOT_OF_WELDS = ("rim", "corners", "flat", "holes")
#: Series of one part (README of the data set).
SAME_PART = (
    ("C0001", "C0002"), ("C0032", "C0033"), ("C0034", "C0035", "C0010"), ("C0008", "C0038", "C0039", "C0040"),
    ("C0041", "C0042"), ("C0015", "C0031"),
)  # fmt: skip
PROVENANCE = {
    "weld": "fitted on simulated welds of this project only, seeds 20000 to 20999",
    "casting": "fitted on GDXray (Mery et al. 2015): research and educational use only",
}

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """The signs of images: (N, len(NAMES)), 1 for film and -1 for digital (N,), and the series of each."""

    signs: Floats
    truth: Floats
    series: npt.NDArray[np.str_]


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gdxray", type=Path, help="folder of GDXray")
    parser.add_argument("--fit", action="store_true", help="fit again, and write the weights")
    asked = parser.parse_args()
    with ProcessPoolExecutor(2) as pool:
        castings = _measured(pool.map(_real_signs, casting_frames(asked.gdxray)))
        films = _measured(pool.map(_real_signs, weld_films(asked.gdxray)))
        if asked.fit:
            write(_measured(pool.map(simulated_signs, FITTED, chunksize=8)), castings)
        unseen = _measured(pool.map(simulated_signs, UNSEEN, chunksize=8))
    weights = polarity_weights()
    sums = {
        "weld films of GDXray": ("weld", films, films.signs @ weights["weld"].weights),
        "simulated welds, unseen": ("weld", unseen, unseen.signs @ weights["weld"].weights),
        "castings of GDXray, series left out": ("casting", castings, left_out(castings)),
    }
    rows = {
        name: row(one, total, weights[kind].speaks_above)
        for name, (kind, one, total) in sums.items()
        if len(total)
    }
    whole = {key: sum(one[key] for one in rows.values()) for key in ("images", "spoke", "right")}
    rows["all"] = whole
    print("| images | n, both ways | speaks | right where it speaks |\n|---|---|---|---|")
    for name, one in rows.items():
        spoke = 100 * one["spoke"] / one["images"]
        print(f"| {name} | {one['images']} | {spoke:.1f} % | {100 * one['right'] / one['spoke']:.2f} % |")
    RESULT.write_text(
        json.dumps({"measured_at": f"{datetime.now(UTC):%Y-%m-%d}", "rows": rows}, indent=1) + "\n"
    )


def row(one: Measured, totals: Floats, speaks_above: float) -> dict[str, int]:
    """Both ways: the inverted image has the opposite sum, so it speaks and is right as the image is."""
    spoke = np.abs(totals) >= math.log(speaks_above / (1 - speaks_above))
    is_right = totals * one.truth > 0
    return {
        "images": 2 * len(totals),
        "spoke": 2 * int(spoke.sum()),
        "right": 2 * int((spoke & is_right).sum()),
    }


def fit(one: Measured, ridge: float, counts: Floats | None = None) -> Floats:
    """Weights of a logistic model without an intercept (odd, as the signs are), by Newton's method."""
    counts = np.ones(len(one.truth)) if counts is None else counts
    weights, signed = np.zeros(len(NAMES)), one.signs * one.truth[:, None]
    for _ in range(50):
        chance = 1 / (1 + np.exp(-signed @ weights))
        slope = signed.T @ (counts * (1 - chance)) - ridge * weights
        bend = (signed * (counts * chance * (1 - chance))[:, None]).T @ signed + ridge * np.eye(len(NAMES))
        weights = weights + np.linalg.solve(bend, slope)
    return weights


def fit_welds(one: Measured) -> Floats:
    """As `fit`, by the signs that tell of welds."""
    counts = np.asarray([name not in NOT_OF_WELDS for name in NAMES], float)
    return fit(Measured(one.signs * counts, one.truth, one.series), RIDGE["weld"]) * counts


def fit_castings(one: Measured) -> Floats:
    """As `fit`, each series with the same weight."""
    sizes = {name: int((one.series == name).sum()) for name in set(one.series)}
    return fit(one, RIDGE["casting"], np.asarray([FRAMES / sizes[name] for name in one.series]))


def left_out(one: Measured) -> Floats:
    """The sum of each image by weights that its series did not fit."""
    totals = np.zeros(len(one.truth))
    for name in set(one.series):
        is_out = one.series == name
        rest = Measured(one.signs[~is_out], one.truth[~is_out], one.series[~is_out])
        totals[is_out] = one.signs[is_out] @ fit_castings(rest)
    return totals


def write(welds: Measured, castings: Measured) -> None:
    """The weights file."""
    fitted = {"weld": fit_welds(welds), "casting": fit_castings(castings)}
    kinds = {
        kind: {
            "provenance": PROVENANCE[kind],
            "speaks_above": SPEAKS_ABOVE[kind],
            "weights": dict(zip(NAMES, (round(float(value), 4) for value in values), strict=True)),
        }
        for kind, values in fitted.items()
    }
    content = {
        "fitted_at": f"{datetime.now(UTC):%Y-%m-%d}",
        "by": "benchmarks/polarity.py --fit",
        "kinds": kinds,
    }
    WEIGHTS.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    polarity_weights.cache_clear()


def weld_films(folder: Path | None) -> list[tuple[str, Path]]:
    """Series and file of every weld film: all are films."""
    if folder is None:
        return []
    return [
        (path.stem, path)
        for path in sorted(chain(*(folder.glob(f"Welding/{one}/*.png") for one in ("W0001", "W0003"))))
    ]


def casting_frames(folder: Path | None) -> list[tuple[str, Path]]:
    """Series and file of at most `FRAMES` frames a series: all are digital (flaws are bright)."""
    found = []
    for series in sorted(folder.glob("Castings/C*")) if folder else ():
        frames = sorted(series.glob("*.png"))
        part = next((group[0] for group in SAME_PART if series.name in group), series.name)
        at = np.unique(np.linspace(0, len(frames) - 1, FRAMES).astype(int)) if frames else []
        found += [(part, frames[index]) for index in at]
    return found


def _real_signs(one: tuple[str, Path]) -> tuple[Floats, float, str]:
    series, path = one
    found = signs(read_radiograph_file(path).pixels)
    assert found is not None
    return found, -1.0 if path.parent.name.startswith("C") else 1.0, series


def simulated_signs(seed: int) -> tuple[Floats, float, str]:
    """The signs of one simulated weld, film or digital; half of them as smoothed, compressed 8-bit copies."""
    rng, is_film = np.random.default_rng(seed + 1_000_000), seed // 7 % 2 == 0
    width, height = SIZES[seed % len(SIZES)]
    config = SimulationConfig(
        width_px=width, height_px=height, polarities=(Polarity.FILM if is_film else Polarity.DIGITAL,),
        bit_depths=(8, 10, 12, 14, 16),
        has_furniture=bool(rng.random() < 0.7), has_wear=bool(rng.random() < 0.7),
    )  # fmt: skip
    made = simulate_weld(seed, config)
    pixels: Any = made.pixels if made.bit_depth > 8 else made.pixels.astype(np.uint8)
    if seed % 2 == 0 or seed % 3 == 0:
        pixels = _copied(pixels, rng, seed // 6 % 4)
    found = signs(np.ascontiguousarray(pixels.T) if seed % 4 == 0 else pixels)
    assert found is not None
    return found, 1.0 if is_film else -1.0, str(seed)


def _copied(pixels: npt.NDArray[Any], rng: np.random.Generator, how: int) -> npt.NDArray[np.uint8]:
    """An 8-bit copy as programs make them: smoothed, with another gamma, as JPEG."""
    grey = pixels.astype(np.float32)
    if how in (0, 1):
        grey = cv2.GaussianBlur(grey, (0, 0), float(rng.uniform(0.7, 2.5)))
    low, high = grey.min(), np.percentile(grey, 99.98)
    grey = np.clip((grey - low) / (high - low), 0, 1)
    if how in (1, 2):
        grey = grey ** float(rng.uniform(0.5, 2))
    copy = np.round(grey * 255).astype(np.uint8)
    if how == 3:
        packed = cv2.imencode(".jpg", copy, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 95))])[1]
        copy = np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), np.uint8)
    return copy


def _measured(found: Iterator[tuple[Floats, float, str]]) -> Measured:
    rows: Sequence[tuple[Floats, float, str]] = list(found)
    if not rows:
        return Measured(np.zeros((0, len(NAMES))), np.zeros(0), np.zeros(0, np.str_))
    return Measured(
        np.stack([r[0] for r in rows]), np.asarray([r[1] for r in rows]), np.asarray([r[2] for r in rows])
    )


if __name__ == "__main__":
    main()
