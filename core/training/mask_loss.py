"""The loss of the mask head."""

import torch
from torch import Tensor
from torch.nn import functional

from core.training.together import ALONE, Together

ENTROPY_WEIGHT = 8.0
#: Keeps the overlap defined for a batch without a flaw.
_SMOOTH = 1.0


def mask_loss(logits: Tensor, targets: Tensor, together: Together = ALONE) -> dict[str, Tensor]:
    """The two parts of the loss of a batch, each a scalar, already weighted.

    `mask`: weighted mean of the cross-entropy. `overlap`: 1 minus the Dice coefficient of the whole batch,
    so that a crop without a flaw costs nothing of its own (Milletari et al. 2016, arXiv 1606.04797, with
    weights and over the batch).

    Args:
        logits: (B, 1, h, w), before the sigmoid.
        targets: (B, 2, h, w): share of each cell that is flaw, 0..1, and its weight, not negative.
        together: the processes whose images are one batch; the sum of what each returns is the loss.
    """
    target, weight = targets[:, :1], targets[:, 1:]
    logits = logits.float()
    entropy = functional.binary_cross_entropy_with_logits(logits, target, weight=weight, reduction="sum")
    found = logits.sigmoid()
    shared, both = (weight * found * target).sum(), (weight * (found + target)).sum()
    shared, both, known = together.total(torch.stack([shared, both, weight.sum()]))
    return {
        "mask": ENTROPY_WEIGHT * entropy / known.clamp(min=1.0),
        "overlap": (1 - (2 * shared + _SMOOTH) / (both + _SMOOTH)) / together.count,
    }
