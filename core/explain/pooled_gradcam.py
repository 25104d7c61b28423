"""Pooled Grad-CAM: the classic one, to compare the others with."""

import torch
from captum.attr import LayerGradCam

from core.domain.detections import Detections, FloatArray
from core.domain.inspection import HeatMap
from core.engine.detector import Detector
from core.engine.network import STRIDES
from core.explain.placement import place
from core.explain.score_at_cell import ScoreAtCell, pyramid_of


def explain_box_pooled(detector: Detector, image: FloatArray, detections: Detections, index: int) -> HeatMap:
    """Grad-CAM with the gradient averaged over the whole level (Selvaraju et al. 2017), in px of the image.

    Because the average forgets where the box is, maps of different boxes of one view look alike and
    reach over all of it: see `explain_box` for the one that the product shows.

    Args:
        detector: its float32 network runs, under its lock.
        image: (H, W) float32, normalised for this detector.
        detections: of that image.
        index: of the detection.

    Returns:
        A map over everything positive in the view, empty when nothing is.
    """
    origin = detections.origins[index]
    with detector.lock:
        features = pyramid_of(detector, image, origin.view)[origin.level]
        score = ScoreAtCell(detector.network, origin.level, origin.row, origin.col)
        with torch.enable_grad():
            inputs = features.detach().clone().requires_grad_()
            attribution = LayerGradCam(score, score.tap).attribute(inputs, relu_attributions=True)
    return place(
        attribution[0, 0].detach().float().cpu().numpy(),
        first_row=0,
        first_col=0,
        origin=origin,
        stride=STRIDES[origin.level],
        box=detections.boxes[index],
        image_shape=image.shape,
    )
