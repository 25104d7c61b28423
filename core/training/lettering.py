"""Lead letters laid on a crop, so that the gaps in an 8, an A or an O are not taken for pores.

Letters lie on a small part of a film, so few crops show any; laid on, they are met as often as wanted, on
real films too. They are drawn as the eye sees them on a film, not exposed as in `core.simulate.furniture`.
"""

import cv2
import numpy as np
import numpy.typing as npt

_SIGNS = "ABCDEFGHIKLMNOPRSTUVWXZ0123456789"
_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_PLAIN,
    cv2.FONT_HERSHEY_COMPLEX,
)
#: Height of a letter: 2.4 to 9 mm at the pitch of 0.04 mm of the films.
_HEIGHT_PX = (60, 220)
#: Of its height.
_STROKE = (0.1, 0.24)
_SOFT_PX = (0.8, 5.0)
#: A box of which a letter covers more than this teaches nothing.
_COVERED = 0.2


def lay_letters(
    pixels: npt.NDArray[np.float32], boxes: npt.NDArray[np.float32], scale: float, rng: np.random.Generator
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_], npt.NDArray[np.float32]]:
    """The crop with up to four letters in a row.

    Args:
        pixels: (S, S) normalised, film polarity: lead is bright.
        boxes: (N, 4) xyxy, px of the crop.
        scale: crop px in one px of the film.
        rng: of everything that is drawn.

    Returns:
        pixels: (S, S) float32.
        is_covered: (N,) bool, boxes that can no longer be seen whole.
        lead: (S, S) float32, 1 where lead lies, 0 where none does.
    """
    side = len(pixels)
    mask = _letters(side, scale, rng)
    lead = max(float(pixels.max()), float(rng.uniform(0.6, 1.1)))
    density = np.float32(rng.uniform(0.35, 1.0)) * mask
    lettered = pixels * (1 - density) + np.float32(lead) * density
    is_covered = np.array([_share(mask, box) > _COVERED for box in boxes], np.bool_)
    return lettered.astype(np.float32), is_covered, mask


def _letters(side: int, scale: float, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """(side, side) float32, 1 where lead lies."""
    height = rng.uniform(*_HEIGHT_PX) * scale
    font = _FONTS[rng.integers(len(_FONTS))]
    stroke = max(1, round(height * rng.uniform(*_STROKE)))
    size = height / cv2.getTextSize("H", font, 1.0, 1)[0][1]
    text = "".join(rng.choice(list(_SIGNS)) for _ in range(int(rng.integers(1, 5))))
    (width, tall), _ = cv2.getTextSize(text, font, size, stroke)
    mask = np.zeros((side, side), np.uint8)
    left, bottom = rng.uniform(-0.6 * width, 0.8 * side), rng.uniform(0.4 * tall, side + 0.5 * tall)
    cv2.putText(mask, text, (round(left), round(bottom)), font, size, 255, stroke, cv2.LINE_AA)
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), rng.normal(0, 5) + 90 * (rng.random() < 0.2), 1.0)
    turned = cv2.warpAffine(mask, turn, (side, side), flags=cv2.INTER_LINEAR).astype(np.float32) / 255
    if rng.random() < 0.3:
        turned = np.ascontiguousarray(turned[:, ::-1])
    soft = max(0.3, rng.uniform(*_SOFT_PX) * scale)
    return np.asarray(cv2.GaussianBlur(turned, (0, 0), soft), np.float32)


def _share(mask: npt.NDArray[np.float32], box: npt.NDArray[np.float32]) -> float:
    x1, y1, x2, y2 = (round(float(v)) for v in box)
    part = mask[max(y1, 0) : max(y2, y1 + 1), max(x1, 0) : max(x2, x1 + 1)]
    return float(part.mean()) if part.size else 0.0
