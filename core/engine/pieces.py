"""From the mask head's probabilities to connected pieces, one an indication."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from core.domain.detections import FloatArray
from core.domain.outline import Outline
from core.engine.mask_head import MASK_STRIDE

#: A piece reaches this probability somewhere and extends as far as the second one; the fainter pair of limits
#: counts where no stronger piece lies.
LIMITS = ((0.5, 0.3), (0.3, 0.15))
#: Smaller pieces are noise, cells.
LEAST_CELLS = 3
#: Within a box: pieces of less than this share of the largest are no part of an outline.
SPECK_SHARE = 0.05
#: A piece is long from this length, px, and this ratio of length to width on.
LONG_PX, LONG_RATIO = 60.0, 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """The pieces of one image.

    Attributes:
        boxes: (N, 4) float32 xyxy, absolute px, just around each piece.
        scores: (N,) float32, mean probability over the piece.
        outlines: N outlines in cells of `MASK_STRIDE` px.
    """

    boxes: FloatArray
    scores: FloatArray
    outlines: tuple[Outline, ...]

    def __post_init__(self) -> None:
        n = len(self.scores)
        if self.boxes.shape != (n, 4) or len(self.outlines) != n:
            raise ValueError(f"{n} scores, boxes {self.boxes.shape}, {len(self.outlines)} outlines")

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def is_long(self) -> npt.NDArray[np.bool_]:
        """(N,) whether each is a line: `LONG_PX` long and `LONG_RATIO` times as long as wide."""
        lengths = [(outline.length_px, outline.width_px) for outline in self.outlines]
        return np.array([a >= LONG_PX and a >= LONG_RATIO * b for a, b in lengths], np.bool_)


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
        tuple(_outline(corner, mask) for _, corner, mask in found),
    )


def outline_within(probability: FloatArray, box: FloatArray) -> Outline | None:
    """The outline of what the mask head sees within a box: all its pieces there but specks.

    Args:
        probability: as for `find_pieces`, of the whole image.
        box: (4,) xyxy px.
    """
    rows, columns = _cells_of(box, probability.shape)
    part = probability[rows, columns]
    if (
        part.max() <= LIMITS[-1][0]
    ):  # as of most boxes of a low score; the search takes a hundred times as long
        return None
    pieces = find_pieces(part, part.shape[1] * MASK_STRIDE, part.shape[0] * MASK_STRIDE)
    areas = [outline.area_px for outline in pieces.outlines]
    covered = np.zeros(part.shape, np.bool_)
    for outline, area in zip(pieces.outlines, areas, strict=True):
        if area >= SPECK_SHARE * max(areas):
            _lay(outline, covered)
    return _outline_of(covered, (columns.start, rows.start))


def cut_to_box(outline: Outline, box: FloatArray) -> Outline | None:
    """The part of an outline within a box, xyxy px, to the cells that the box touches; None where none is.

    A line stays whole: the head for boxes loses its ends sooner than the mask head does.
    """
    if outline.length_px >= LONG_RATIO * outline.width_px:
        return outline
    (height, width), (top, left) = outline.cells.shape, (outline.top, outline.left)
    moved = box - np.array([left, top, left, top], np.float32)
    if moved[2] <= 0 or moved[3] <= 0 or moved[0] >= width * MASK_STRIDE or moved[1] >= height * MASK_STRIDE:
        return None
    rows, columns = _cells_of(moved, outline.cells.shape)
    covered = np.zeros_like(outline.cells)
    covered[rows, columns] = outline.cells[rows, columns]
    if (covered == outline.cells).all():
        return outline
    return _outline_of(covered, (left // MASK_STRIDE, top // MASK_STRIDE))


def _cells_of(box: FloatArray, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of the cells that a box, xyxy px, touches in a plane of that shape; at least one."""
    found = []
    for low, high, count in ((box[1], box[3], shape[0]), (box[0], box[2], shape[1])):
        start = min(max(math.floor(low / MASK_STRIDE), 0), count - 1)
        found.append(slice(start, max(min(math.ceil(high / MASK_STRIDE), count), start + 1)))
    return found[0], found[1]


def _lay(outline: Outline, covered: npt.NDArray[np.bool_]) -> None:
    rows, columns = outline.cells.shape
    top, left = outline.top // MASK_STRIDE, outline.left // MASK_STRIDE
    covered[top : top + rows, left : left + columns] |= outline.cells


def _outline_of(covered: npt.NDArray[np.bool_], corner: tuple[int, int]) -> Outline | None:
    """The outline of the covered cells, the first of which is at (column, row) `corner`; None without any."""
    if not covered.any():
        return None
    left, top, columns, rows = cv2.boundingRect(covered.astype(np.uint8))
    return _outline((corner[0] + left, corner[1] + top), covered[top : top + rows, left : left + columns])


def _outline(corner: tuple[int, int], mask: npt.NDArray[np.bool_]) -> Outline:
    """The outline of a piece whose first cell is at (column, row) `corner`."""
    rows, columns = np.nonzero(mask)
    centres = np.stack([columns, rows], axis=1).astype(np.float32)
    _, (width, height), angle = cv2.minAreaRect(centres)
    # these are the centres of cells, which reach half a cell further on all sides
    length, across = max(width, height) + 1, min(width, height) + 1
    return Outline(
        left=corner[0] * MASK_STRIDE,
        top=corner[1] * MASK_STRIDE,
        cell_px=MASK_STRIDE,
        cells=mask,
        length_px=float(length * MASK_STRIDE),
        width_px=float(across * MASK_STRIDE),
        angle_deg=float(angle if width >= height else angle + 90) % 180,
    )
