"""Windowed perturbation: the slow reference, which asks the network as it detects and needs no gradient."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from core.domain.detections import Detections, FloatArray
from core.domain.errors import WorkbenchError
from core.domain.explanations import Fill
from core.domain.inspection import HeatMap
from core.engine.detector import Detector
from core.explain.box_view import BoxView
from core.explain.placement import place_view

#: Masks of a map on demand, and of the reference that a version is measured with.
MASKS, REFERENCE_MASKS = 400, 2000
#: Cells of a mask along the longer side of the window, and the chance that one shows what is there.
_CELLS, _KEPT = 8, 0.5
#: Masks between two readings of how far it has come.
_ROUND = 40


class CancelledError(WorkbenchError):
    """Whoever asked does not want the map any more."""


@dataclass(frozen=True, slots=True, eq=False)
class Perturbed:
    """A map by perturbation.

    Attributes:
        heat_map: signed.
        masks: that were read.
        convergence: reliability of the map, the correlation of its two halves stepped up by Spearman-Brown;
            1 is reached when more masks would change nothing.
    """

    heat_map: HeatMap
    masks: int
    convergence: float


def explain_box_perturbed(
    detector: Detector,
    image: FloatArray,
    detections: Detections,
    index: int,
    *,
    seed: int,
    masks: int = MASKS,
    progress: Callable[[float, float], bool] = lambda _share, _convergence: True,
) -> Perturbed:
    """How the score of one detection hangs on each part of a window around it.

    D-RISE (Petsiuk et al. 2021, arXiv 2006.03204) with four differences: masks vary within a window of the
    box and a quarter of its longer side around it, not over the image; hidden parts show their own background
    instead of black; masks come in pairs of opposites, which halves the noise of a linear effect; a mask
    weighs its score less the mean score, so that the map is signed and an even one is zero. The similarity
    of boxes is left out: the score is that at the place of the box.

    Args:
        detector: runs as it detects.
        image: (H, W) float32, normalised for this detector.
        detections: of that image.
        index: of the detection.
        seed: of the masks and of the noise in the background.
        masks: how many are read, at least four.
        progress: told the share that is done and the convergence so far; False stops it.

    Raises:
        IndexError: when there is no such detection.
        ValueError: when its window covers the whole image.
        CancelledError: when `progress` said so.
    """
    around = BoxView(detector, image, detections, index)
    window = around.window
    background = around.without(Fill.THIN_PLATE, window, seed=seed)
    rng = np.random.default_rng(seed)
    shape = (window[0].stop - window[0].start, window[1].stop - window[1].start)
    sums = [_Half(shape), _Half(shape)]
    done = 0
    while done < masks:
        now = min(_ROUND, masks - done)
        drawn = [mask for _ in range((now + 1) // 2) for mask in _pair(shape, rng)][:now]
        scores = around.scores(_mixed(around, background, window, drawn))
        for number, (mask, score) in enumerate(zip(drawn, scores, strict=True)):
            sums[number // 2 % 2].add(mask, float(score))
        done += now
        if not progress(done / masks, _agreement(*sums)):
            raise CancelledError("the map was not wanted any more")
    values = np.zeros(around.pixels.shape, np.float32)
    values[window] = sums[0].effect() + sums[1].effect()
    heat = place_view(values, around.view, window, image.shape, is_signed=True)
    return Perturbed(heat, done, _agreement(*sums))


class _Half:
    """Running sums over one half of the masks: their number does not matter for the memory."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._n, self._score = 0, 0.0
        self._shown, self._weighted = np.zeros(shape, np.float64), np.zeros(shape, np.float64)

    def add(self, mask: FloatArray, score: float) -> None:
        """One more mask (h, w) in 0..1 and its score."""
        self._n += 1
        self._score += score
        self._shown += mask
        self._weighted += score * mask

    def effect(self) -> FloatArray:
        """(h, w) covariance of the score with what each px showed."""
        n = max(self._n, 1)
        effect: FloatArray = (self._weighted / n - self._score / n * self._shown / n).astype(np.float32)
        return effect


def _agreement(one: _Half, other: _Half) -> float:
    a, b = one.effect().ravel(), other.effect().ravel()
    if a.std() <= 0 or b.std() <= 0:
        return 0.0
    r = float(np.corrcoef(a, b)[0, 1])
    return 2 * r / (1 + r) if r > 0 else 0.0


def _pair(shape: tuple[int, int], rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """A smooth random mask (h, w) in 0..1, at a random shift of its grid, and its opposite."""
    cell = max(shape) / _CELLS
    grid = [int(np.ceil(length / cell)) + 1 for length in shape]
    coarse = (rng.random(grid) < _KEPT).astype(np.float32)
    size = [round(n * cell) for n in grid]
    fine = cv2.resize(coarse, (max(size[1], 1), max(size[0], 1)), interpolation=cv2.INTER_LINEAR)
    top, left = (
        int(rng.integers(0, max(1, have - want + 1))) for have, want in zip(size, shape, strict=True)
    )
    mask: FloatArray = np.ascontiguousarray(fine[top : top + shape[0], left : left + shape[1]])
    if mask.shape != shape:
        mask = cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32)
    return mask, np.float32(1) - mask


def _mixed(
    around: BoxView, background: FloatArray, window: tuple[slice, slice], masks: list[FloatArray]
) -> Iterator[FloatArray]:
    """The view once for each mask: where it is 1 what is there, where it is 0 the background."""
    there, behind = around.pixels[window], background[window]
    for mask in masks:
        version = around.pixels.copy()
        version[window] = mask * there + (1 - mask) * behind
        yield version
