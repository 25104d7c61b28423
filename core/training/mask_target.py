"""The outlines that the mask head learns, and how much each pixel of them counts."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from core.domain.radiograph import Pixels

#: Stored weights are whole numbers of this fraction.
WEIGHT_UNITS = 64
#: A piece of this area counts as much as background, px²; smaller ones count more, larger ones less.
_PLAIN_AREA = 400.0
_WEIGHT_RANGE = (0.35, 3.0)
#: Background between pieces nearer than this, px, counts more, so that neighbours stay apart.
_GAP_PX = 11
_GAP_WEIGHT = 3.0
#: A piece shorter than this, px, teaches nothing.
LEAST_PX = 6.0
#: A pixel on an outline is divided into so many parts each way.
_PARTS = 8

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class OutlinedPiece:
    """One connected piece of a known indication.

    Attributes:
        corner: column and row of the mask's top left pixel.
        mask: (h, w) bool.
        teaches: False for a piece that nobody can see; its pixels count neither as flaw nor as background.
    """

    corner: tuple[int, int]
    mask: Mask
    teaches: bool = True

    @property
    def longest_px(self) -> int:
        """Longer side of its bounding box."""
        return int(max(self.mask.shape))


@dataclass(frozen=True, slots=True, eq=False)
class MaskTarget:
    """Target and weights of the mask head for one image.

    Attributes:
        is_flaw: (H, W) uint8, 1 on a piece that teaches.
        weight: (H, W) uint8 in units of 1 / `WEIGHT_UNITS`; 0 where nothing is known.
    """

    is_flaw: npt.NDArray[np.uint8]
    weight: npt.NDArray[np.uint8]

    def __post_init__(self) -> None:
        if self.is_flaw.shape != self.weight.shape:
            raise ValueError(f"a target of {self.is_flaw.shape} with weights of {self.weight.shape}")


def mask_target(
    shape: tuple[int, int], pieces: Sequence[OutlinedPiece], unknown: Iterable[npt.NDArray[np.float32]] = ()
) -> MaskTarget:
    """The target of an image of that (height, width).

    Args:
        shape: of the image.
        pieces: what is outlined in it.
        unknown: boxes, xyxy px, in which background teaches nothing.
    """
    is_flaw = np.zeros(shape, np.uint8)
    weight = np.full(shape, WEIGHT_UNITS, np.uint8)
    teaching = [piece for piece in pieces if piece.teaches and piece.longest_px >= LEAST_PX]
    for piece in teaching:
        _part(is_flaw, piece)[piece.mask] = 1
    if teaching:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_GAP_PX, _GAP_PX))
        closed = np.asarray(cv2.morphologyEx(is_flaw, cv2.MORPH_CLOSE, kernel))
        weight[closed > is_flaw] = round(_GAP_WEIGHT * WEIGHT_UNITS)
    for box in unknown:
        x1, y1 = (max(0, math.floor(v)) for v in box[:2])
        x2, y2 = (math.ceil(v) for v in box[2:])
        weight[y1:y2, x1:x2] = 0
    silent = [piece for piece in pieces if not piece.teaches or piece.longest_px < LEAST_PX]
    for piece in silent:
        _part(weight, piece)[piece.mask] = 0
    for piece in teaching:
        _part(weight, piece)[piece.mask] = round(_piece_weight(piece) * WEIGHT_UNITS)
    return MaskTarget(is_flaw, weight)


def piece_within(corners: Sequence[tuple[float, float]], shape: tuple[int, int]) -> OutlinedPiece | None:
    """The pixels of which an outline encloses half or more; None where there is none in the image.

    Args:
        corners: x, y px, from the outer corner of the first pixel.
        shape: height and width of the image.
    """
    points = np.clip(np.array(corners, np.float64), 0, shape[::-1])
    left, top = (int(edge) for edge in np.floor(points.min(axis=0)))
    width, height = (int(side) for side in np.ceil(points.max(axis=0)) - (left, top))
    if min(width, height) < 1:
        return None
    drawn = np.zeros((height * _PARTS, width * _PARTS), np.uint8)
    cv2.fillPoly(drawn, [np.round((points - (left, top)) * _PARTS - 0.5).astype(np.int32)], 1)
    share = drawn.reshape(height, _PARTS, width, _PARTS).mean(axis=(1, 3))
    mask = share >= 0.5
    return OutlinedPiece((left, top), mask) if mask.any() else None


def pieces_of(is_flaw: Pixels, least_px: float) -> list[OutlinedPiece]:
    """The connected pieces of a drawn mask.

    Args:
        is_flaw: (H, W), not 0 on a flaw.
        least_px: shorter pieces teach nothing.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats((is_flaw > 0).astype(np.uint8), connectivity=8)
    found = []
    for label in range(1, count):
        left, top, width, height, _area = (int(v) for v in stats[label])
        mask = labels[top : top + height, left : left + width] == label
        found.append(OutlinedPiece((left, top), mask, teaches=max(width, height) >= least_px))
    return found


def _part(plane: npt.NDArray[np.uint8], piece: OutlinedPiece) -> npt.NDArray[np.uint8]:
    """The pixels of `plane` under the piece's mask; changing them changes `plane`."""
    (left, top), (height, width) = piece.corner, piece.mask.shape
    return plane[top : top + height, left : left + width]


def _piece_weight(piece: OutlinedPiece) -> float:
    return float(np.clip(math.sqrt(_PLAIN_AREA / max(int(piece.mask.sum()), 1)), *_WEIGHT_RANGE))
