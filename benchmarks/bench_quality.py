"""How long the image-quality gate takes, and what passes it. Writes benchmarks/quality.json.

Time: a simulated film of 5000 x 1300 px after a warm-up, median of `REPEATS`. Rates: on real radiographs,
where a folder of GDXray is named in RADIKAL_GDXRAY; no picture leaves that folder.
"""

import json
import os
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from core.domain.radiograph import PitchSource, PixelPitch, Polarity, Radiograph
from core.imaging.fingerprint import Fingerprint, find_copy, fingerprint, shortlist
from core.imaging.quality.assess import assess
from core.imaging.quality.grey_values import grey_values
from core.imaging.quality.noise import find_flat_region
from core.imaging.quality.report import CASTING_LIMITS, WELD_LIMITS, EarlierPictures, QualityLimits
from core.imaging.quality.sharpness import measure_sharpness
from core.imaging.quality.wires import find_wires
from core.imaging.read import read_radiograph_file
from core.simulate.config import SimulationConfig
from core.simulate.render import simulate_weld

REPEATS = 9
THREADS = 2
RESULT = Path(__file__).with_name("quality.json")
FILM_PITCH = PixelPitch(0.0403, PitchSource.USER)


def main() -> None:
    """Measure and write."""
    cv2.setNumThreads(THREADS)
    content: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{THREADS} cores of a shared x86-64 server, no GPU used",
        "load_at_start": round(os.getloadavg()[0], 1),
        "versions": {"numpy": np.__version__, "opencv": cv2.__version__},
        "film_5000x1300": timings(),
    }
    if folder := os.environ.get("RADIKAL_GDXRAY"):
        content["gdxray"] = rates(Path(folder))
    elif RESULT.is_file():
        content["gdxray"] = json.loads(RESULT.read_text(encoding="utf-8")).get("gdxray")
    RESULT.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(content, indent=1))


def timings() -> dict[str, dict[str, float]]:
    """Median milliseconds of the gate and of its parts."""
    film = simulate_weld(7, SimulationConfig(height_px=1300, width_px=5000))
    pitch = PixelPitch(film.mm_per_px, PitchSource.USER)
    image = Radiograph(film.pixels, film.bit_depth, film.polarity, pitch, "0" * 64, "PNG")
    pixels = image.pixels.astype(np.float32)
    other = replace(fingerprint(image), sha256="1" * 64)
    unlike = replace(other, view=np.zeros_like(other.view))
    views = np.repeat(other.view[None], 100_000, axis=0)
    parts: dict[str, Callable[[], object]] = {
        "assess": lambda: assess(image, limits=WELD_LIMITS),
        "assess_with_1000_earlier": lambda: assess(
            image, limits=WELD_LIMITS, compared=EarlierPictures(1000, find_copy(image, [unlike] * 1000))
        ),
        "grey_values": lambda: grey_values(image),
        "sharpness": lambda: measure_sharpness(pixels),
        "flat_region": lambda: find_flat_region(image),
        "wires": lambda: find_wires(image),
        "fingerprint": lambda: fingerprint(image),
        "compare_with_a_copy": lambda: find_copy(image, [other]),
        "shortlist_of_100000": lambda: shortlist(other.view, views),
    }
    return {name: median_ms(work) for name, work in parts.items()}


def median_ms(work: Callable[[], object]) -> dict[str, float]:
    """Median wall and processor time of `work`, after one call that does not count."""
    work()
    wall, busy = [], []
    for _ in range(REPEATS):
        start, start_busy = time.perf_counter(), time.process_time()
        work()
        wall.append((time.perf_counter() - start) * 1000)
        busy.append((time.process_time() - start_busy) * 1000)
    return {"wall_ms": round(statistics.median(wall), 1), "processor_ms": round(statistics.median(busy), 1)}


def rates(folder: Path) -> dict[str, Any]:
    """What passes each check, how many wires are found, and which pictures count as copies."""
    films = sorted((folder / "Welding" / "W0003").glob("*.png"))
    crops = sorted((folder / "Welding" / "W0001").glob("*.png"))
    castings = [folder / name for name, _ in casting_files(folder)]
    return {
        "whole_films": passes(films, WELD_LIMITS, Polarity.FILM, FILM_PITCH),
        "weld_crops": passes(crops, WELD_LIMITS, Polarity.FILM, FILM_PITCH),
        "castings": passes(castings, CASTING_LIMITS, Polarity.DIGITAL, None),
        "copies": copies(folder, [(str(path), path.stem) for path in films + crops] + casting_files(folder)),
    }


def casting_files(folder: Path) -> list[tuple[str, str]]:
    """Path within the folder and series of every casting."""
    files = []
    for name in ("castings.json", "castings_clean.json"):
        images = json.loads((folder / name).read_text(encoding="utf-8"))["images"]
        files += [(image["file_name"], image["series"]) for image in images]
    return files


def passes(
    files: list[Path], limits: QualityLimits, polarity: Polarity, pitch: PixelPitch | None
) -> dict[str, Any]:
    """How each check ends, and the spread of its figure."""
    states: dict[str, Counter[str]] = {}
    figures: dict[str, list[float]] = {}
    wires: Counter[int] = Counter()
    for image in read(files, polarity, pitch):
        report = assess(image, limits=limits)
        wires[0 if report.wires is None else report.wires.n_visible] += 1
        for check in report.checks:
            states.setdefault(check.kind.value, Counter())[check.state.value] += 1
            if check.measured is not None:
                figures.setdefault(check.kind.value, []).append(check.measured)
    quantiles = {kind: np.percentile(values, (0, 5, 50, 95, 100)) for kind, values in figures.items()}
    return {
        "pictures": len(files),
        "states": {kind: dict(counts) for kind, counts in states.items()},
        "figures_min_p5_p50_p95_max": {k: [round(float(q), 2) for q in v] for k, v in quantiles.items()},
        "visible_wires": {str(count): n for count, n in sorted(wires.items())},
    }


def read(files: list[Path], polarity: Polarity, pitch: PixelPitch | None) -> Iterator[Radiograph]:
    """The pictures one after the other."""
    for path in files:
        yield replace(read_radiograph_file(path, polarity=polarity), pitch=pitch)


def copies(folder: Path, files: list[tuple[str, str]]) -> dict[str, Any]:
    """Every picture against all others: none is a copy, so every match is false."""
    prints: list[Fingerprint] = [fingerprint(image) for image in read_all(folder, files)]
    matched: Counter[str] = Counter()
    other_series = 0
    series = {taken.sha256: name for taken, (_, name) in zip(prints, files, strict=True)}
    for index, image in enumerate(read_all(folder, files)):
        found = find_copy(image, prints[:index] + prints[index + 1 :])
        if found is not None:
            matched[files[index][1]] += 1
            other_series += series[found.sha256] != files[index][1]
    return {
        "pictures": len(files),
        "pictures_with_a_false_match": sum(matched.values()),
        "of_another_series": other_series,
        "by_series": dict(matched),
        "with_enough_grain": sum(len(taken.corners) >= 3 for taken in prints),
    }


def read_all(folder: Path, files: list[tuple[str, str]]) -> Iterator[Radiograph]:
    """The pictures of a list of paths and series."""
    return read([folder / name for name, _ in files], Polarity.UNKNOWN, None)


if __name__ == "__main__":
    main()
