"""Examples for the second stage: reports on simulated welds, virtual flaws and recorded films."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from core.domain.detections import FloatArray
from core.domain.radiograph import Polarity
from core.engine.detector import Detector
from core.engine.look_features import FEATURES, look_features
from core.engine.seam_view import seam_of
from core.engine.second_stage import LOOKS, Look
from core.imaging.normalise import normalise
from core.imaging.read import read_radiograph_file
from core.labelling.film_cells import FilmRecord
from core.simulate.config import SimulationConfig
from core.simulate.kinds import FlawKind, mix_with
from core.simulate.render import simulate_weld
from core.simulate.truth import SimulatedFlaw
from core.simulate.virtual import superpose_flaws
from core.training.virtual import free_stretches

log = logging.getLogger(__name__)
#: Weaker reports are no examples.
LEAST_SCORE = 0.16
#: All looks have to be learnt, whatever their frequency in welds.
MIX = {
    "gas pore": 3, "uniform porosity": 0.4, "clustered porosity": 0.8, "linear porosity": 1,
    "elongated cavity": 2, "wormhole": 2,
    "longitudinal crack": 3, "transverse crack": 3, "slag inclusion": 3, "slag line": 2.5,
    "tungsten inclusion": 3, "lack of penetration": 3, "lack of fusion": 3, "undercut": 3,
}  # fmt: skip
_FLAW_GROUPS, _WIDTH_PX = 16.0, 1400
_MM_PER_PX = 0.0403
#: A report is of a flaw whose outline, cut off at the box, takes this share of it.
_LEAST_FIT = 0.35
#: Slag at least so many times as long as wide is a line.
_LINE_RATIO = 3.0

_LOOK_OF_KIND = {
    FlawKind.LONGITUDINAL_CRACK: Look.CRACK,
    FlawKind.TRANSVERSE_CRACK: Look.CRACK,
    FlawKind.LACK_OF_FUSION: Look.LACK_OF_FUSION,
    FlawKind.LACK_OF_PENETRATION: Look.LACK_OF_PENETRATION,
    FlawKind.UNDERCUT: Look.UNDERCUT,
    FlawKind.TUNGSTEN_INCLUSION: Look.TUNGSTEN,
}


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Reports of a detector.

    Attributes:
        features: (N, F) float32, see `look_features`.
        looks: (N,) index into `LOOKS`, -1 where the report is of nothing known.
        boxes: (N, 4) float32 xyxy px.
        scores: (N,) float32.
        source: (N,) number of the image in `names`.
        names: of the images; virtual flaws bear the name of their film.
    """

    features: FloatArray
    looks: npt.NDArray[np.int64]
    boxes: FloatArray
    scores: FloatArray
    source: npt.NDArray[np.int64]
    names: tuple[str, ...]

    def take(self, is_kept: npt.NDArray[np.bool_]) -> "Examples":
        """The examples that are kept; the images keep their numbers."""
        return Examples(
            self.features[is_kept],
            self.looks[is_kept],
            self.boxes[is_kept],
            self.scores[is_kept],
            self.source[is_kept],
            self.names,
        )


def write_examples(path: Path, examples: Examples) -> None:
    """Write them as NumPy arrays."""
    np.savez_compressed(
        path,
        features=examples.features,
        looks=examples.looks,
        boxes=examples.boxes,
        scores=examples.scores,
        source=examples.source,
        names=np.array(examples.names),
    )


def read_examples(path: Path) -> Examples:
    """The examples that `write_examples` wrote."""
    with np.load(path, allow_pickle=False) as kept:
        names = tuple(str(name) for name in kept["names"])
        return Examples(kept["features"], kept["looks"], kept["boxes"], kept["scores"], kept["source"], names)


def joined(parts: Sequence[Examples]) -> Examples:
    """All examples of the parts, in order."""
    shift = np.cumsum([0, *(len(part.names) for part in parts)])[:-1]
    return Examples(
        np.concatenate([np.zeros((0, len(FEATURES)), np.float32), *(p.features for p in parts)]),
        np.concatenate([np.zeros(0, np.int64), *(p.looks for p in parts)]),
        np.concatenate([np.zeros((0, 4), np.float32), *(p.boxes for p in parts)]),
        np.concatenate([np.zeros(0, np.float32), *(p.scores for p in parts)]),
        np.concatenate([np.zeros(0, np.int64), *(p.source + n for p, n in zip(parts, shift, strict=True))]),
        tuple(name for part in parts for name in part.names),
    )


