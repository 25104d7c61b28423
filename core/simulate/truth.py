"""Ground truth of a simulated radiograph: one entry per connected visible blob.

Convention, the one that people who box real weld films follow: pores of a cluster or a row are boxed
each for itself, unless they merge; a broken line is boxed piece by piece. So the bodies of a flaw are
masked where each changes the picture by more than `EDGE_FRACTION` of its own peak, gaps shorter than
`JOIN_MM` of cracks and lines are closed, and every connected piece of the mask is one entry.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from core.domain.indication import IndicationClass
from core.simulate.exposure import Exposure
from core.simulate.fields import Array
from core.simulate.flaws import Flaw
from core.simulate.kinds import IDENTITY, FlawKind
from core.simulate.recorder import Recorder
from core.simulate.shapes import Body

Mask = npt.NDArray[np.bool_]

#: Low, as people draw boxes about 1.4 times as wide as the indication is at half of its contrast.
EDGE_FRACTION = 0.1
CORE_FRACTION = 0.3
JOIN_MM = 0.35
#: A flaw is called visible when its mean contrast is at least so many standard deviations of the noise
#: of one pixel, and so many of the noise of its whole area (Rose: 3 to 5).
CNR_FLOOR = 1.0
ROSE_FLOOR = 4.0
_LINES = frozenset(
    {
        FlawKind.LONGITUDINAL_CRACK,
        FlawKind.TRANSVERSE_CRACK,
        FlawKind.LACK_OF_PENETRATION,
        FlawKind.LACK_OF_FUSION,
        FlawKind.UNDERCUT,
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedFlaw:
    """One true indication.

    Attributes:
        kind: how it was made.
        flaw_class: its class.
        iso6520: its ISO 6520-1 code.
        bbox: x1, y1, x2, y2, absolute px, just around the mask, inside the image.
        mask: (y2 - y1, x2 - x1) bool.
        size_mm: true length, width (across the beam) and height (along the beam) of the body.
        cnr: mean contrast / standard deviation of the noise of one pixel, both over the core of the mask,
            where the contrast is at least `CORE_FRACTION` of its peak.
        visible: whether it is above `CNR_FLOOR` and `ROSE_FLOOR`.
    """

    kind: FlawKind
    flaw_class: IndicationClass
    iso6520: str
    bbox: tuple[float, float, float, float]
    mask: Mask
    size_mm: tuple[float, float, float]
    cnr: float
    visible: bool


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Basis of the ground truth: the final dose, and the settings that made and recorded it."""

    thickness_mm: Array
    source: Array
    dose: Array
    exposure: Exposure
    recorder: Recorder
    mm_per_px: float


def find_truth(flaw: Flaw, scene: Scene) -> list[SimulatedFlaw]:
    """The entries of one flaw; none where it lies outside of the image."""
    height, width = scene.dose.shape
    x0, y0, x1, y1 = flaw.extent()
    pad = math.ceil(4 * scene.exposure.unsharpness_mm / scene.mm_per_px) + 2
    x0, y0, x1, y1 = max(0, x0 - pad), max(0, y0 - pad), min(width, x1 + pad), min(height, y1 + pad)
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    contrast = np.zeros(mask.shape, np.float32)
    peaks: list[tuple[int, int, Body]] = []
    for body in flaw.bodies:
        _mark(body, scene, (x0, y0, x1, y1), mask=mask, contrast=contrast, peaks=peaks, pad=pad)
    if flaw.kind in _LINES:
        size = max(3, round(JOIN_MM / scene.mm_per_px) | 1)
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
        mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel), np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    found = []
    for label in range(1, count):
        left, top, w, h, _area = (int(v) for v in stats[label])
        piece = labels[top : top + h, left : left + w] == label
        bodies = [body for row, column, body in peaks if labels[row, column] == label]
        if not bodies:
            continue
        strength = contrast[top : top + h, left : left + w]
        box = (x0 + left, y0 + top, x0 + left + w, y0 + top + h)
        found.append(_entry(flaw.kind, bodies, piece, strength, box, scene))
    return found


