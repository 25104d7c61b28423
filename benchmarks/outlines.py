"""Boxes, outlines and both together of weld networks on real and simulated films. Writes outlines.json.

    python -m benchmarks.outlines GDXRAY NAME=WEIGHTS [NAME=WEIGHTS ...]

Three sets of films that train nothing: the judging films of GDXray, and two sets of 20 simulated films, the
second rich in linear flaws. Invisible simulated flaws are ignored. Boxes and outlines are brought together by
the fusion in the weights' header, which `python -m core.training.fuse` fitted to simulated welds of other
seeds: two of three real films hold too few pieces without a box to fit one. Intervals come from a bootstrap
over films, the differences to the boxes of the first network from the same draws.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from core.domain.detections import FloatArray
from core.domain.radiograph import Polarity
from core.engine.detector import SCORE_FLOOR, Detector, Request, read_network
from core.engine.fusion import Fusion, suppress
from core.engine.indications import Sighting, paired
from core.engine.network import IndicationNetwork
from core.evaluate.average_precision import RankedDetections, average_precision, rank
from core.evaluate.matching import iou_matrix, match
from core.evaluate.resampling import Resampling, expanded_interval, resample
from core.imaging.normalise import normalise
from core.imaging.read import read_radiograph_file
from core.labelling.coco import read_coco
from core.labelling.split import members_of, read_split
from core.simulate.config import SimulationConfig
from core.simulate.kinds import FlawKind, mix_with
from core.simulate.render import simulate_weld

ROOT = Path(__file__).resolve().parents[1]
RESULT = Path(__file__).with_name("outlines.json")
LINEAR = frozenset(
    {
        FlawKind.LONGITUDINAL_CRACK,
        FlawKind.TRANSVERSE_CRACK,
        FlawKind.LACK_OF_PENETRATION,
        FlawKind.LACK_OF_FUSION,
        FlawKind.UNDERCUT,
        FlawKind.SLAG_LINE,
    }
)
LINEAR_MIX = {
    "longitudinal crack": 6,
    "transverse crack": 4,
    "lack of penetration": 3,
    "lack of fusion": 3,
    "slag line": 2.5,
    "undercut": 1,
}
#: Seed of the first film and the mix of kinds of each simulated set.
SIMULATED: dict[str, tuple[int, dict[str, float]]] = {
    "simulated": (700_000, {}),
    "simulated linear": (710_000, LINEAR_MIX),
}
N_SIMULATED, REPEATS = 20, 15
FALSE_BOXES_PER_MEGAPIXEL = 2.0

Found = tuple[FloatArray, FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """One film with its ground truth.

    Attributes:
        name: of the film.
        image: (H, W) float32, normalised, film polarity.
        boxes: (G, 4) xyxy px, visible indications.
        is_linear: (G,) bool; all False where the kind is not recorded.
        ignored: (I, 4) xyxy px, indications that nobody can see.
    """

    name: str
    image: FloatArray
    boxes: FloatArray
    is_linear: npt.NDArray[np.bool_]
    ignored: FloatArray


def judging_films(data: Path) -> list[Film]:
    """The films of part `judging` of weld-films.yaml."""
    members = members_of(read_split(ROOT / "data" / "splits" / "weld-films.yaml"), "judging")
    films = []
    for entry in read_coco(data / "welds.json").images:
        if entry.series in members:
            pixels = read_radiograph_file(data / entry.file_name, polarity=Polarity.FILM).pixels
            none = np.zeros((0, 4), np.float32)
            films.append(
                Film(entry.series, normalise(pixels), entry.boxes, np.zeros(len(entry.boxes), np.bool_), none)
            )
    return films


def simulated_films(seed: int, mix: dict[str, float]) -> list[Film]:
    """Films of the seeds from `seed` on."""
    films = []
    for number in range(seed, seed + N_SIMULATED):
        made = simulate_weld(number, SimulationConfig(mix=mix_with(mix)))
        boxes = np.array([flaw.bbox for flaw in made.truth], np.float32).reshape(-1, 4)
        is_seen = np.array([flaw.visible for flaw in made.truth], np.bool_)
        is_linear = np.array([flaw.kind in LINEAR for flaw in made.truth], np.bool_)
        image = normalise(made.pixels)
        films.append(Film(str(number), image, boxes[is_seen], is_linear[is_seen], boxes[~is_seen]))
    return films


def fusion_in(weights: Path) -> Fusion | None:
    """The fusion in the header of a weights file, None without one."""
    header = read_network(weights)[1]
    return Fusion.from_json(header["fusion"]) if "fusion" in header else None


def ways_of(sightings: Sequence[Sighting], fusion: Fusion | None) -> dict[str, list[Found]]:
    """Boxes and scores on each film by boxes alone, pieces alone and, with a fusion, both together."""
    ways = {"boxes": [(s.boxes.boxes, s.boxes.scores) for s in sightings]}
    if sightings[0].probability is None:
        return ways
    seen = [paired(sighting) for sighting in sightings]
    ways["outlines"] = [(own.boxes, own.scores) for _, own in seen]
    if fusion is not None:
        ways["both"] = []
        for candidates, _ in seen:
            scores = fusion.scores(candidates)
            kept = suppress(candidates.boxes, scores)
            ways["both"].append((candidates.boxes[kept], scores[kept]))
    return ways


def ranked(films: Sequence[Film], found: Sequence[Found], iou: float) -> RankedDetections:
    """The detections of all films by score, without those on invisible indications."""
    scores, hits = [], []
    for film, (boxes, own) in zip(films, found, strict=True):
        is_true = match(boxes, own, film.boxes, iou).is_true
        counts = is_true | ~(iou_matrix(boxes, film.ignored) >= iou).any(axis=1)
        scores.append(own[counts])
        hits.append(is_true[counts])
    return rank(scores, hits, np.array([len(film.boxes) for film in films]))


def linear_recall(films: Sequence[Film], found: Sequence[Found]) -> float | None:
    """Share of linear indications found at `FALSE_BOXES_PER_MEGAPIXEL`; None where no kind is recorded."""
    false: list[float] = []
    reached: list[float] = []
    for film, (boxes, scores) in zip(films, found, strict=True):
        result = match(boxes, scores, film.boxes)
        is_unknown = (iou_matrix(boxes, film.ignored) >= 0.5).any(axis=1)
        false += scores[~result.is_true & ~is_unknown].tolist()
        by_truth = dict(zip(result.truth_index.tolist(), scores.tolist(), strict=True))
        reached += [by_truth.get(int(g), -1.0) for g in np.flatnonzero(film.is_linear)]
    if not reached:
        return None
    allowed = int(FALSE_BOXES_PER_MEGAPIXEL * sum(film.image.size for film in films) / 1e6)
    cut = sorted(false, reverse=True)[allowed] if len(false) > allowed else -0.5
    return float(np.mean(np.array(reached) > cut))


def draws_of(detections: RankedDetections, plan: Resampling) -> npt.NDArray[np.float64]:
    """(R,) AP of each resample, NaN where it holds no recorded box."""
    values = (average_precision(detections, plan.image_weights(i)) for i in range(len(plan.counts)))
    return np.array([np.nan if value is None else value for value in values])


def measure(data: Path, weights: dict[str, Path], say: Callable[[str], object]) -> dict[str, Any]:
    """The figures of each set, network and way."""
    detectors = {name: Detector.load(path) for name, path in weights.items()}
    fusions = {name: fusion_in(path) for name, path in weights.items()}
    sets: dict[str, Callable[[], list[Film]]] = {"judging films": lambda: judging_films(data)}
    for set_name, (seed, mix) in SIMULATED.items():
        sets[set_name] = lambda seed=seed, mix=mix: simulated_films(seed, mix)  # type: ignore[misc]  # bound now
    result: dict[str, Any] = {}
    for set_name, make in sets.items():
        films = make()
        plan, reference = resample([film.name for film in films]), None
        rows = []
        for name, detector in detectors.items():
            sightings = [detector.look_at([Request(film.image, SCORE_FLOOR)])[0] for film in films]
            for way, found in ways_of(sightings, fusions[name]).items():
                at_half = ranked(films, found, 0.5)
                draws = draws_of(at_half, plan)
                reference = draws if reference is None else reference
                rows.append(
                    {
                        "network": name,
                        "way": way,
                        "ap50": _rounded(average_precision(at_half)),
                        "ap50_ci": _interval(draws, plan),
                        "difference_ci": None if draws is reference else _interval(draws - reference, plan),
                        "ap30": _rounded(average_precision(ranked(films, found, 0.3))),
                        "linear_recall": _rounded(linear_recall(films, found)),
                    }
                )
                say(f"{set_name}: {rows[-1]}")
        n_linear = sum(int(film.is_linear.sum()) for film in films)
        result[set_name] = {
            "n_films": len(films),
            "n_boxes": sum(len(film.boxes) for film in films),
            "n_linear": n_linear,
            "rows": rows,
        }
    return result


def processor_times(weights: Path) -> dict[str, float]:
    """Median processor time in ms of a detection on 768x572 px by one thread, with and without the outlines.

    The same trunk both times; how the fusion weighs changes nothing of the time.
    """
    torch.set_num_threads(1)
    network, _ = read_network(weights)
    plain = IndicationNetwork(replace(network.config, has_mask=False))
    plain.load_state_dict(network.state_dict(), strict=False)
    weighed = Fusion((0.5, 0.5, 0, 0, 0), (1, 0, 0, 0, 0), (0, 1, 0, 0, 0))
    device = torch.device("cpu")
    detectors = {
        "boxes": Detector(plain, Polarity.FILM, device),
        "both": Detector(network, Polarity.FILM, device, fusion=weighed),
    }
    images = [
        normalise(simulate_weld(seed, SimulationConfig(height_px=572, width_px=768)).pixels)
        for seed in range(REPEATS)
    ]
    times: dict[str, list[float]] = {name: [] for name in detectors}
    for image in images:
        for name, detector in detectors.items():
            began = time.process_time()
            detector.detect(image)
            times[name].append(1000 * (time.process_time() - began))
    return {name: round(statistics.median(taken), 1) for name, taken in times.items()}


def _interval(draws: npt.NDArray[np.float64], plan: Resampling) -> list[float] | None:
    interval = expanded_interval(draws, plan.n_parts)
    return None if interval is None else [round(value, 3) for value in interval]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def main(arguments: Sequence[str]) -> int:
    """Measure the networks that are named and write the figures."""
    if len(arguments) < 2 or not all("=" in one for one in arguments[1:]):
        sys.stderr.write(f"{__doc__}\n")
        return 2
    began = time.monotonic()
    weights = {name: Path(path) for name, path in (one.split("=", 1) for one in arguments[1:])}
    figures = measure(Path(arguments[0]), weights, lambda line: sys.stderr.write(f"{line}\n"))
    outlining = [path for path in weights.values() if read_network(path)[0].mask is not None]
    content = {
        "sets": figures,
        "processor_ms": processor_times(outlining[0]) if outlining else None,
        "seconds": round(time.monotonic() - began),
    }
    RESULT.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
