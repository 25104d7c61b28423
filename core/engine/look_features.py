"""What an indication looks like, as numbers: shape, contrast, place, neighbours, class shares, the toe."""

import math

import cv2
import numpy as np
import numpy.typing as npt

from core.domain.detections import Detections, FloatArray
from core.domain.outline import Outline
from core.engine.seam_view import VIEW_HEIGHT, VIEW_WIDTH, Seam, SeamView, seam_views
from core.engine.toe_features import TOE_FEATURES, toe_features

#: Neighbours count up to this distance between middles, px.
NEAR_PX = 300.0
#: Only neighbours of at least this score count, so that what is reported below it changes nothing.
NEAR_SCORE = 0.2
#: A part of the indication reaches this share of its strongest contrast.
_PART = 0.4
_SMALLEST_SHARE = 0.005
#: Columns beside the box that tell what the row looks like without the indication, px of the picture.
_BESIDE = 40

FEATURES = (
    "log_along", "log_across", "log_ratio", "log_shrink",
    "is_seam_known", "offset", "nearest_edge", "reach", "log_half_width",
    "dark", "bright", "sign", "contrast", "noise", "step_across", "step_along",
    "share", "part_ratio", "part_turn", "part_solid", "part_thin", "part_count", "bend",
    "coherence", "direction", "peak_width",
    "has_outline", "outline_ratio", "outline_turn", "outline_thin", "outline_share", "outline_log_width",
    "near", "near_small", "near_aligned", "near_linear",
    "score", "class_1", "class_2", "class_3", "class_4", "class_5", "class_6",
    *TOE_FEATURES,
)  # fmt: skip


def look_features(image: FloatArray, found: Detections, seam: Seam) -> FloatArray:
    """(N, F) float32, the `FEATURES` of each detection on a normalised image in film polarity.

    Args:
        image: (H, W) float32, more metal is brighter.
        found: with class shares.
        seam: of the image.

    Raises:
        ValueError: when the detections bear no class shares.
    """
    if found.class_shares is None:
        raise ValueError("the second stage needs the class shares of the first")
    if not len(found):
        return np.zeros((0, len(FEATURES)), np.float32)
    views = seam_views(image, found.boxes, seam)
    outlines = found.outlines or (None,) * len(found)
    shown = np.array([_shape(view) for view in views])
    placed = np.array([_place(view) for view in views])
    drawn = np.array([_outline(one, view) for one, view in zip(outlines, views, strict=True)])
    said = (
        np.column_stack((found.scores, found.class_shares))
        .astype(np.float64)
        .clip(_SMALLEST_SHARE, 1 - _SMALLEST_SHARE)
    )
    near, toes = _neighbours(found.boxes, found.scores), toe_features(image, found.boxes, seam)
    parts = (placed, shown, drawn, near, np.log(said / (1 - said)), toes)
    return np.concatenate(parts, axis=1).astype(np.float32)


def _place(view: SeamView) -> tuple[float, ...]:
    place, along, across = view.place, max(view.along_px, 1.0), max(view.across_px, 1.0)
    is_known = place.half_width_px > 0
    half = max(place.half_width_px, 1.0)
    return (
        math.log(along),
        math.log(across),
        math.log(along / across),
        math.log(view.px_per_px),
        float(is_known),
        min(abs(place.offset), 3.0),
        min(abs(abs(place.offset) - 1), 2.0) if is_known else 1.0,
        min(across / 2 / half, 2.0) if is_known else 0.0,
        math.log(half) if is_known else 4.5,
    )


def _shape(view: SeamView) -> tuple[float, ...]:
    picture = view.picture
    half_x = min(view.along_px / view.px_per_px / 2 + 2, VIEW_WIDTH / 2 - 8)
    half_y = min(view.across_px / view.px_per_px / 2 + 2, VIEW_HEIGHT / 2 - 4)
    left, right = int(VIEW_WIDTH / 2 - half_x), math.ceil(VIEW_WIDTH / 2 + half_x)
    top, bottom = int(VIEW_HEIGHT / 2 - half_y), math.ceil(VIEW_HEIGHT / 2 + half_y)
    beside = np.concatenate(
        (picture[:, max(0, left - _BESIDE) : left], picture[:, right : right + _BESIDE]), axis=1
    )
    rows = np.median(beside, axis=1).astype(np.float32)
    # the bead looks the same along the seam, so what lies beside the box tells what its rows would be
    noise = float(np.median(np.abs(beside - rows[:, None])) * 1.4826) + 1e-3
    smooth = np.asarray(cv2.GaussianBlur(picture - rows[:, None], (3, 3), 0), np.float32)
    change: FloatArray = smooth[top:bottom, left:right]
    dark, bright = float(np.quantile(-change, 0.98)), float(np.quantile(change, 0.98))
    sum_dark, sum_bright = float(-change[change < -noise].sum()), float(change[change > noise].sum())
    sign = (sum_dark - sum_bright) / max(sum_dark + sum_bright, 1e-6)
    is_dark = dark >= bright
    strength = -change if is_dark else change
    peak = max(dark, bright, 1e-4)
    mask = strength > _PART * peak
    steps = _steps(picture, top, bottom, left, right)
    return (
        _logged(dark / noise),
        _logged(bright / noise),
        sign,
        math.log(peak + 1e-4),
        math.log(noise),
        *steps,
        float(mask.mean()),
        *_largest(mask, strength),
        *_texture(picture[top:bottom, left:right]),
        _peak_width(strength, view.px_per_px),
    )


def _logged(value: float) -> float:
    return math.log(max(value, 0.05))


