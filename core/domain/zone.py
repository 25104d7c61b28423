"""The zone of a radiograph that is to be judged: a polygon, for a weld a band with two edges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from core.domain.errors import BadInputError

Point = tuple[float, float]
_MOST_POINTS = 400


@dataclass(frozen=True, slots=True)
class Zone:
    """A polygon on a radiograph.

    Attributes:
        points: (x, y) in px, in turn around it. Of a band the first half runs along one edge, the second
            half back along the other, station by station.
        is_band: it has two edges.

    Raises:
        BadInputError: fewer than three points or too many, or a band whose edges differ in stations.
    """

    points: tuple[Point, ...]
    is_band: bool = False

    def __post_init__(self) -> None:
        if not 3 <= len(self.points) <= _MOST_POINTS:
            raise BadInputError(f"zone: expected 3 to {_MOST_POINTS} points, got {len(self.points)}")
        if self.is_band and len(self.points) % 2:
            raise BadInputError("zone: expected as many points on one edge as on the other")
        if not np.isfinite(self.points).all():
            raise BadInputError("zone: expected finite coordinates")

    def contains(self, x: float, y: float) -> bool:
        """True when the point lies in it."""
        return bool(self.covers(np.array([x]), np.array([y]))[0])

    def covers(self, x: npt.NDArray[np.floating], y: npt.NDArray[np.floating]) -> npt.NDArray[np.bool_]:
        """For points (n,) whether each is inside: a line from it crosses the edges an odd number of times."""
        inside = np.zeros(np.shape(x), bool)
        for (ax, ay), (bx, by) in pairwise((*self.points, self.points[0])):
            if ay != by:
                inside ^= ((ay > y) != (by > y)) & (x < ax + (y - ay) / (by - ay) * (bx - ax))
        return inside

    def holds(self, bbox: Sequence[float]) -> bool:
        """True when the middle of a box (x1, y1, x2, y2) lies in it: the box counts as inside."""
        return self.contains((bbox[0] + bbox[2]) / 2, (bbox[1] + bbox[3]) / 2)

    def share(self, width: int, height: int) -> float:
        """The share of a picture of this size that it takes, 0 to 1."""
        x, y = np.clip(np.array(self.points).T, 0, [[width], [height]])
        area = abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2
        return area / (width * height)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; `zone_from` reads it back."""
        return {"points": [[round(x, 1), round(y, 1)] for x, y in self.points], "is_band": self.is_band}


def zone_from(content: Mapping[str, Any]) -> Zone | None:
    """The zone that `Zone.to_dict` or the viewer wrote; None for "no zone", which has no points.

    Raises:
        BadInputError: it is none.
    """
    try:
        points = tuple((float(x), float(y)) for x, y in content["points"])
        is_band = bool(content.get("is_band", False))
    except (KeyError, TypeError, ValueError) as error:
        raise BadInputError("zone: expected points of x and y") from error
    return Zone(points, is_band) if points else None