def simulated_examples(detector: Detector, *, seed: int, count: int) -> Iterator[Examples]:
    """Of each of `count` simulated welds from `seed` on."""
    config = SimulationConfig(width_px=_WIDTH_PX, mix=mix_with(MIX), flaw_groups=_FLAW_GROUPS)
    for number in range(seed, seed + count):
        made = simulate_weld(number, config)
        image = normalise(made.pixels, polarity=made.polarity, model_polarity=detector.polarity)
        yield _examples(detector, image, f"simulated {number}", made.truth)


def virtual_examples(
    detector: Detector, films: Sequence[FilmRecord], data_dir: Path, *, seed: int, variants: int
) -> Iterator[Examples]:
    """Of virtual flaws where nothing is recorded on the films; what is real there teaches nothing."""
    for film in films:
        free = [ends for ends in free_stretches(film) if ends[1] - ends[0] > 0]
        if not free:
            continue
        radiograph = read_radiograph_file(data_dir / film.file_name, polarity=Polarity.FILM)
        full = float((1 << radiograph.bit_depth) - 1)
        for _ in range(variants):
            rng = np.random.default_rng(seed)
            truth: list[SimulatedFlaw] = []
            seed += 1
            grey = radiograph.pixels.astype(np.float32) / np.float32(full)
            for columns in free:
                made = superpose_flaws(
                    grey,
                    rng,
                    mm_per_px=_MM_PER_PX,
                    columns=columns,
                    mix=mix_with(MIX),
                    flaw_groups=_FLAW_GROUPS,
                )
                grey, truth = made.grey, truth + list(made.truth)
            image = normalise(grey, polarity=Polarity.FILM, model_polarity=detector.polarity)
            yield _examples(detector, image, PurePosixPath(film.file_name).stem, truth)


def film_examples(detector: Detector, films: Sequence[FilmRecord], data_dir: Path) -> Iterator[Examples]:
    """Of each film as it is; no look is known, only the codes of its cells."""
    for film in films:
        radiograph = read_radiograph_file(data_dir / film.file_name, polarity=Polarity.FILM)
        image = normalise(radiograph.pixels, polarity=Polarity.FILM, model_polarity=detector.polarity)
        yield _examples(detector, image, PurePosixPath(film.file_name).stem, ())


def look_of(flaw: SimulatedFlaw) -> Look:
    """The look of a simulated flaw: slag is a line or not by its outline, the others by their kind."""
    if flaw.kind in (FlawKind.SLAG_INCLUSION, FlawKind.SLAG_LINE):
        length, width, _ = flaw.size_mm
        return Look.ELONGATED_SLAG if length >= _LINE_RATIO * width else Look.SLAG
    return _LOOK_OF_KIND.get(flaw.kind, Look.POROSITY)


def _examples(detector: Detector, image: FloatArray, name: str, truth: Sequence[SimulatedFlaw]) -> Examples:
    found = detector.detect(image, score_floor=LEAST_SCORE / 2).above(LEAST_SCORE)
    features = look_features(image, found, seam_of(image, detector.polarity))
    looks = matched_looks(found.boxes, truth)
    log.info("%s: %d reports, %d of known flaws", name, len(found), int((looks >= 0).sum()))
    return Examples(features, looks, found.boxes, found.scores, np.zeros(len(found), np.int64), (name,))


def matched_looks(boxes: FloatArray, truth: Sequence[SimulatedFlaw]) -> npt.NDArray[np.int64]:
    """(N,) index into `LOOKS` of the flaw that each box (N, 4) xyxy px reports, -1 for none.

    A box reports the flaw whose outline, cut off at the box, fills it best: a line may be reported in pieces,
    and a pore beside a crack lies in the box of the crack but not on it.
    """
    looks = np.full(len(boxes), -1, np.int64)
    best = np.full(len(boxes), _LEAST_FIT)
    for flaw in truth:
        if not flaw.visible:
            continue
        x1, y1, x2, y2 = (int(v) for v in flaw.bbox)
        is_met = (boxes[:, 0] < x2) & (boxes[:, 2] > x1) & (boxes[:, 1] < y2) & (boxes[:, 3] > y1)
        for box in np.flatnonzero(is_met):
            left, top = (max(int(v) - start, 0) for v, start in zip(boxes[box, :2], (x1, y1), strict=True))
            right, bottom = (
                int(np.ceil(v)) - start for v, start in zip(boxes[box, 2:], (x1, y1), strict=True)
            )
            fit = _fit(flaw.mask[top:bottom, left:right], boxes[box])
            if fit > best[box]:
                best[box], looks[box] = fit, LOOKS.index(look_of(flaw))
    return looks


def _fit(inside: npt.NDArray[np.bool_], box: FloatArray) -> float:
    """The share of the box that the rectangle around the part of the outline in it takes."""
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(rows):
        return 0.0
    taken = float((rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1))
    return taken / max(float((box[2:] - box[:2]).prod()), 1.0)
