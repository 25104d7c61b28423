"""The outline of an indication, as the cells of a grid that it covers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """The outline of one indication.

    Attributes:
        left, top: px, the top left corner of the first cell.
        cell_px: side of a cell.
        cells: (h, w) bool, no side of it all False.
        length_px, width_px: sides of the narrowest rectangle around it, at any angle.
        angle_deg: of its length, from the x axis towards the y axis, 0 to below 180.

    Raises:
        ValueError: when no cell is covered, or a size or the angle is out of range.
    """

    left: int
    top: int
    cell_px: int
    cells: npt.NDArray[np.bool_]
    length_px: float
    width_px: float
    angle_deg: float

    def __post_init__(self) -> None:
        if self.cells.ndim != 2 or not self.cells.any():
            raise ValueError(f"an outline covers at least one cell, got {self.cells.shape}")
        if not 0 < self.width_px <= self.length_px or not 0 <= self.angle_deg < 180:
            raise ValueError(f"not a size: {self.length_px} x {self.width_px} px at {self.angle_deg} degrees")

    @property
    def area_px(self) -> int:
        """Area in px²."""
        return int(self.cells.sum()) * self.cell_px**2

    def run_lengths(self) -> list[int]:
        """COCO's uncompressed run lengths of the cells: column by column, first those not covered."""
        flat = self.cells.T.ravel()
        ends = np.append(np.flatnonzero(np.diff(flat.astype(np.int8))) + 1, flat.size)
        runs: list[int] = np.diff(ends, prepend=0).tolist()
        return [0, *runs] if flat[0] else runs

    def to_dict(self, mm_per_px: float | None) -> dict[str, Any]:
        """Plain values for JSON, rounded to a tenth of a px.

        Args:
            mm_per_px: of the image; None leaves out all that is in millimetres.
        """
        rows, columns = self.cells.shape
        size = {
            "length_px": round(self.length_px, 1),
            "width_px": round(self.width_px, 1),
            "angle_deg": round(self.angle_deg, 1),
            "area_px": self.area_px,
        }
        if mm_per_px is not None:  # of what is said in px, as records keep it
            size |= {
                "length_mm": round(size["length_px"] * mm_per_px, 3),
                "width_mm": round(size["width_px"] * mm_per_px, 3),
                "area_mm2": round(self.area_px * mm_per_px**2, 4),
            }
        grid = {"left": self.left, "top": self.top, "cell_px": self.cell_px, "size": [rows, columns]}
        return {**size, **grid, "counts": self.run_lengths()}


def outline_from(content: Mapping[str, Any]) -> Outline:
    """The outline in what `Outline.to_dict` wrote; sizes to a tenth of a px, cells as they were.

    Raises:
        ValueError: it is none.
    """
    try:
        rows, columns = (int(side) for side in content["size"])
        runs = np.asarray(content["counts"], np.int64)
        if rows * columns != runs.sum() or (runs < 0).any():
            raise ValueError(f"an outline of {rows} x {columns} cells, with runs of {runs.sum()}")
        is_covered = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
        return Outline(
            left=int(content["left"]),
            top=int(content["top"]),
            cell_px=int(content["cell_px"]),
            cells=is_covered.reshape(columns, rows).T,
            length_px=float(content["length_px"]),
            width_px=float(content["width_px"]),
            angle_deg=float(content["angle_deg"]) % 180,
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"not an outline: {type(error).__name__} {error}") from None
