"""Where the part to be judged lies on a radiograph: the seam of a weld, the outline of a casting.

Both answer None rather than guess. They work on a small copy, so they take milliseconds on a long film.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from core.domain.kinds import Family
from core.domain.radiograph import Polarity
from core.domain.zone import Point, Zone

Grey = npt.NDArray[np.floating]
Strips = npt.NDArray[np.float64]

#: Longer side of the small copy, px, and the pieces along a weld that are looked at one by one.
_SIDE_PX, _PIECES = 640, 16
#: The seam takes between these shares of the picture's height.
_THINNEST, _THICKEST = 0.04, 0.8
#: Beside the seam so much of its width is plate that it is compared with.
_FLANK = 0.35
_CANDIDATES, _TRIED, _ALIKE_PX = 24, 4000, 4
#: Cost of a step between pieces, as share of the contrast, when both edges move by the whole height.
_STIFFNESS = 8.0
#: The seam must stand out by so many standard deviations in this share of the pieces.
_LEAST_CONTRAST, _LEAST_PIECES = 0.45, 0.8
#: Another strip beside it that stands out nearly as well leaves open which one is the seam.
_RIVAL = 0.8
#: Of an ellipse both strips stand out by `_LEAST_CONTRAST` and a third one by at most this share of the
#: weaker one, as medians over the pieces; in so many pieces the weaker one still shows.
_ELLIPSE_RIVAL, _ELLIPSE_SHOWS, _ELLIPSE_PIECES = 0.5, 0.3, 0.6
#: A lead letter beside it that moves an edge lies on fewer pieces than half of so many.
_ELLIPSE_SMOOTHED = 5
#: Its toes fade, so that more is added on each side, of the width of one seam.
_ELLIPSE_MARGIN = 0.4
#: Toes and the plate next to them belong to the weld: so much of the width is added on each side.
_MARGIN = 0.2
#: Air is within this share of the range from the brightest, takes between these shares of the picture, and
#: differs from what lies beside it by this share of the range; the part is one piece but for a rest.
_MOST_POINTS = 120  # of an outline
_AIR_RANGE, _LEAST_AIR, _MOST_AIR, _LEAST_STEP, _LEAST_WHOLE = 0.08, 0.03, 0.85, 0.2, 0.9


def judged_zone(pixels: npt.NDArray[np.generic], family: Family, polarity: Polarity) -> Zone | None:
    """The seam of a weld, both seams of an ellipse, or the outline of a casting; None where none stands out.

    Args:
        pixels: (H, W), any depth; what is no number is taken for the lowest.
        family: of the part.
        polarity: of the pixels; unknown is taken for the usual one of the family.
    """
    if np.issubdtype(pixels.dtype, np.floating) and not _is_plain(pixels):
        plain = _plain(np.asarray(pixels, np.float64))
        if plain is None:
            return None
        pixels = plain
    is_casting = family is Family.CASTING
    if polarity is Polarity.UNKNOWN:
        polarity = Polarity.DIGITAL if is_casting else Polarity.FILM
    if is_casting:
        return part_zone(pixels, is_air_bright=polarity is Polarity.DIGITAL)
    is_bright = polarity is Polarity.FILM
    seam = weld_zone(pixels, is_weld_bright=is_bright)
    return ellipse_zone(pixels, is_weld_bright=is_bright) if seam is None else seam


def weld_zone(pixels: npt.NDArray[np.generic], *, is_weld_bright: bool) -> Zone | None:
    """The band of the seam along the longer side of the picture, with its toes; None when none stands out.

    In each piece along the weld the median profile across it is searched for the strip that is brightest
    against the plate on both of its sides; the strips that together are strong and steady are the seam.

    Args:
        pixels: (H, W), any depth.
        is_weld_bright: more metal is brighter, as on film.
    """
    height, width = pixels.shape
    is_upright = height > width
    small, scale = _small(pixels.T if is_upright else pixels)
    if small.shape[0] < 16 or small.shape[1] < 2 * _PIECES:
        return None
    spread = float(np.std(small))
    if spread == 0:
        return None
    edges, pieces = _cut((small if is_weld_bright else -small) / spread)
    chosen = _steadiest([_best(piece) for piece in pieces], small.shape[0])
    if chosen is None:
        return None
    strips, contrasts = chosen
    rivals = np.array([_rival(piece, strip) for piece, strip in zip(pieces, strips, strict=True)])
    if np.mean((contrasts >= _LEAST_CONTRAST) & (rivals < _RIVAL * contrasts)) < _LEAST_PIECES:
        return None
    margin = _MARGIN * (strips[:, 1] - strips[:, 0])
    return _band(strips, edges, small.shape, scale, (width, height), margin, is_upright=is_upright)


def ellipse_zone(pixels: npt.NDArray[np.generic], *, is_weld_bright: bool) -> Zone | None:
    """Both seams of a tube that was exposed through two walls, and what lies between; None for no ellipse.

    The film lies along the tube, so the seams run across the picture's longer side, next to each other. Two
    strips along that side are the walls of a tube instead.

    Args:
        pixels: (H, W), any depth.
        is_weld_bright: more metal is brighter, as on film.
    """
    height, width = pixels.shape
    is_upright = height <= width  # the seams run along the shorter side
    small, scale = _small(pixels.T if is_upright else pixels, _SIDE_PX // 2)
    spread = float(np.std(small)) if min(small.shape) >= 2 * _PIECES else 0.0
    if not spread > 0:
        return None
    edges, pieces = _cut((small if is_weld_bright else -small) / spread)
    one = _steadiest([_best(piece) for piece in pieces], small.shape[0])
    if one is None or np.median(one[1]) < _LEAST_CONTRAST:
        return None
    beside = [_apart(piece, strip) for piece, strip in zip(pieces, one[0], strict=True)]
    two = _steadiest([_best(piece) for piece in beside], small.shape[0])
    if two is None:
        return None
    third = [_rival(_apart(p, b), a) for p, a, b in zip(pieces, one[0], two[0], strict=True)]
    weaker = np.minimum(one[1], two[1])
    if np.median(weaker) < _LEAST_CONTRAST or np.median(third) > _ELLIPSE_RIVAL * np.median(weaker):
        return None
    shows = np.flatnonzero(weaker >= _ELLIPSE_SHOWS)
    if len(shows) < _ELLIPSE_PIECES * len(pieces):
        return None
    both = np.stack([one[0], two[0]])
    place = np.arange(len(pieces))
    # where the seams meet or fade, towards the ends of the film, the edges go on as they were beside it
    first, last = (
        np.interp(place, shows, edge[shows]) for edge in (both[..., 0].min(0), both[..., 1].max(0))
    )
    around = np.stack([_smoothed(first), _smoothed(last)], axis=1)
    margin = _ELLIPSE_MARGIN * float(np.median(both[:, :, 1] - both[:, :, 0]))
    return _band(around, edges, small.shape, scale, (width, height), margin, is_upright=is_upright)


def part_zone(pixels: npt.NDArray[np.generic], *, is_air_bright: bool) -> Zone | None:
    """The outline of the part against air; None when no air is seen or nothing tells it from the part.

    Args:
        pixels: (H, W), any depth.
        is_air_bright: less metal is brighter, as on digital detectors.
    """
    small, scale = _small(pixels)
    grey = small if is_air_bright else -small
    low, high = np.percentile(grey, (0.5, 99.5))
    if high <= low:
        return None
    # air is flat and as bright as anything on the picture; a thin wall is not
    air = _touching_the_edge((grey - low) / (high - low) > 1 - _AIR_RANGE)
    if not _LEAST_AIR <= float(air.mean()) <= _MOST_AIR:
        return None
    part = cv2.dilate((~air).astype(np.uint8), np.ones((7, 7), np.uint8))
    beside = cv2.dilate(air.astype(np.uint8), np.ones((25, 25), np.uint8)).astype(bool) & ~air
    if np.median(grey[air]) - np.median(grey[beside]) < _LEAST_STEP * (high - low):
        return None
    outlines, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    largest = np.asarray(max(outlines, key=cv2.contourArea), np.int32)
    if cv2.contourArea(largest) < _LEAST_WHOLE * part.sum():
        return None
    points = _simplified(largest)
    if points is None:
        return None
    height, width = pixels.shape
    ends = np.array([small.shape[1] - 1, small.shape[0] - 1])
    full = np.where(points >= ends, [width, height], points * scale)
    return Zone(tuple((float(x), float(y)) for x, y in full))


def _is_plain(pixels: npt.NDArray[np.generic]) -> bool:
    """True of float32 values that differ, are all numbers, and lie within 0 to 1 or a little beyond."""
    if pixels.dtype != np.float32 or not pixels.size:
        return False
    low, high = float(np.min(pixels)), float(np.max(pixels))  # both no number where any is none
    return bool(-1 <= low < high <= 2)


def _plain(pixels: npt.NDArray[np.float64]) -> Grey | None:
    """The values from 0 to 1; None where all are alike or none is a number."""
    is_number = np.isfinite(pixels)
    if not is_number.any():
        return None
    low, high = float(pixels[is_number].min()), float(pixels[is_number].max())
    with np.errstate(over="ignore"):
        spread = high - low
    if not 0 < spread < np.inf:
        return None
    return ((np.where(is_number, pixels, low) - low) / spread).astype(np.float32)


def _small(pixels: npt.NDArray[np.generic], side_px: int = _SIDE_PX) -> tuple[Grey, float]:
    """A copy of so many px along at most, and the px of the picture per px of it."""
    height, width = pixels.shape
    scale = max(1.0, max(height, width) / side_px)
    size = max(1, round(width / scale)), max(1, round(height / scale))
    step = max(1, int(scale) // 4)  # every px is not needed for a mean of so many
    sampled = np.ascontiguousarray(pixels[::step, ::step]).astype(np.float32)
    return np.asarray(cv2.resize(sampled, size, interpolation=cv2.INTER_AREA), np.float32), scale


def _cut(small: Grey) -> tuple[npt.NDArray[np.int_], list[Strips]]:
    """The ends of the pieces along a small copy, and the strips of each."""
    edges = np.linspace(0, small.shape[1], _PIECES + 1).astype(int)
    return edges, [_strips(_profile(small[:, a:b])) for a, b in zip(edges[:-1], edges[1:], strict=True)]


def _profile(piece: Grey) -> Grey:
    """(H,) the median across a piece, smoothed: letters and flaws leave no trace in it."""
    profile = np.median(piece, axis=1).astype(np.float32)
    smooth = cv2.GaussianBlur(profile[:, None], (1, 9), 0, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(smooth[:, 0], np.float32)


def _strips(profile: Grey) -> Strips:
    """(n, 3) first, end and contrast of every strip: how far it stands out against both of its sides."""
    height = len(profile)
    total = np.concatenate([[0.0], np.cumsum(profile, dtype=np.float64)])
    first, end = np.triu_indices(height + 1, k=max(2, round(_THINNEST * height)))
    is_fair = (end - first <= _THICKEST * height) & (first >= 2) & (end <= height - 2)
    first, end = first[is_fair], end[is_fair]
    flank = np.maximum(3, np.round(_FLANK * (end - first)).astype(int))
    above, below = np.maximum(0, first - flank), np.minimum(height, end + flank)
    inside = (total[end] - total[first]) / (end - first)
    contrast = inside - np.maximum(
        (total[first] - total[above]) / (first - above), (total[below] - total[end]) / (below - end)
    )
    return np.stack([first, end, contrast], axis=1)


def _best(strips: Strips) -> Strips:
    """(m, 3) those that stand out most and differ, the best one first."""
    tried = strips[np.argsort(-strips[:, 2])[:_TRIED]]
    is_left = np.ones(len(tried), np.bool_)
    kept: list[npt.NDArray[np.float64]] = []
    while is_left.any() and len(kept) < _CANDIDATES:
        best = tried[np.argmax(is_left)]
        kept.append(best)
        is_left &= np.abs(tried[:, :2] - best[:2]).sum(axis=1) > _ALIKE_PX
    return np.array(kept).reshape(-1, 3)


def _rival(strips: Strips, chosen: npt.NDArray[np.float64]) -> float:
    """The contrast of the best strip that does not overlap with the chosen one; -inf without one."""
    return float(_apart(strips, chosen)[:, 2].max(initial=-np.inf))


def _smoothed(edge: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The median of each place and its neighbours."""
    around = np.pad(edge, _ELLIPSE_SMOOTHED // 2, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(around, _ELLIPSE_SMOOTHED)
    return np.asarray(np.median(windows, axis=1), np.float64)


def _apart(strips: Strips, chosen: npt.NDArray[np.float64]) -> Strips:
    """Those that do not overlap with the chosen one."""
    result: Strips = strips[(strips[:, 0] >= chosen[1]) | (strips[:, 1] <= chosen[0])]
    return result


def _steadiest(
    candidates: Sequence[Strips], height: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None:
    """One strip of each piece, (n, 2) edges, and their contrasts (n,): strong ones that move little."""
    if not all(len(one) for one in candidates):
        return None
    best, came = candidates[0][:, 2], []
    for before, now in zip(candidates[:-1], candidates[1:], strict=True):
        moved = np.abs(now[:, None, :2] - before[None, :, :2]).sum(axis=2) / height
        reached = best[None, :] - _STIFFNESS * moved
        came.append(np.argmax(reached, axis=1))
        best = np.max(reached, axis=1) + now[:, 2]
    at, chosen = int(np.argmax(best)), []
    for place, piece in reversed(list(enumerate(candidates))):
        chosen.append(piece[at])
        at = int(came[place - 1][at]) if place else at
    found = np.array(chosen[::-1])
    return found[:, :2], found[:, 2]


def _band(
    strips: npt.NDArray[np.float64],
    edges: npt.NDArray[np.int_],
    small: tuple[int, ...],
    scale: float,
    size: tuple[int, int],
    margin: float | npt.NDArray[np.float64],
    *,
    is_upright: bool,
) -> Zone:
    """The zone through the middles of the pieces, from one end of the picture to the other."""
    width, height = size
    length, breadth = (height, width) if is_upright else (width, height)
    first = np.clip((strips[:, 0] - margin) * scale, 0, breadth)
    last = np.clip((strips[:, 1] + margin) * scale, 0, breadth)
    along = (edges[:-1] + edges[1:]) / 2 / small[1] * length
    along[0], along[-1] = 0, length
    one = list(zip(along, first, strict=True))
    other = list(zip(along[::-1], last[::-1], strict=True))
    points: list[Point] = [(float(x), float(y)) for x, y in one + other]
    return Zone(tuple((y, x) for x, y in points) if is_upright else tuple(points), is_band=True)


def _touching_the_edge(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The regions of the mask that reach the edge of the picture: holes in the part are not air around it."""
    _, labels = cv2.connectedComponents(mask.astype(np.uint8))
    rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return np.isin(labels, np.unique(rim[rim > 0]))


def _simplified(outline: npt.NDArray[np.int32]) -> npt.NDArray[np.int32] | None:
    """(n, 2) the outline with few points, None when hardly any area is left."""
    for tolerance in (2.0, 4.0, 8.0, 16.0):
        points = np.asarray(cv2.approxPolyDP(outline, tolerance, closed=True)[:, 0, :], np.int32)
        if len(points) <= _MOST_POINTS:
            return points if len(points) >= 3 else None
    return None
