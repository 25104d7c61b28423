"""The mask head's probabilities of all views of an image, put together."""

import numpy as np
import numpy.typing as npt

from core.domain.detections import FloatArray, View
from core.engine.mask_head import MASK_STRIDE

#: Within this many cells of an inner edge a view's word counts less: it saw less of what lies there.
_RAMP = 32


class OutlineMap:
    """Gathers the probabilities of overlapping views at full scale; where they overlap, their weighted mean.

    Args:
        width: of the image, px.
        height: of the image, px.
    """

    def __init__(self, width: int, height: int) -> None:
        shape = (-(-height // MASK_STRIDE), -(-width // MASK_STRIDE))
        self._size = (width, height)
        self._sum = np.zeros(shape, np.float32)
        self._weight = np.zeros(shape, np.float32)

    def add(self, view: View, probability: FloatArray) -> None:
        """Add what one view says.

        Args:
            view: at full scale.
            probability: (h, w), at least as many cells as the view has, the first at its corner.
        """
        for axis, start in enumerate((view.y0, view.x0)):
            if start % MASK_STRIDE:  # between two cells of the image: the mean of the view's neighbours
                probability = _between(probability, axis)
        rows, row = _overlap(view.y0, view.y1, self._size[1], self._sum.shape[0])
        columns, column = _overlap(view.x0, view.x1, self._size[0], self._sum.shape[1])
        n_rows, n_columns = rows.stop - rows.start, columns.stop - columns.start
        part = probability[row : row + n_rows, column : column + n_columns]
        weight = np.outer(
            _ramp(rows, view.y0 > 0, view.y1 < self._size[1]),
            _ramp(columns, view.x0 > 0, view.x1 < self._size[0]),
        )
        self._sum[rows, columns] += weight * part
        self._weight[rows, columns] += weight

    def probability(self) -> FloatArray:
        """(ceil(H/2), ceil(W/2)) float32 in 0..1; 0 where no view looked."""
        return np.divide(self._sum, self._weight, out=np.zeros_like(self._sum), where=self._weight > 0)


def _between(probability: FloatArray, axis: int) -> FloatArray:
    """Values half a cell before each of those given, and half a cell after the last."""
    padding = [(0, 0), (0, 0)]
    padding[axis] = (1, 1)
    padded = np.pad(probability, padding, mode="edge")
    before, after = (padded[:-1], padded[1:]) if axis == 0 else (padded[:, :-1], padded[:, 1:])
    result: FloatArray = (before + after) / np.float32(2)
    return result


def _overlap(start: int, end: int, size: int, cells: int) -> tuple[slice, int]:
    """The image's cells that a view covers along one side, and the first of them as the view counts."""
    first = max(start, 0) // MASK_STRIDE
    last = min(-(-min(end, size) // MASK_STRIDE), cells)
    return slice(first, last), max(-(start // MASK_STRIDE), 0)


def _ramp(cells: slice, is_cut_before: bool, is_cut_after: bool) -> npt.NDArray[np.float32]:
    """The weight of each cell along one side of a view: less towards an edge where the image goes on."""
    n = cells.stop - cells.start
    rising = np.minimum(np.arange(1, n + 1, dtype=np.float32) / _RAMP, 1)
    weight = np.ones(n, np.float32)
    if is_cut_before:
        weight = weight * rising
    return weight * rising[::-1] if is_cut_after else weight
