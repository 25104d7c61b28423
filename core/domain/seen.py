"""What of a radiograph has been on screen at 1:1 or more, on a coarse grid."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.domain.errors import BadInputError
from core.domain.zone import Zone

#: Cells along the longer side, at most; a cell is never smaller than `LEAST_CELL_PX`.
MOST_CELLS, LEAST_CELL_PX = 64, 64


def cell_px_of(width: int, height: int) -> int:
    """Side of a square cell, px of the image. The viewer computes the same (`seen_grid.js`)."""
    return max(LEAST_CELL_PX, -(-max(width, height) // MOST_CELLS))


@dataclass(frozen=True, slots=True, eq=False)
class SeenGrid:
    """Cells of a radiograph, and which of them have been seen whole at 1:1 or more.

    Attributes:
        width, height: of the radiograph, px.
        cells: (rows, columns) bool, True where seen; the last row and column may reach beyond the edge.

    Raises:
        BadInputError: the cells are not those of a radiograph of this size.
    """

    width: int
    height: int
    cells: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        if self.cells.shape != _shape(self.width, self.height):
            raise BadInputError(
                f"seen cells: expected {_shape(self.width, self.height)}, got {self.cells.shape}"
            )

    @property
    def cell_px(self) -> int:
        """Side of a cell, px."""
        return cell_px_of(self.width, self.height)

    def share(self, within: npt.NDArray[np.bool_] | None = None) -> float:
        """The share of the area that was seen, 0 to 1.

        Args:
            within: (rows, columns) bool, the cells that count; None counts all. Where none counts the
                share is 1: there was nothing to see.
        """
        area = np.outer(
            _lengths(self.height, self.cell_px, self.cells.shape[0]),
            _lengths(self.width, self.cell_px, self.cells.shape[1]),
        )
        counted = area if within is None else area * within
        total = counted.sum()
        return float((counted * self.cells).sum() / total) if total else 1.0

    def cells_in(self, zone: Zone) -> npt.NDArray[np.bool_]:
        """(rows, columns) bool, the cells whose middle lies in a zone."""
        rows, columns = self.cells.shape
        y, x = np.mgrid[:rows, :columns]
        side = self.cell_px
        x = np.minimum((x + 0.5) * side, (x * side + self.width) / 2)
        y = np.minimum((y + 0.5) * side, (y * side + self.height) / 2)
        return zone.covers(x, y)

    def merged(self, other: SeenGrid) -> SeenGrid:
        """The cells that either has."""
        return SeenGrid(self.width, self.height, self.cells | other.cells)

    def to_text(self) -> str:
        """The cells row by row as bits, the first one highest, in base64."""
        return base64.b64encode(np.packbits(self.cells).tobytes()).decode("ascii")


def seen_from(text: str, width: int, height: int) -> SeenGrid:
    """The grid that `SeenGrid.to_text` or the viewer wrote; an empty text is one without a seen cell.

    Raises:
        BadInputError: it is not one of a radiograph of this size.
    """
    shape = _shape(width, height)
    if not text:
        return SeenGrid(width, height, np.zeros(shape, bool))
    try:
        packed = np.frombuffer(base64.b64decode(text, validate=True), np.uint8)
    except (binascii.Error, ValueError) as error:
        raise BadInputError("seen cells: expected base64") from error
    n_cells = shape[0] * shape[1]
    if len(packed) != -(-n_cells // 8):
        raise BadInputError(f"seen cells: expected {-(-n_cells // 8)} bytes, got {len(packed)}")
    return SeenGrid(width, height, np.unpackbits(packed, count=n_cells).reshape(shape).astype(bool))


def _shape(width: int, height: int) -> tuple[int, int]:
    side = cell_px_of(width, height)
    return -(-height // side), -(-width // side)


def _lengths(total: int, side: int, count: int) -> npt.NDArray[np.float64]:
    """The length of each cell within the image, px."""
    return np.minimum(side, total - side * np.arange(count)).astype(np.float64)