def _mark(
    body: Body,
    scene: Scene,
    frame: tuple[int, int, int, int],
    *,
    mask: npt.NDArray[np.uint8],
    contrast: Array,
    peaks: list[tuple[int, int, Body]],
    pad: int,
) -> None:
    """Adds one body's contrast and mask to those of its flaw, in place."""
    fx0, fy0, fx1, fy1 = frame
    h, w = body.loss_mm.shape
    x0, y0, x1, y1 = max(fx0, body.x0 - pad), max(fy0, body.y0 - pad), body.x0 + w + pad, body.y0 + h + pad
    x1, y1 = min(fx1, x1), min(fy1, y1)
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    loss = np.zeros((y1 - y0, x1 - x0), np.float32)
    add_body(loss, body, x0, y0)
    if not np.any(loss):
        return
    window = np.s_[y0:y1, x0:x1]
    sound = scene.thickness_mm[window]
    change = scene.exposure.primary(sound - loss) - scene.exposure.primary(sound)
    change = scene.exposure.blurred(change * scene.source[window], scene.mm_per_px)
    dose = scene.dose[window]
    seen = np.abs(scene.recorder.mean_signal(dose) - scene.recorder.mean_signal(dose - change))
    place = seen if float(seen.max()) > 0 else np.abs(change)  # saturated: still in truth, not visible
    row, column = np.unravel_index(int(place.argmax()), place.shape)
    inner = np.s_[y0 - fy0 : y1 - fy0, x0 - fx0 : x1 - fx0]
    mask[inner] |= place >= EDGE_FRACTION * place.max()
    np.maximum(contrast[inner], seen, out=contrast[inner])
    peaks.append((int(row) + y0 - fy0, int(column) + x0 - fx0, body))


def add_body(target: Array, body: Body, x0: int, y0: int) -> None:
    """Adds the loss of `body` in place to `target`, whose top left pixel is (x0, y0)."""
    h, w = body.loss_mm.shape
    left, top = max(body.x0, x0), max(body.y0, y0)
    right, bottom = min(body.x0 + w, x0 + target.shape[1]), min(body.y0 + h, y0 + target.shape[0])
    if right <= left or bottom <= top:
        return
    part = body.loss_mm[top - body.y0 : bottom - body.y0, left - body.x0 : right - body.x0]
    target[top - y0 : bottom - y0, left - x0 : right - x0] += part


def _entry(
    kind: FlawKind,
    bodies: list[Body],
    piece: Mask,
    contrast: Array,
    box: tuple[int, int, int, int],
    scene: Scene,
) -> SimulatedFlaw:
    flaw_class, code = IDENTITY[kind]
    noise = scene.recorder.noise_std(scene.dose[box[1] : box[3], box[0] : box[2]])
    core = piece & (contrast >= CORE_FRACTION * contrast[piece].max())
    cnr = float(contrast[core].mean()) / max(float(noise[core].mean()), 1e-6)
    rose = cnr * math.sqrt(float(core.sum()) / scene.recorder.correlation_area_px())
    return SimulatedFlaw(
        kind=kind,
        flaw_class=flaw_class,
        iso6520=code,
        bbox=(float(box[0]), float(box[1]), float(box[2]), float(box[3])),
        mask=piece,
        size_mm=_size(bodies, box, scene.mm_per_px),
        cnr=cnr,
        visible=cnr >= CNR_FLOOR and rose >= ROSE_FLOOR,
    )


def _size(bodies: list[Body], box: tuple[int, int, int, int], mm_per_px: float) -> tuple[float, float, float]:
    """Of the body itself; of merged bodies the extent of their union."""
    height = max(body.height_mm for body in bodies)
    if len(bodies) == 1:
        across = (bodies[0].length_mm, bodies[0].width_mm)
        return max(across), min(across), height
    across = ((box[2] - box[0]) * mm_per_px, (box[3] - box[1]) * mm_per_px)
    return max(across), min(max(body.width_mm for body in bodies), min(across)), height
