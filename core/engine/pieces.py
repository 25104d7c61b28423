"""From the mask head's probabilities to connected pieces, one an indication."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from core.domain.detections import FloatArray
from core.engine.mask_head import MASK_STRIDE

#: A piece reaches this probability somewhere and extends as far as the second one; the fainter pair of limits
#: counts where no stronger piece lies.
LIMITS = ((0.5, 0.3), (0.3, 0.15))
#: Smaller pieces are noise, cells.
LEAST_CELLS = 3
#: A piece is long from this length, px, and this ratio of length to width on.
LONG_PX, LONG_RATIO = 60.0, 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """The pieces of one image.

    Attributes:
        boxes: (N, 4) float32 xyxy, absolute px, just around each piece.
        scores: (N,) float32, mean probability over the piece.
        sizes: (N, 2) float32, px, length and width of the narrowest rectangle around it, at any angle.
        masks: N arrays (h, w) bool in cells of `MASK_STRIDE` px, the first at the top left of the box.
    """

    boxes: FloatArray
    scores: FloatArray
    sizes: FloatArray
    masks: tuple[npt.NDArray[np.bool_], ...]

    def __post_init__(self) -> None:
        n = len(self.scores)
        if self.boxes.shape != (n, 4) or self.sizes.shape != (n, 2) or len(self.masks) != n:
            raise ValueError(f"{n} scores, boxes {self.boxes.shape}, {len(self.masks)} masks")

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def is_long(self) -> npt.NDArray[np.bool_]:
        """(N,) whether each is a line: `LONG_PX` long and `LONG_RATIO` times as long as wide."""
        result: npt.NDArray[np.bool_] = (self.sizes[:, 0] >= LONG_PX) & (
            self.sizes[:, 0] >= LONG_RATIO * self.sizes[:, 1]
        )
        return result


def find_pieces(probability: FloatArray, width: int, height: int) -> Pieces:
    """The pieces of an image of that size, strongest first.

    Args:
        probability: (h, w) float32 in 0..1, one value for each `MASK_STRIDE` px.
        width: of the image, px; boxes end there.
        height: of the image, px.
    """
    taken = np.zeros(probability.shape, np.uint8)
    found: list[tuple[float, tuple[int, int], npt.NDArray[np.bool_]]] = []
    for peak, extent in LIMITS:
        region = (probability > extent).astype(np.uint8)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(region, connectivity=8)
        is_wanted = np.zeros(count, np.bool_)
        is_wanted[labels[probability > peak]] = True
        is_wanted[labels[taken > 0]] = False
        is_wanted &= stats[:, cv2.CC_STAT_AREA] >= LEAST_CELLS
        is_wanted[0] = False
        for label in np.flatnonzero(is_wanted):
            left, top, w, h = (int(v) for v in stats[label, :4])
            mask = labels[top : top + h, left : left + w] == label
            mean = float(probability[top : top + h, left : left + w][mask].mean())
            found.append((mean, (left, top), mask))
            taken[top : top + h, left : left + w][mask] = 1
    found.sort(key=lambda piece: -piece[0])
    limits = np.array([width, height] * 2, np.float32)
    corners = [(x, y, x + mask.shape[1], y + mask.shape[0]) for _, (x, y), mask in found]
    boxes = np.array(corners, np.float32).reshape(-1, 4) * np.float32(MASK_STRIDE)
    return Pieces(
        np.minimum(boxes, limits),
        np.array([mean for mean, _, _ in found], np.float32),
        np.array([_size(mask) for _, _, mask in found], np.float32).reshape(-1, 2),
        tuple(mask for _, _, mask in found),
    )


def _size(mask: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Length and width, px, of the narrowest rectangle around the mask's cells."""
    rows, columns = np.nonzero(mask)
    corners = np.stack([columns, rows], axis=1).astype(np.float32)
    _, sides, _ = cv2.minAreaRect(corners)
    # corners are the centres of cells, which reach half a cell further on all sides
    long, short = max(sides) + 1, min(sides) + 1
    return float(long * MASK_STRIDE), float(short * MASK_STRIDE)
