import math

import pytest
import torch

from core.training.mask_loss import ENTROPY_WEIGHT, mask_loss


def targets(flaw, weight):
    return torch.stack((torch.tensor(flaw), torch.tensor(weight)))[None]


def logits(*values):
    return torch.tensor(values)[None, None]


def test_the_entropy_is_the_weighted_mean():
    """Cells of weight 1 and 3 at logit 0: the mean of ln 2 is ln 2, whatever the weights."""
    parts = mask_loss(logits([0.0, 0.0]), targets([[1.0, 0.0]], [[1.0, 3.0]]))
    assert float(parts["mask"]) == pytest.approx(ENTROPY_WEIGHT * math.log(2))


def test_the_overlap_is_one_less_the_dice_coefficient():
    """p = 0.5 on a flaw of weight 2 and on background of weight 1: (2 * 1 + 1) / (1 + 2 + 0.5 + 1)."""
    parts = mask_loss(logits([0.0, 0.0]), targets([[1.0, 0.0]], [[2.0, 1.0]]))
    assert float(parts["overlap"]) == pytest.approx(1 - 3 / 4.5)


def test_cells_without_weight_teach_nothing():
    known, more = targets([[1.0, 0.0]], [[1.0, 0.0]]), logits([2.0, 5.0])
    same = mask_loss(logits([2.0, -5.0]), known)
    for name, value in mask_loss(more, known).items():
        assert float(value) == pytest.approx(float(same[name]))


def test_a_batch_without_a_flaw_or_without_weight_is_finite():
    for weight in (0.0, 1.0):
        parts = mask_loss(logits([-9.0, -9.0]), targets([[0.0, 0.0]], [[weight, weight]]))
        assert all(torch.isfinite(value) for value in parts.values())
        assert float(parts["mask"]) < 0.01
