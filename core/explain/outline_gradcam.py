"""Grad-CAM of an indication that only the mask head saw."""

import torch
from captum.attr import LayerGradientXActivation

from core.domain.detections import FloatArray
from core.domain.inspection import HeatMap
from core.engine.detector import Detector
from core.engine.network import STRIDES
from core.explain.box_view import BoxView
from core.explain.outline_score import OutlineOrCell
from core.explain.placement import place


def explain_outline(
    detector: Detector, around: BoxView, box: FloatArray, image_shape: tuple[int, ...]
) -> HeatMap:
    """As `explain_box`, at the finest level of the pyramid, of the mask head's mean logit in the outline.

    What reached the mask head past the pyramid, through the stem, is not in it.

    Args:
        detector: its float32 network runs, under its lock.
        around: the indication; it must be one from the mask head.
        box: (4,) xyxy px of the image.
        image_shape: (H, W).

    Raises:
        ValueError: when the box head saw the indication too.
    """
    mask = detector.network.mask
    if around.outline is None or mask is None:
        raise ValueError("this indication has a box of its own: use explain_box")
    with detector.lock, torch.enable_grad():
        view = around.tensor.detach().clone().requires_grad_()
        attribution = LayerGradientXActivation(
            OutlineOrCell(detector.network, around), mask.reduce
        ).attribute(view, attribute_to_layer_input=True)
    cells: FloatArray = attribution[0].detach().float().sum(dim=0).clamp(min=0).cpu().numpy()
    rows, columns = (
        slice(max(0, part.start // STRIDES[0] - 1), -(-part.stop // STRIDES[0]) + 1) for part in around.window
    )
    return place(
        cells[rows, columns],
        first_row=rows.start,
        first_col=columns.start,
        origin=around.cell,
        stride=STRIDES[0],
        box=box,
        image_shape=image_shape,
    )
