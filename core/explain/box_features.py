"""What the inside of a box looks like to the network, as one short vector."""

import numpy as np
import torch
from torch import Tensor

from core.domain.detections import CellOrigin, FloatArray, View
from core.engine.detector import Detector
from core.engine.network import STRIDES
from core.explain.box_view import cells_within
from core.explain.reading_again import views_around

#: So much around a box is read with it, px as the network sees them.
CONTEXT_PX = 64.0
#: A box with a longer side than this is read at the scale of the coarse pass: memory stays bounded.
_COARSE_FROM_PX, _COARSE_SCALE = 384.0, 0.25


def box_features(detector: Detector, image: FloatArray, boxes: FloatArray) -> FloatArray:
    """(N, D) float32, each of unit length: features of the pyramid pooled from each box.

    The mean over the cells whose middle lies in the box, at every level, each level scaled to unit length
    before they stand side by side (after the region features of Girshick et al. 2014, arXiv 1311.2524, with
    pooling in place of a warped crop). The box is read with its surroundings alone, so that a box of any
    origin, also one that a person drew, can be compared with one that the model reported.

    Args:
        detector: its float32 network runs, under its lock.
        image: (H, W) float32, normalised for it.
        boxes: (N, 4) xyxy px.
    """
    found = [_features(detector, image, box) for box in boxes]
    return np.stack(found) if found else np.zeros((0, 0), np.float32)


def _features(detector: Detector, image: FloatArray, box: FloatArray) -> FloatArray:
    longer = float((box[2:] - box[:2]).max())
    scale = 1.0 if longer <= _COARSE_FROM_PX else _COARSE_SCALE
    height, width = image.shape
    origin = CellOrigin(View(0, 0, width, height, scale), 0, 0, 0)
    view = views_around(box, origin, image.shape, context_px=CONTEXT_PX)[-1]
    with detector.lock, torch.inference_mode():
        pyramid = detector.network.features(detector.view_tensor(image, view))
    inside = (box - np.array([view.x0, view.y0] * 2, np.float32)) * np.float32(scale)
    parts = [_pooled(level[0], inside, stride) for level, stride in zip(pyramid, STRIDES, strict=True)]
    joined: FloatArray = np.concatenate(parts) / np.float32(np.sqrt(len(parts)))
    return joined


def _pooled(level: Tensor, box: FloatArray, stride: int) -> FloatArray:
    """(C,) of unit length: the mean of a level (C, h, w) over the cells of a box; zero where all are."""
    rows = cells_within(float(box[1]), float(box[3]), stride, level.shape[1])
    columns = cells_within(float(box[0]), float(box[2]), stride, level.shape[2])
    mean: FloatArray = level[:, rows, columns].float().mean(dim=(1, 2)).cpu().numpy()
    return mean / max(float(np.linalg.norm(mean)), 1e-9)
