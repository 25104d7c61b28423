"""Maps of one box on the common grid of its window, and how far they agree."""

import itertools

import cv2
import numpy as np
from scipy.stats import spearmanr

from core.domain.detections import FloatArray
from core.domain.inspection import HeatMap
from core.explain.box_view import BoxView

#: All maps are smoothed alike before they are judged: with this share of the square root of the box's area.
SMOOTHED_SHARE, MIN_SMOOTHED_PX = 0.12, 1.0


def on_window(heat: HeatMap, around: BoxView) -> FloatArray:
    """(h, w) float32, the map's positive part in px of the view's window; 0 where it says nothing."""
    factor = round(1 / around.view.scale)
    rows, columns = around.window
    top, left = around.view.y0 + rows.start * factor, around.view.x0 + columns.start * factor
    height, width = (rows.stop - rows.start) * factor, (columns.stop - columns.start) * factor
    canvas = np.zeros((height, width), np.float32)
    y0, x0 = max(heat.y0, top), max(heat.x0, left)
    y1 = min(heat.y0 + heat.values.shape[0], top + height)
    x1 = min(heat.x0 + heat.values.shape[1], left + width)
    if y1 > y0 and x1 > x0:
        part = heat.values[y0 - heat.y0 : y1 - heat.y0, x0 - heat.x0 : x1 - heat.x0]
        canvas[y0 - top : y1 - top, x0 - left : x1 - left] = part.clip(min=0)
    if factor == 1:
        return canvas
    size = (columns.stop - columns.start, rows.stop - rows.start)
    shrunk: FloatArray = cv2.resize(canvas, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    return shrunk


def smoothed(values: FloatArray, around: BoxView) -> FloatArray:
    """The map as it is judged: every map and every baseline with the same blur."""
    side = float(np.sqrt(max(float((around.box[2:] - around.box[:2]).prod()), 1.0)))
    sigma = max(MIN_SMOOTHED_PX, SMOOTHED_SHARE * side)
    result: FloatArray = cv2.GaussianBlur(values, (0, 0), sigma).astype(np.float32)
    return result


def box_gaussian(around: BoxView) -> FloatArray:
    """(h, w) a Gaussian drawn on the box, a quarter of its sides as deviations: no model is asked."""
    rows, columns = around.window
    y, x = np.mgrid[rows, columns] + 0.5
    centre, half = (around.box[:2] + around.box[2:]) / 2, (around.box[2:] - around.box[:2]).clip(min=2) / 4
    result: FloatArray = np.exp(
        -0.5 * (((x - centre[0]) / half[0]) ** 2 + ((y - centre[1]) / half[1]) ** 2)
    ).astype(np.float32)
    return result


def edges(around: BoxView) -> FloatArray:
    """(h, w) the magnitude of the image's gradient (Sobel): no model is asked."""
    across, down = (cv2.Sobel(around.pixels, cv2.CV_32F, *order, ksize=3) for order in ((1, 0), (0, 1)))
    result: FloatArray = np.hypot(across, down)[around.window].astype(np.float32)
    return result


def random_field(around: BoxView, rng: np.random.Generator) -> FloatArray:
    """(h, w) noise in 0..1, smooth once it is judged."""
    rows, columns = around.window
    return rng.random((rows.stop - rows.start, columns.stop - columns.start), np.float32)


def rank_correlation(one: FloatArray, other: FloatArray) -> float:
    """Spearman's, over the px of a window; 0 where a map is even."""
    if one.std() <= 0 or other.std() <= 0:
        return 0.0
    return float(spearmanr(one.ravel(), other.ravel()).statistic)


def top_overlap(one: FloatArray, other: FloatArray, count: int) -> float:
    """Intersection over union of the `count` highest px of both maps."""
    tops = [set(np.argsort(-values, axis=None, kind="stable")[:count].tolist()) for values in (one, other)]
    return len(tops[0] & tops[1]) / max(len(tops[0] | tops[1]), 1)


def consensus(maps: list[FloatArray], count: int) -> tuple[float, float] | None:
    """Mean rank correlation, and mean overlap of the highest `count` px, over all pairs; None below two.

    From the maps alone, never from the model's confidence.
    """
    pairs = list(itertools.combinations(maps, 2))
    if not pairs:
        return None
    return (
        float(np.mean([rank_correlation(one, other) for one, other in pairs])),
        float(np.mean([top_overlap(one, other, count) for one, other in pairs])),
    )
