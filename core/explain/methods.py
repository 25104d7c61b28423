"""The map of a box by each method."""

from dataclasses import replace

from core.domain.detections import Detections, FloatArray
from core.domain.explanations import Method
from core.domain.inspection import HeatMap
from core.engine.detector import Detector
from core.explain.box_gradcam import explain_box_nearby
from core.explain.box_view import BoxView
from core.explain.integrated_gradients import explain_box_integrated
from core.explain.outline_gradcam import explain_outline
from core.explain.perturbation import MASKS, explain_box_perturbed
from core.explain.pooled_gradcam import explain_box_pooled

#: What an empty map means.
WHY_EMPTY = {
    Method.GRADCAM: "no cell near the box raised its score",
    Method.POOLED: "averaged over the view, the gradient raises the score nowhere",
    Method.INTEGRATED: "the score is the same without the region",
    Method.PERTURBED: "nothing that was hidden changed the score",
}


def explain_by(
    method: Method,
    detector: Detector,
    image: FloatArray,
    detections: Detections,
    index: int,
    *,
    seed: int,
    masks: int = MASKS,
) -> HeatMap:
    """The map of one detection.

    Args:
        method: how it is made.
        detector: that reported the box.
        image: (H, W) float32, normalised for it.
        detections: of that image.
        index: of the detection.
        seed: of what is drawn by chance.
        masks: of the perturbation.

    Raises:
        IndexError: when there is no such detection.
        ValueError: when the box covers the whole image and the method needs its background.
    """
    heat = _made(method, detector, image, detections, index, seed=seed, masks=masks)
    return replace(heat, why_empty=WHY_EMPTY[method]) if heat.is_empty else heat


def _made(
    method: Method,
    detector: Detector,
    image: FloatArray,
    detections: Detections,
    index: int,
    *,
    seed: int,
    masks: int,
) -> HeatMap:
    if method is Method.INTEGRATED:
        return explain_box_integrated(detector, image, detections, index, seed=seed)
    if method is Method.PERTURBED:
        return explain_box_perturbed(detector, image, detections, index, seed=seed, masks=masks).heat_map
    if method is Method.POOLED:
        return explain_box_pooled(detector, image, detections, index)
    outlines = detections.outlines
    if outlines is not None and 0 <= index < len(outlines) and outlines[index] is not None:
        around = BoxView(detector, image, detections, index)
        if around.is_from_mask:
            return explain_outline(detector, around, detections.boxes[index], image.shape)
    return explain_box_nearby(detector, image, detections, index)
