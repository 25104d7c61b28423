"""Losses of the network."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.ops import generalized_box_iou_loss

from core.engine.network import STRIDES, LevelOutput
from core.training.assignment import assign, cell_centres
from core.training.together import ALONE, Together

BOX_WEIGHT = 2.0
CLASS_WEIGHT = 1.0
FOCUSING = 2.0


def detection_loss(
    outputs: Sequence[LevelOutput],
    boxes: Sequence[Tensor],
    class_ids: Sequence[Tensor],
    is_ignored: Sequence[Tensor],
    *,
    together: Together = ALONE,
) -> dict[str, Tensor]:
    """The three parts of the loss of a batch, each a scalar, already weighted.

    `score`: quality focal loss, the score learns the IoU of its own box (Li et al. 2020,
    arXiv 2006.04388). `box`: generalised IoU loss. `class`: cross-entropy, only where the class is
    known (id >= 0).

    Args:
        outputs: of the network, one for each level.
        boxes: for each image (N, 4) xyxy, px of the view.
        class_ids: for each image (N,) int64, -1 where the class is not known.
        is_ignored: for each image (N,) bool.
        together: the processes whose images are one batch; the sum of what each returns is the loss.
    """
    scores, distances, classes = (_flatten(outputs, part) for part in range(3))
    sizes = [(o.score_logit.shape[2], o.score_logit.shape[3]) for o in outputs]
    level_centres = cell_centres(sizes, STRIDES, scores.device)
    targets = [assign(b, i, level_centres, STRIDES) for b, i in zip(boxes, is_ignored, strict=True)]
    index = torch.stack([t.box_index for t in targets])
    image, cell = torch.nonzero(index >= 0, as_tuple=True)
    first = torch.tensor([0, *(len(b) for b in boxes[:-1])], device=index.device).cumsum(0)
    number = first[image] + index[image, cell]
    ids = torch.cat(list(class_ids))[number]
    is_known = ids >= 0
    n_cells, n_known = together.total(torch.stack([torch.tensor(len(cell)), is_known.sum().cpu()])).tolist()
    count = max(n_cells, 1)
    quality = torch.zeros_like(scores[..., 0])
    box_loss = distances.sum() * 0.0
    class_loss = classes.sum() * 0.0
    if len(cell):
        wanted = torch.cat(list(boxes))[number]
        found = _decode(targets[0].centres[cell], distances[image, cell])
        box_loss = generalized_box_iou_loss(found, wanted, reduction="sum") / count
        quality[image, cell] = _paired_iou(found.detach(), wanted)
        if is_known.any():
            logits = classes[image, cell][is_known]
            class_loss = functional.cross_entropy(logits, ids[is_known], reduction="sum") / n_known
    is_counted = index != -2
    score_loss = _quality_focal(scores[..., 0], quality)[is_counted].sum() / count
    return {"score": score_loss, "box": BOX_WEIGHT * box_loss, "class": CLASS_WEIGHT * class_loss}


def _flatten(outputs: Sequence[LevelOutput], part: int) -> Tensor:
    """(B, L, C) float32: one field of all levels, cells in the order of `cell_centres`."""
    return torch.cat([o[part].flatten(2).transpose(1, 2).float() for o in outputs], dim=1)


def _decode(centres: Tensor, distances: Tensor) -> Tensor:
    """(N, 4) xyxy from centres (N, 2) and distances (N, 4)."""
    return torch.cat((centres - distances[:, :2], centres + distances[:, 2:]), dim=1)


def _paired_iou(a: Tensor, b: Tensor) -> Tensor:
    """(N,) IoU of row i of `a` with row i of `b`."""
    overlap = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0).prod(dim=1)
    areas = (a[:, 2:] - a[:, :2]).clamp(min=0).prod(dim=1) + (b[:, 2:] - b[:, :2]).prod(dim=1)
    return overlap / (areas - overlap).clamp(min=1e-6)


def _quality_focal(logits: Tensor, quality: Tensor) -> Tensor:
    """Quality focal loss of each cell."""
    entropy = functional.binary_cross_entropy_with_logits(logits, quality, reduction="none")
    return (quality - logits.sigmoid()).abs().pow(FOCUSING) * entropy
