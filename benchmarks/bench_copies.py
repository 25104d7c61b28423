"""How long it takes to find the copy of one of 100,000 earlier images. Writes benchmarks/copies.json.

A SQLite database in a temporary folder holds the image that is recognised, `N_ALIKE` that look like it, as
welds of one kind do, and random ones. It is searched through the same service as an inspection: once with the
views still in the database, then `REPEATS` times with them in memory, then after one more image came. Every
search looks closely at the grain of 20 candidates, the most there can be.
"""

import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from sqlalchemy import Engine, insert

from core.domain.radiograph import Polarity, Radiograph
from core.imaging.fingerprint import fingerprint
from core.services.images.copies import CopySearch, kept_fingerprint
from core.services.images.view_index import view_index
from core.simulate.config import SimulationConfig
from core.simulate.render import simulate_weld
from core.store.audit_trail import open_store
from core.store.database import open_database, upgrade
from core.store.fingerprint_table import ImageFingerprintRow
from core.store.tables import ImageRow
from core.store.unit_of_work import Store

N_IMAGES = 100_000
N_ALIKE = 50
#: Standard deviation of the film's grain before it is softened; the simulated scanner has coarse steps.
GRAIN = 200.0
REPEATS = 9
THREADS = 2
RESULT = Path(__file__).with_name("copies.json")
START = datetime(2025, 1, 1, tzinfo=UTC)
_BATCH = 1_000
_N_PATCHES = 6


def main() -> None:
    """Measure and write."""
    cv2.setNumThreads(THREADS)
    made = simulate_weld(7, SimulationConfig(height_px=1300, width_px=5000))
    grain = cv2.GaussianBlur(np.random.default_rng(6).normal(0, GRAIN, made.pixels.shape), (0, 0), 0.7)
    pixels = np.clip(made.pixels + grain, 0, 2**made.bit_depth - 1).astype(np.uint16)
    film = Radiograph(pixels, made.bit_depth, Polarity.FILM, None, "0" * 64, "PNG")
    low, high = np.percentile(film.pixels, (0.5, 99.5))
    windowed = np.clip((film.pixels.astype(np.float32) - low) * (255 / (high - low)), 0, 255).astype(np.uint8)
    copy = Radiograph(windowed, 8, Polarity.FILM, None, "f" * 64, "PNG")
    content: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores of a shared {platform.machine()} server, no GPU used",
        "load_at_start": round(os.getloadavg()[0], 1),
        "images": N_IMAGES,
        "film": f"{film.width} x {film.height} px",
    }
    with tempfile.TemporaryDirectory(prefix="copies-") as folder:
        engine = open_database(f"sqlite:///{folder}/radikal.db")
        upgrade(engine)
        fill(engine, film, N_IMAGES)
        content["search"] = timings(open_store(engine), film, copy)
        engine.dispose()
    RESULT.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(content, indent=1))


def fill(engine: Engine, film: Radiograph, n: int) -> None:
    """Put `film` and random fingerprints, `n` in all, into an empty database."""
    rng = np.random.default_rng(5)
    taken = kept_fingerprint(fingerprint(film))
    with engine.begin() as connection:
        connection.execute(insert(ImageRow), [_image(film.sha256, 0, film)])
        row = _row(film.sha256, taken.view, taken.corners, taken.patches)
        connection.execute(insert(ImageFingerprintRow), [row])
    for begin in range(1, n, _BATCH):
        numbers = range(begin, min(begin + _BATCH, n))
        digests = {number: rng.bytes(32).hex() for number in numbers}
        with engine.begin() as connection:
            images = [_image(digest, number, film) for number, digest in digests.items()]
            connection.execute(insert(ImageRow), images)
            rows = [
                _random(rng, digest, np.frombuffer(taken.view, np.int8) if number <= N_ALIKE else None)
                for number, digest in digests.items()
            ]
            connection.execute(insert(ImageFingerprintRow), rows)


def timings(store: Store, film: Radiograph, copy: Radiograph) -> dict[str, Any]:
    """Milliseconds of one search: the first one, those after it, and one after another image came."""
    _come(store, copy, N_IMAGES)
    search = CopySearch(store, lambda _digest: film)
    found: list[str] = []

    def look() -> None:
        likeness = search.compare(copy).copy
        found.append("" if likeness is None else likeness.sha256)

    first = _measured(look)
    later = [_measured(look) for _ in range(REPEATS)]
    _come(store, replace(copy, sha256="e" * 64, pixels=copy.pixels[::-1].copy()), N_IMAGES + 1)
    after_another = _measured(look)
    assert set(found) == {film.sha256}, "the copy was not found"
    return {
        "first_with_reading_the_views": first,
        "median": {name: round(statistics.median(one[name] for one in later), 1) for name in first},
        "after_one_more_image": after_another,
        "memory_mb": _memory_mb(store),
    }


def _memory_mb(store: Store) -> float:
    """What the index of all views takes."""
    with store.read() as work:
        index = view_index(work.fingerprints.views())
    arrays = (index.digests, index.moments, index.views, index.has_grain)
    return round(sum(one.nbytes for one in arrays) / 2**20, 1)


def _measured(work: Callable[[], None]) -> dict[str, float]:
    start, busy = time.perf_counter(), time.process_time()
    work()
    wall_ms, processor_ms = (time.perf_counter() - start) * 1000, (time.process_time() - busy) * 1000
    return {"wall_ms": round(wall_ms, 1), "processor_ms": round(processor_ms, 1)}


def _come(store: Store, radiograph: Radiograph, minute: int) -> None:
    with store.write() as work:
        work.images.add(radiograph, "come.png", 1, at=START + timedelta(minutes=minute))
        work.fingerprints.add(kept_fingerprint(fingerprint(radiograph)), at=work.now)


def _image(digest: str, number: int, film: Radiograph) -> dict[str, Any]:
    return {
        "sha256": digest,
        "name": f"weld {number}.png",
        "file_format": "PNG",
        "width": film.width,
        "height": film.height,
        "bit_depth": film.bit_depth,
        "polarity": "film",
        "n_bytes": 10_000_000,
        "fields": {},
        "created_at": START + timedelta(minutes=number),
    }


def _random(rng: np.random.Generator, digest: str, alike: npt.NDArray[np.int8] | None) -> dict[str, Any]:
    """Grain of its own, and a view of its own or one like `alike`."""
    view = rng.normal(0, 32, 1024) if alike is None else alike + rng.normal(0, 12, 1024)
    corners = np.tile(np.array([[600, 300]], "<i4"), (_N_PATCHES, 1)).tobytes()
    values = np.clip(view, -127, 127).astype(np.int8).tobytes()
    return _row(digest, values, corners, rng.bytes(2304 * _N_PATCHES))


def _row(digest: str, view: bytes, corners: bytes, patches: bytes) -> dict[str, Any]:
    return {
        "image_sha256": digest,
        "made_at": START,
        "n_patches": len(corners) // 8,
        "view": view,
        "corners": corners,
        "patches": patches,
    }


if __name__ == "__main__":
    main()
