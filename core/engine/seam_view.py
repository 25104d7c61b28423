"""Indications as seen along the seam: small pictures, turned and shrunk to show one and what lies around."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from core.domain.detections import FloatArray
from core.domain.radiograph import Polarity
from core.domain.zone import Zone
from core.imaging.zone import weld_zone

#: Height (across the seam) and width (along it) of a picture, px.
VIEW_HEIGHT, VIEW_WIDTH = 96, 256
#: An indication takes at most this much of each, px; longer ones are shrunk.
MOST_ACROSS, MOST_ALONG = 56.0, 168.0
#: The zone of a weld holds its toes and some plate; this share of its half width is weld metal.
_WELD_SHARE = 1 / 1.4


@dataclass(frozen=True, slots=True)
class SeamPlace:
    """Where a point lies in the weld.

    Attributes:
        angle: of the seam there, radians from the x axis towards the y axis.
        offset: signed distance from the middle of the seam in half widths of it; 0 where no seam is known.
        half_width_px: of the weld metal; 0 where no seam is known.
    """

    angle: float
    offset: float
    half_width_px: float


@dataclass(frozen=True, slots=True, eq=False)
class SeamView:
    """One indication as seen along the seam.

    Attributes:
        picture: (96, 256) float32, grey of the image, columns along the seam, the indication in the middle.
        px_per_px: px of the image per px of the picture, at least 1.
        along_px, across_px: extents of the box along and across the seam, px of the image.
        place: of its middle.
    """

    picture: FloatArray
    px_per_px: float
    along_px: float
    across_px: float
    place: SeamPlace


class Seam:
    """The seam of an image.

    Args:
        zone: the band of the weld; where none stands out the seam runs along the longer side of the image.
        size: width and height of the image, px.
    """

    def __init__(self, zone: Zone | None, size: tuple[int, int]) -> None:
        width, height = size
        self._is_upright = height > width
        self._stations: npt.NDArray[np.float64] | None = None
        if zone is not None and zone.is_band:
            points = np.array(zone.points)
            n = len(points) // 2
            along, across = (1, 0) if self._is_upright else (0, 1)
            first, last = points[:n], points[n:][::-1]
            self._stations = np.stack([first[:, along], first[:, across], last[:, across]])

    def at(self, x: float, y: float) -> SeamPlace:
        """The place of a point of the image, px."""
        turn = math.pi / 2 if self._is_upright else 0.0
        if self._stations is None:
            return SeamPlace(turn, 0.0, 0.0)
        along, across = (y, x) if self._is_upright else (x, y)
        where, one, other = self._stations
        middle, half = (one + other) / 2, np.abs(other - one) / 2 * _WELD_SHARE
        centre, half_width = float(np.interp(along, where, middle)), float(np.interp(along, where, half))
        step = max(1.0, float(where[-1] - where[0]) / (2 * len(where)))
        ends = np.interp([along - step, along + step], where, middle)
        run = min(along + step, where[-1]) - max(along - step, where[0])
        slope = math.atan2(float(ends[1] - ends[0]), max(run, 1.0))
        angle = turn - slope if self._is_upright else slope
        return SeamPlace(angle, (across - centre) / max(half_width, 1.0), half_width)


def seam_of(image: FloatArray, polarity: Polarity) -> Seam:
    """The seam of a normalised image (H, W) of that polarity."""
    zone = weld_zone(image, is_weld_bright=polarity is not Polarity.DIGITAL)
    return Seam(zone, (image.shape[1], image.shape[0]))


def seam_views(image: FloatArray, boxes: FloatArray, seam: Seam) -> list[SeamView]:
    """One view of each box (N, 4) xyxy px of a normalised image (H, W), whose border repeats beside it."""
    return [_view(image, box.astype(np.float64), seam) for box in boxes]


def _view(image: FloatArray, box: npt.NDArray[np.float64], seam: Seam) -> SeamView:
    x, y = float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2
    place = seam.at(x, y)
    width, height = float(box[2] - box[0]), float(box[3] - box[1])
    cos, sin = abs(math.cos(place.angle)), abs(math.sin(place.angle))
    # a box lies along the axes; the seam nearly does
    along, across = (width, height) if cos >= sin else (height, width)
    shrink = max(1.0, along / MOST_ALONG, across / MOST_ACROSS)
    return SeamView(_picture(image, x, y, place.angle, shrink), shrink, along, across, place)


def _picture(image: FloatArray, x: float, y: float, angle: float, shrink: float) -> FloatArray:
    height, width = image.shape
    cos, sin = math.cos(angle), math.sin(angle)
    reach_x = (abs(cos) * VIEW_WIDTH + abs(sin) * VIEW_HEIGHT) / 2 * shrink + 2
    reach_y = (abs(sin) * VIEW_WIDTH + abs(cos) * VIEW_HEIGHT) / 2 * shrink + 2
    left, top = max(0, int(x - reach_x)), max(0, int(y - reach_y))
    right, bottom = min(width, math.ceil(x + reach_x) + 1), min(height, math.ceil(y + reach_y) + 1)
    part: npt.NDArray[np.float32] = np.ascontiguousarray(image[top:bottom, left:right], np.float32)
    x, y = x - left, y - top
    if shrink > 1:
        size = max(1, round(part.shape[1] / shrink)), max(1, round(part.shape[0] / shrink))
        x, y = x * size[0] / part.shape[1], y * size[1] / part.shape[0]
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.float32)
    # from the picture to the part of the image
    turn = np.array(
        [
            [cos, -sin, x - cos * VIEW_WIDTH / 2 + sin * VIEW_HEIGHT / 2],
            [sin, cos, y - sin * VIEW_WIDTH / 2 - cos * VIEW_HEIGHT / 2],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(part, turn, (VIEW_WIDTH, VIEW_HEIGHT), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen, np.float32)
