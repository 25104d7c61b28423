"""Per-box Grad-CAM: where in the image the score of one detection came from."""

import torch
from captum.attr import LayerGradientXActivation
from torch import Tensor

from core.domain.detections import CellOrigin, Detections, FloatArray
from core.domain.inspection import HeatMap
from core.engine.detector import Detector
from core.engine.network import STRIDES
from core.explain.box_view import moved_origin
from core.explain.placement import place
from core.explain.reading_again import views_around
from core.explain.score_at_cell import ScoreAtCell, around, pyramid_of, reach_of


def explain_box(detector: Detector, image: FloatArray, detections: Detections, index: int) -> HeatMap:
    """The evidence for one detection, in px of the image.

    Gradient times activation, element-wise, at the pyramid level and cell of the raw prediction that
    survived merging, summed over channels, negative parts dropped. After Selvaraju et al. 2017
    (Grad-CAM, arXiv 1610.02391) with two differences: the gradient is not averaged over space, which
    for a detector gives nearly the same map for every box, and the score is that of one cell.

    The score of a cell sees the pyramid within a few cells only (three with two tower convolutions), so
    a map never reaches further; what the features themselves saw beyond that is not in it. The map of a
    box joined from several tiles explains its best member, whose score it bears.

    Args:
        detector: its float32 network runs, under its lock.
        image: (H, W) float32, normalised for this detector.
        detections: of that image.
        index: of the detection.

    Returns:
        A map over the box and a margin of half its longer side (at least 16 px), empty when nothing
        contributed positively.

    Raises:
        IndexError: when there is no such detection.
    """
    _check(detections, index)
    return _explained(detector, image, detections.origins[index], detections.boxes[index])


def explain_box_nearby(detector: Detector, image: FloatArray, detections: Detections, index: int) -> HeatMap:
    """As `explain_box`, from the surroundings of the box alone: a fraction of its time on a large view.

    What the features saw further away than `CONTEXT_PX` is missing; "without it" reads the same part.

    Args:
        detector: its float32 network runs, under its lock.
        image: (H, W) float32, normalised for this detector.
        detections: of that image.
        index: of the detection.

    Raises:
        IndexError: when there is no such detection.
    """
    _check(detections, index)
    origin, box = detections.origins[index], detections.boxes[index]
    view = views_around(box, origin, image.shape)[-1]
    return _explained(detector, image, moved_origin(origin, view), box)


def _explained(detector: Detector, image: FloatArray, origin: CellOrigin, box: FloatArray) -> HeatMap:
    with detector.lock:
        pyramid = pyramid_of(detector, image, origin.view)
        attribution, first_row, first_col = _attribute(detector, pyramid[origin.level], origin)
    evidence = attribution[0].sum(dim=0).clamp(min=0)
    return place(
        evidence.cpu().numpy(),
        first_row=first_row,
        first_col=first_col,
        origin=origin,
        stride=STRIDES[origin.level],
        box=box,
        image_shape=image.shape,
    )


def _attribute(detector: Detector, features: Tensor, origin: CellOrigin) -> tuple[Tensor, int, int]:
    """(1, C, h, w) gradient times activation of the cells that the score can see; first row, first column.

    Only those cells run through the head: further ones cannot change the score, so the result is the
    same as on the whole map.
    """
    seen, first_row, first_col = around(features, origin, reach_of(detector.network))
    score = ScoreAtCell(detector.network, origin.level, origin.row - first_row, origin.col - first_col)
    with torch.enable_grad():
        inputs = seen.detach().clone().requires_grad_()
        attribution = LayerGradientXActivation(score, score.tap).attribute(inputs)
    return attribution.detach().float(), first_row, first_col


def _check(detections: Detections, index: int) -> None:
    if not 0 <= index < len(detections):
        raise IndexError(f"detection {index} of {len(detections)}")
