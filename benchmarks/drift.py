"""How often drift is alarmed where nothing changed, and how surely where something did: `drift.json`.

    python -m benchmarks.drift measure WEIGHTS_FOLDER POPULATION OUT.npz [--data GDXRAY] [--boxes]
        [--seed FIRST] [--pool IMAGES] [--new IMAGES]
    python -m benchmarks.drift judge OUT.npz [OUT.npz ...] [--window IMAGES ...]

Three populations. `welds` are simulated after one procedure: plates of 8 to 20 mm, one pixel pitch, one
film, 12 bit; their new part is a thicker plate at another pitch. `mixed` are the same with another film
and traces of handling for each weld. `castings` are views of recorded parts of GDXray (`--data`), drawn
over all parts; the new part is one that is left out of the rest. Each image is read as it is; with white
noise added until it has 1.3 times as much; with its own grain, what a blur of 3 px takes away, 1.3 times
as large; and with 0.8 of its contrast. A window is compared with a reference of 100 other images, both drawn
anew 60 times, 200 times where nothing changed, without replacement. `judge` reports the share of alarms, and
after how many images more noise of the same grain is noticed when window follows window, beside what
`core.evaluate.drift_power` tells of that from the reference alone.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from core.domain.drift import NOISE, DriftResult
from core.domain.radiograph import Polarity, Radiograph
from core.evaluate.drift_power import noise_sensitivity
from core.evaluate.drift_tests import Sample, drift_between
from core.evaluate.proportion import wilson_interval
from core.imaging.quality.physical import physical_figures
from core.labelling.coco import read_coco
from core.registry.artefact import read_artefact
from core.services.evaluation.recorded_images import read_recorded, select_images
from core.services.inference.detecting import DetectService
from core.services.lifecycle.releasing import OneModel
from core.services.monitoring.drift import ALPHA
from core.services.monitoring.observing import figures_of
from core.simulate.config import SimulationConfig
from core.simulate.render import simulate_weld

RESULT = Path(__file__).with_name("drift.json")
N_POOL, N_NEW = 240, 60
N_REFERENCE, N_RECENT = 100, 50
#: Windows that are drawn where nothing changed, and where something did.
N_QUIET, N_CHANGES = 200, 60
ALPHAS = (0.05, 0.03, 0.01)
MORE_NOISE, LESS_CONTRAST = 1.3, 0.8
_GRAIN_PX = 3.0
#: References that are followed window by window.
N_FOLLOWED, N_WINDOWS = 60, 20
_PROCEDURE = SimulationConfig(
    height_px=320, width_px=800, mm_per_px=(0.05, 0.05), plate_mm=(8.0, 20.0), bit_depths=(12,),
    has_wear=False, recorder_seed=4,
)  # fmt: skip
#: The same with another film for each weld, as many sites' films together.
_MIXED = replace(_PROCEDURE, recorder_seed=None, has_wear=True)
_OTHER_PLATE_MM, _OTHER_MM_PER_PX = (24.0, 30.0), (0.07, 0.07)
#: Two series that show one part.
_LEFT_OUT = ("C0001", "C0002")
#: From the first seed of the welds to that of the new part.
_BETWEEN_SEEDS = 400_000
_NO_BOXES = np.zeros((0, 4), np.float32)


def noisier(radiograph: Radiograph, rng: np.random.Generator, times: float = MORE_NOISE) -> Radiograph:
    """The radiograph with white noise added until it is `times` as large."""
    top = float(2**radiograph.bit_depth - 1)
    noise = physical_figures(radiograph, _NO_BOXES).get(NOISE, 0.0) * top
    more = rng.normal(0, noise * np.sqrt(max(times**2 - 1, 0)), radiograph.pixels.shape)
    return _with(radiograph, radiograph.pixels + more)


def coarser(radiograph: Radiograph, times: float = MORE_NOISE) -> Radiograph:
    """The radiograph with its own grain `times` as large, as with a faster film."""
    pixels = radiograph.pixels.astype(np.float32)
    smooth = cv2.GaussianBlur(pixels, (0, 0), _GRAIN_PX)
    return _with(radiograph, smooth + times * (pixels - smooth))


def flatter(radiograph: Radiograph, share: float = LESS_CONTRAST) -> Radiograph:
    """The radiograph with `share` of its contrast around its middle grey value."""
    middle = float(np.median(radiograph.pixels))
    return _with(radiograph, middle + share * (radiograph.pixels.astype(np.float32) - middle))


def brighter(radiograph: Radiograph, gain: float) -> Radiograph:
    """The radiograph with every grey value times `gain`."""
    return _with(radiograph, gain * radiograph.pixels.astype(np.float32))


def _with(radiograph: Radiograph, pixels: Any) -> Radiograph:
    top = 2**radiograph.bit_depth - 1
    return replace(radiograph, pixels=np.clip(np.rint(pixels), 0, top).astype(radiograph.pixels.dtype))


def welds(first: int, count: int, config: SimulationConfig = _PROCEDURE) -> Iterator[Radiograph]:
    """Simulated radiographs of the seeds from `first` on."""
    for seed in range(first, first + count):
        one = simulate_weld(seed, config)
        yield Radiograph(
            one.pixels,
            bit_depth=one.bit_depth,
            polarity=one.polarity,
            pitch=None,
            sha256=f"{seed:064x}",
            file_format="simulated",
        )


def castings(data: Path, count: int, *, is_new: bool) -> Iterator[Radiograph]:
    """Views of recorded castings, evenly over the file; of the part that is left out, or of all others."""
    images = [
        one
        for one in select_images(read_coco(data / "castings.json"), data)
        if (one.series in _LEFT_OUT) == is_new
    ]
    order = np.random.default_rng(7).permutation(len(images))[:count]
    for index in order:
        yield read_recorded(images[index], data, Polarity.DIGITAL)


def observe(
    detect: DetectService, name: str, radiograph: Radiograph, *, has_boxes: bool = True
) -> tuple[dict[str, float], Any]:
    """Figures and embedding of one image; without those of boxes where they are not asked for."""
    if has_boxes:
        result = detect.detect(radiograph, "benchmark", model=name)
        figures = figures_of(radiograph, result.rows(), result.model.calibration.operating_probability)
    else:
        figures = dict(physical_figures(radiograph, _NO_BOXES))
    return figures, detect.appearance(radiograph, model=name)


def measure(
    folder: Path,
    population: str,
    out: Path,
    data: Path | None,
    *,
    has_boxes: bool,
    seed: int,
    n_pool: int,
    n_new: int,
) -> None:
    """Read every image of a population in each of its states and write what was observed."""
    detect, name = DetectService(OneModel(folder, 0), device="cpu"), read_artefact(folder).name
    rng = np.random.default_rng(3)
    states: dict[str, Callable[[Radiograph], Radiograph]] = {
        "as it is": lambda one: one,
        "noise": lambda one: noisier(one, rng),
        "grain": coarser,
        "contrast": flatter,
    }
    if population in ("welds", "mixed"):
        config = _PROCEDURE if population == "welds" else _MIXED
        other = replace(config, plate_mm=_OTHER_PLATE_MM, mm_per_px=_OTHER_MM_PER_PX)
        pool, new = welds(seed, n_pool, config), welds(seed + _BETWEEN_SEEDS, n_new, other)
    else:
        assert data is not None
        pool, new = castings(data, n_pool, is_new=False), castings(data, n_new, is_new=True)
    kept: dict[str, list[tuple[dict[str, float], Any]]] = {state: [] for state in states}
    for done, radiograph in enumerate(pool, start=1):
        for state, change in states.items():
            kept[state].append(observe(detect, name, change(radiograph), has_boxes=has_boxes))
        if done % 20 == 0:
            print(f"{done} images", file=sys.stderr, flush=True)
    kept["new part"] = [observe(detect, name, one, has_boxes=has_boxes) for one in new]
    names = sorted({figure for rows in kept.values() for figures, _ in rows for figure in figures})
    arrays = {}
    for state, rows in kept.items():
        arrays[f"{state}|figures"] = np.array(
            [[figures.get(figure, np.nan) for figure in names] for figures, _ in rows]
        )
        arrays[f"{state}|embeddings"] = np.stack([one for _, one in rows])
    np.savez_compressed(out, names=np.array(names), **arrays)


def judge(measured: Path, windows: Sequence[int]) -> dict[str, Any]:
    """Shares of alarms of one population by images of a window, error probability and state."""
    kept = np.load(measured)
    names = [str(name) for name in kept["names"]]
    states = sorted({key.split("|")[0] for key in kept.files if "|" in key})
    return {f"window {n}": _judged(kept, names, states, n) for n in windows} | {
        "more grain is noticed after": _followed(kept, names)
    }


def _judged(kept: Any, names: Sequence[str], states: Sequence[str], n_recent: int) -> dict[str, Any]:
    rng = np.random.default_rng(11)
    found: dict[str, Any] = {f"alpha {alpha}": {} for alpha in ALPHAS}
    for state in states:
        if state != "new part" and N_REFERENCE + n_recent > len(kept["as it is|figures"]):
            continue
        n_repeats = N_QUIET if state == "as it is" else N_CHANGES
        results = []
        for repeat in range(n_repeats):
            before, now = _drawn(rng, state, kept, n_recent)
            reference, recent = _sample(kept, "as it is", before, names), _sample(kept, state, now, names)
            results.append(drift_between(reference, recent, alpha=1, seed=repeat, n_permutations=2_000))
        for alpha in ALPHAS:
            told = "A/A" if state == "as it is" else state
            found[f"alpha {alpha}"][told] = _shares(results, alpha, n_repeats)
    return found


def _followed(kept: Any, names: Sequence[str]) -> dict[str, Any]:
    """Images until nine of ten references noticed more grain; the median of what they told of that."""
    rng = np.random.default_rng(12)
    first, told = [], []
    for repeat in range(N_FOLLOWED):
        order = rng.permutation(len(kept["as it is|figures"]))
        reference = _sample(kept, "as it is", order[:N_REFERENCE], names)
        sensitivity = noise_sensitivity(
            reference.figures[NOISE], n_window=N_RECENT, error=ALPHA / 2 / len(names)
        )
        assert sensitivity is not None
        told.append(sensitivity.n_images or np.inf)
        first.append(np.inf)
        for window in range(1, N_WINDOWS + 1):
            rows = rng.choice(order[N_REFERENCE:], N_RECENT, replace=False)
            recent = _sample(kept, "grain", rows, names)
            if drift_between(reference, recent, alpha=ALPHA, seed=repeat, n_permutations=2_000).is_alarm:
                first[-1] = window * N_RECENT
                break
    seen = {"measured": np.sort(first)[int(np.ceil(0.9 * N_FOLLOWED)) - 1], "median told": np.median(told)}
    return {name: None if np.isinf(value) else float(value) for name, value in seen.items()} | {
        "noticed at once": round(float(np.mean(np.array(first) == N_RECENT)), 3),
        "most": N_RECENT * N_WINDOWS,
    }


def _shares(results: Sequence[DriftResult], alpha: float, n: int) -> dict[str, Any]:
    """Share of alarms with its 95 % interval, and how often each figure was among those that changed."""
    changed = [[one.name for one in result.shifts if one.p_adjusted <= alpha / 2] for result in results]
    n_alarms = sum(map(bool, changed))
    interval = wilson_interval(n_alarms, n)
    assert interval is not None
    by_figure = Counter(name for names in changed for name in names)
    return {
        "alarms": round(n_alarms / n, 3),
        "interval": [round(end, 3) for end in interval],
        "n": n,
        "by_figure": {name: round(count / n, 3) for name, count in by_figure.most_common()},
    }


def _drawn(rng: np.random.Generator, state: str, kept: Any, n_recent: int) -> tuple[Any, Any]:
    """Rows of reference and window; no image is in both."""
    order = rng.permutation(len(kept["as it is|figures"]))
    now = order[N_REFERENCE : N_REFERENCE + n_recent]
    if state == "new part":
        now = rng.permutation(len(kept["new part|figures"]))[:n_recent]
    return order[:N_REFERENCE], now


def _sample(kept: Any, state: str, rows: Any, names: Sequence[str]) -> Sample:
    figures = kept[f"{state}|figures"][rows]
    return Sample({name: figures[:, i] for i, name in enumerate(names)}, kept[f"{state}|embeddings"][rows])


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = parser.add_subparsers(dest="what", required=True)
    reading = parts.add_parser("measure")
    reading.add_argument("folder", type=Path)
    reading.add_argument("population", choices=("welds", "mixed", "castings"))
    reading.add_argument("out", type=Path)
    reading.add_argument("--data", type=Path)
    reading.add_argument("--boxes", action="store_true", help="also figures of boxes: ten times as long")
    reading.add_argument("--seed", type=int, default=500_000, help="of the first weld")
    reading.add_argument("--pool", type=int, default=N_POOL, help="images")
    reading.add_argument("--new", type=int, default=N_NEW, help="images of the new part")
    judging = parts.add_parser("judge")
    judging.add_argument("measured", type=Path, nargs="+", help="what `measure` wrote")
    judging.add_argument("--window", type=int, action="append", help=f"images, {N_RECENT} if not given")
    asked = parser.parse_args()
    if asked.what == "measure":
        measure(
            asked.folder,
            asked.population,
            asked.out,
            asked.data,
            has_boxes=asked.boxes,
            seed=asked.seed,
            n_pool=asked.pool,
            n_new=asked.new,
        )
        return 0
    figures = {path.stem: judge(path, asked.window or [N_RECENT]) for path in asked.measured}
    RESULT.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
