"""Integrated Gradients of one detection, from its own background to what is there."""

import torch
from captum.attr import IntegratedGradients

from core.domain.detections import Detections, FloatArray
from core.domain.explanations import Fill
from core.domain.inspection import HeatMap
from core.engine.detector import Detector
from core.explain.box_view import BoxView
from core.explain.outline_score import OutlineOrCell
from core.explain.placement import place_view

#: Points of the path; the attributions then sum to the difference of the scores within a few per cent.
STEPS = 8
_AT_ONCE = 4


def explain_box_integrated(
    detector: Detector, image: FloatArray, detections: Detections, index: int, *, seed: int
) -> HeatMap:
    """The signed share of each px in the score of one detection, in px of the image.

    Sundararajan et al. 2017 (arXiv 1703.01365) with two differences: the baseline is the radiograph with the
    region of the box filled with its own background by a thin plate, as black or white means thick or thin
    metal here and nothing is "missing" about it; and the score is the logit of the raw prediction that
    survived merging, or of the mask head where it alone saw the indication. What lies outside of the filled
    region is the same at both ends of the path and gets nothing.

    Args:
        detector: its float32 network runs, under its lock.
        image: (H, W) float32, normalised for this detector.
        detections: of that image.
        index: of the detection.
        seed: of the noise in the baseline.

    Returns:
        A signed map over the region of the box, empty when nothing contributed.

    Raises:
        IndexError: when there is no such detection.
        ValueError: when its box covers the whole image.
    """
    around = BoxView(detector, image, detections, index)
    baseline = torch.from_numpy(around.without(Fill.THIN_PLATE, around.own_region, seed=seed))
    with detector.lock, torch.enable_grad():
        attribution = IntegratedGradients(OutlineOrCell(detector.network, around)).attribute(
            around.tensor.detach().clone(),
            baselines=baseline[None, None].to(around.tensor.device),
            n_steps=STEPS,
            internal_batch_size=_AT_ONCE,
        )
    values: FloatArray = attribution[0, 0].detach().float().cpu().numpy()
    return place_view(values, around.view, around.own_region, image.shape, is_signed=True)