def _steps(picture: FloatArray, top: int, bottom: int, left: int, right: int) -> tuple[float, float]:
    """Contrast between both sides of the box across and along the seam: an edge parts light from dark."""
    above, below = picture[max(0, top - 8) : top, left:right], picture[bottom : bottom + 8, left:right]
    before, after = picture[top:bottom, max(0, left - 8) : left], picture[top:bottom, right : right + 8]
    return (
        abs(float(above.mean()) - float(below.mean())) if above.size and below.size else 0.0,
        abs(float(before.mean()) - float(after.mean())) if before.size and after.size else 0.0,
    )


def _largest(mask: npt.NDArray[np.bool_], strength: FloatArray) -> tuple[float, ...]:
    """Ratio, turn against the seam, solidity and thinness of the strongest part; count of parts; bend."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    if count < 2:
        return 0.0, 0.0, 1.0, 0.0, 0.0, 0.0
    sums = np.bincount(labels.ravel(), weights=strength.ravel().astype(np.float64))
    sums[0] = -1
    part = labels == int(np.argmax(sums))
    rows, columns = np.nonzero(part)
    points = np.stack([columns, rows], axis=1).astype(np.float32)
    (ratio, turn, length), solid = _rectangle(points), 1.0
    if len(points) > 4:
        hull = cv2.convexHull(points)
        solid = len(points) / max(float(cv2.contourArea(hull)) + cv2.arcLength(hull, True) / 2 + 1, 1.0)
    thin = math.log(max(length, 1.0) ** 2 / len(points))
    many = math.log(count - 1)
    return math.log(ratio), turn, solid, thin, many, _bend(points, turn, length)


def _rectangle(points: FloatArray) -> tuple[float, float, float]:
    """Ratio of the sides of the narrowest rectangle, its turn against the seam 0..1, and its length."""
    _, (w, h), angle = cv2.minAreaRect(points)
    length, width = max(w, h) + 1, min(w, h) + 1
    degrees = angle if w >= h else angle + 90
    turn = abs(((degrees + 90) % 180) - 90) / 90
    return length / width, turn if length > 1.3 * width else 0.3, length


def _bend(points: FloatArray, turn: float, length: float) -> float:
    """How far the middle of the part swerves from a straight line, as share of its length."""
    axis = 0 if turn < 0.5 else 1
    along, across = points[:, axis].astype(int), points[:, 1 - axis]
    along -= along.min()
    n = np.bincount(along)
    middle = (np.bincount(along, weights=across) / np.maximum(n, 1))[n > 0]
    if len(middle) < 4:
        return 0.0
    x = np.flatnonzero(n > 0)
    slope, start = np.polyfit(x, middle, 1)
    return float(np.std(middle - slope * x - start) / max(length, 4.0))


def _texture(inside: FloatArray) -> tuple[float, float]:
    """Coherence of the gradients 0..1, and how far they run across the seam, -1..1."""
    if min(inside.shape) < 3:
        return 0.0, 0.0
    smooth = cv2.GaussianBlur(inside, (0, 0), 1.0)
    dy, dx = np.gradient(smooth)
    xx, yy, xy = float((dx * dx).mean()), float((dy * dy).mean()), float((dx * dy).mean())
    total = xx + yy + 1e-9
    return math.sqrt((xx - yy) ** 2 + 4 * xy * xy) / total, (yy - xx) / total


def _peak_width(strength: FloatArray, px_per_px: float) -> float:
    """Log of the width at half of the contrast, px of the image: the median over the length."""
    axis = 0 if strength.shape[1] >= strength.shape[0] else 1
    tops = strength.max(axis=axis)
    wide = (strength > 0.5 * np.expand_dims(tops, axis)).sum(axis=axis)
    strong = tops > 0.3 * tops.max()
    return math.log(max(float(np.median(wide[strong])) * px_per_px, 1.0)) if strong.any() else 0.0


def _outline(one: Outline | None, view: SeamView) -> tuple[float, ...]:
    if one is None:
        return 0.0, 0.0, 0.3, 0.0, 0.0, 0.0
    turn = abs(((one.angle_deg - math.degrees(view.place.angle) + 90) % 180) - 90) / 90
    return (
        1.0,
        math.log(one.length_px / one.width_px),
        turn if one.length_px > 1.3 * one.width_px else 0.3,
        math.log(one.length_px**2 / one.area_px),
        min(one.area_px / max(view.along_px * view.across_px, 1.0), 2.0),
        math.log(one.width_px),
    )


def _neighbours(boxes: FloatArray, scores: FloatArray) -> npt.NDArray[np.float64]:
    """(N, 4) neighbours of each box by their scores: all, smaller, in line with it, elongated ones."""
    middle, size = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]).clip(min=1)
    away = middle[None] - middle[:, None]
    is_near = np.hypot(away[..., 0], away[..., 1]) < NEAR_PX + size.max(axis=1)[:, None] / 2
    np.fill_diagonal(is_near, False)
    weight = is_near * np.where(scores >= NEAR_SCORE, scores, 0.0)[None]
    longer = size.max(axis=1)
    is_small = longer[None] < 0.7 * longer[:, None]
    is_aligned = np.abs(away[..., 1]) < np.maximum(size[:, 1], 12.0)[:, None]
    is_linear = (longer >= 3 * size.min(axis=1))[None]
    counted = (weight, weight * is_small, weight * is_aligned, weight * is_linear)
    result: npt.NDArray[np.float64] = np.log1p(np.stack([one.sum(axis=1) for one in counted], axis=1))
    return result
