"""Outlines for recorded boxes that came without one: what differs from its surroundings within the box."""

import cv2
import numpy as np
import numpy.typing as npt

from core.training.mask_target import OutlinedPiece

#: An outline encloses what reaches this share of the strongest difference.
CONTRAST_SHARE = 0.4
#: So many px around a box, or this share of its shorter side, say what lies beneath the flaw.
_LEAST_RING_PX, _RING_SHARE = 6, 0.6
#: Values further from the fitted surface than so many times the noise are no background.
_OUTLIER = 2.5
_ROUNDS = 4
_LEAST_RING = 20
#: The strongest difference: so many per cent of the box lie below it.
_PEAK_PERCENTILE = 95
#: An outline is taken when its flaw stands so many times the noise above the surroundings, ...
_LEAST_CONTRAST_TO_NOISE = 1.2
#: ... holds this share of what reaches the limit, spans this share of the box, is as full as this against its
#: convex hull, and runs along the edge of the box for at most this share of its length.
_LEAST_LARGEST, _LEAST_SPAN, _LEAST_FULL, _MOST_ON_EDGE = 0.8, 0.25, 0.75, 0.15

Plane = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


def outline_in(pixels: Plane, box: npt.NDArray[np.float32]) -> OutlinedPiece | None:
    """The outline of the one compact flaw that a box was drawn around; None where none can be made out.

    The surroundings are a quadratic surface through a ring around the box, fitted without outliers. The flaw
    is the largest piece in the box that differs from it, lighter or darker, by `CONTRAST_SHARE` of the
    strongest difference. An edge of the part, a network of fine voids or noise gives no compact piece that
    lies free within its box, and None.

    Args:
        pixels: (H, W) grey values, of any scale.
        box: xyxy px.
    """
    height, width = pixels.shape
    x1, y1, x2, y2 = (round(float(v)) for v in box)
    x1, y1, x2, y2 = max(x1, 0), max(y1, 0), min(x2, width), min(y2, height)
    if x2 <= x1 or y2 <= y1:
        return None
    ring = round(max(_LEAST_RING_PX, _RING_SHARE * min(x2 - x1, y2 - y1)))
    left, top = max(x1 - ring, 0), max(y1 - ring, 0)
    window = pixels[top : y2 + ring, left : x2 + ring].astype(np.float32)
    is_inside = np.zeros(window.shape, np.bool_)
    is_inside[y1 - top : y2 - top, x1 - left : x2 - left] = True
    if (~is_inside).sum() < _LEAST_RING:
        return None
    surface, noise = _surface(window, ~is_inside)
    difference = cv2.GaussianBlur(window - surface, (0, 0), 1.0)[y1 - top : y2 - top, x1 - left : x2 - left]
    lighter, darker = (float(np.percentile(sign * difference, _PEAK_PERCENTILE)) for sign in (1, -1))
    peak = max(lighter, darker)
    if peak < _LEAST_CONTRAST_TO_NOISE * noise or peak <= 0:
        return None
    reaching = (difference if lighter >= darker else -difference) > CONTRAST_SHARE * peak
    return _compact(reaching, (x1, y1))


def _surface(window: Plane, is_known: Mask) -> tuple[npt.NDArray[np.float64], float]:
    """The quadratic surface through the known pixels, and the noise around it."""
    rows, columns = np.mgrid[0 : window.shape[0], 0 : window.shape[1]].astype(np.float64)
    y, x = rows / window.shape[0] - 0.5, columns / window.shape[1] - 0.5
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1).reshape(-1, 6)
    values, known = window.ravel().astype(np.float64), is_known.ravel()
    used, noise = known, 0.0
    fitted = np.zeros_like(values)
    for _ in range(_ROUNDS):
        weights, *_ = np.linalg.lstsq(terms[used], values[used], rcond=None)
        fitted = terms @ weights
        rest = np.abs(values - fitted)
        noise = 1.4826 * float(np.median(rest[used]))
        closer = known & (rest <= _OUTLIER * noise)
        if closer.sum() < _LEAST_RING:
            break
        used = closer
    return fitted.reshape(window.shape), noise


def _compact(reaching: Mask, corner: tuple[int, int]) -> OutlinedPiece | None:
    """The largest piece of a box whose first pixel is at `corner` (column, row), if compact and free."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(reaching.astype(np.uint8), connectivity=8)
    if count < 2:
        return None
    label = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    left, top, width, height, area = (int(v) for v in stats[label])
    mask = labels[top : top + height, left : left + width] == label
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = contours[0][:, 0]
    hull = cv2.convexHull(points)
    # a hull of centres of pixels reaches half a pixel further on all sides
    hull_area = cv2.contourArea(hull) + cv2.arcLength(hull, closed=True) / 2 + 1
    x, y = points[:, 0] + left, points[:, 1] + top
    is_on_edge = (x == 0) | (y == 0) | (x == reaching.shape[1] - 1) | (y == reaching.shape[0] - 1)
    is_taken = (
        area >= _LEAST_LARGEST * stats[1:, cv2.CC_STAT_AREA].sum()
        and width * height >= _LEAST_SPAN * reaching.size
        and area >= _LEAST_FULL * hull_area
        and is_on_edge.mean() <= _MOST_ON_EDGE
    )
    return OutlinedPiece((corner[0] + left, corner[1] + top), mask) if is_taken else None
