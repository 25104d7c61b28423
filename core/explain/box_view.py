"""The surroundings of one box as the network sees them, and the score there."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from core.domain.detections import CellOrigin, Detections, FloatArray, View
from core.domain.explanations import Fill
from core.engine.detector import Detector
from core.engine.mask_head import MASK_STRIDE
from core.engine.network import STRIDES, LevelOutput, NetworkOutput
from core.explain.fills import Region, filled, region_of
from core.explain.reading_again import views_around

#: The window that maps are judged in reaches this share of the box's longer side beyond it, within these px.
WINDOW_SHARE, MIN_WINDOW_PX, MAX_WINDOW_PX = 0.25, 6.0, 32.0
#: So much around a box is read: hundreds of times a map, so half of what "without it" reads.
CONTEXT_PX = 64.0
#: A reported box whose own cell scores less than this share of it was seen by the mask head.
_OWN_SHARE = 0.25
#: Versions of a view that run at once.
_AT_ONCE = 8


class BoxView:
    """A view around one box, at the scale that the box was found at.

    Attributes:
        view: the part of the image; its corner and scale.
        pixels: (h, w) float32 as the network sees it, padding included.
        box: (4,) xyxy, px of the view.
        cell: the box's origin as counted in this view.
        is_from_mask: the mask head saw the indication, the box head did not.
        outline: rows and columns of the mask head's cells that it was drawn in; None where it was not.

    Args:
        detector: that reported the box.
        image: (H, W) float32, normalised for it.
        detections: of the image.
        index: of the box.

    Raises:
        IndexError: when there is no such detection.
    """

    def __init__(self, detector: Detector, image: FloatArray, detections: Detections, index: int) -> None:
        if not 0 <= index < len(detections):
            raise IndexError(f"detection {index} of {len(detections)}")
        origin, self._detector = detections.origins[index], detector
        box = detections.boxes[index]
        self.view = views_around(box, origin, image.shape, context_px=CONTEXT_PX)[-1]
        self.tensor = detector.view_tensor(image, self.view)
        self.pixels: FloatArray = self.tensor[0, 0].cpu().numpy()
        corner = np.array([self.view.x0, self.view.y0] * 2, np.float32)
        self.box: FloatArray = ((box - corner) * np.float32(self.view.scale)).astype(np.float32)
        self.cell = moved_origin(origin, self.view)
        with torch.inference_mode():
            found = detector.predict(self.tensor)
        self.is_from_mask = self._was_drawn(found, detections, index)
        self.outline = self._drawn_cells(found) if self.is_from_mask else None

    @property
    def window(self) -> Region:
        """Rows and columns of the view that maps are judged in: the box and what is around it."""
        longer = float((self.box[2:] - self.box[:2]).max())
        margin = min(max(MIN_WINDOW_PX, WINDOW_SHARE * longer), MAX_WINDOW_PX)
        return _within(self.box, margin, self.pixels.shape)

    def without(self, kind: Fill, region: Region, *, seed: int) -> FloatArray:
        """(h, w) the view with a region filled."""
        return filled(self.pixels, region, kind, seed=seed)

    @property
    def own_region(self) -> Region:
        """What `fills.region_of` takes for the box."""
        return region_of(self.box, self.pixels.shape)

    def scores(self, versions: Iterator[FloatArray] | list[FloatArray]) -> FloatArray:
        """(N,) the score of each version (h, w) of the view, in the number format that detects.

        The highest of the cells whose middle lies in the box, at any level; of an indication that only the
        mask head saw, the mean probability where it drew it. Versions are made and run a few at a time.
        """
        scores: list[FloatArray] = []
        batch: list[FloatArray] = []
        for version in versions:
            batch.append(version)
            if len(batch) == _AT_ONCE:
                scores.append(self._run(batch))
                batch = []
        if batch:
            scores.append(self._run(batch))
        return np.concatenate(scores) if scores else np.zeros(0, np.float32)

    def _run(self, batch: list[FloatArray]) -> FloatArray:
        with torch.inference_mode():
            stacked = torch.from_numpy(np.stack(batch))[:, None].to(self._detector.device)
            return self._score_of(self._detector.predict(stacked))

    def _score_of(self, found: NetworkOutput) -> FloatArray:
        if self.outline is not None and found.mask_logit is not None:
            probability = found.mask_logit[:, 0].float().sigmoid()
            rows, columns = (torch.from_numpy(part).to(probability.device) for part in self.outline)
            result: FloatArray = probability[:, rows, columns].mean(dim=1).cpu().numpy()
            return result
        best = torch.stack([self._best_in(level, number) for number, level in enumerate(found.levels)])
        result = best.amax(dim=0).sigmoid().cpu().numpy()
        return result

    def _best_in(self, level: LevelOutput, number: int) -> Tensor:
        """(B,) the highest logit of the cells of a level whose middle lies in the box."""
        stride, shape = STRIDES[number], level.score_logit.shape[-2:]
        columns = cells_within(float(self.box[0]), float(self.box[2]), stride, shape[1])
        rows = cells_within(float(self.box[1]), float(self.box[3]), stride, shape[0])
        return level.score_logit[:, 0, rows, columns].float().amax(dim=(1, 2))

    def _was_drawn(self, found: NetworkOutput, detections: Detections, index: int) -> bool:
        if detections.outlines is None or detections.outlines[index] is None or found.mask_logit is None:
            return False
        logits = torch.stack([self._best_in(level, number)[0] for number, level in enumerate(found.levels)])
        return float(logits.max().sigmoid()) < _OWN_SHARE * float(detections.scores[index])

    def _drawn_cells(self, found: NetworkOutput) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns of the cells of the mask head, in the box, that it holds for the indication."""
        assert found.mask_logit is not None
        rows, columns = _within(self.box / np.float32(MASK_STRIDE), 0.0, tuple(found.mask_logit.shape[-2:]))
        probability = found.mask_logit[0, 0, rows, columns].float().sigmoid().cpu().numpy()
        at_least = min(0.5, float(probability.max()))
        down, right = np.nonzero(probability >= at_least)
        return down + rows.start, right + columns.start


def moved_origin(origin: CellOrigin, view: View) -> CellOrigin:
    """The same cell as counted in another view of the same scale and grid, see `views_around`."""
    stride = STRIDES[origin.level]
    down = round((origin.view.y0 - view.y0) * view.scale) // stride
    right = round((origin.view.x0 - view.x0) * view.scale) // stride
    return CellOrigin(view, origin.level, origin.row + down, origin.col + right)


def cells_within(start: float, end: float, stride: int, count: int) -> slice:
    """Cells whose middle lies within (start, end) px; the one at the middle when there is none."""
    first, last = int(np.ceil(start / stride - 0.5)), int(np.floor(end / stride - 0.5))
    if last < first:
        first = last = int((start + end) / 2 // stride)
    first = min(max(first, 0), count - 1)
    return slice(first, max(min(last, count - 1), first) + 1)


def _within(box: FloatArray, margin: float, shape: tuple[int, ...]) -> Region:
    parts = []
    for axis, length in ((1, shape[0]), (0, shape[1])):
        start = min(max(int(np.floor(box[axis] - margin)), 0), length - 1)
        parts.append(slice(start, max(min(int(np.ceil(box[axis + 2] + margin)), length), start + 1)))
    return parts[0], parts[1]
