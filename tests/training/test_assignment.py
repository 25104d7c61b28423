import pytest
import torch

from core.engine.network import STRIDES
from core.training.assignment import assign, cell_centres


@pytest.fixture
def centres():
    return cell_centres([(256 // s, 256 // s) for s in STRIDES], STRIDES, torch.device("cpu"))


def flags(n, value=False):
    return torch.full((n,), value)


def test_no_box_leaves_only_background(centres):
    targets = assign(torch.zeros(0, 4), flags(0), centres, STRIDES)
    assert (targets.box_index == -1).all()


@pytest.mark.parametrize("side", [1.0, 3.0, 10.0, 47.0, 49.0, 150.0, 250.0])
def test_every_box_gets_a_cell_of_its_own_level(centres, side):
    boxes = torch.tensor([[3.0, 3.0, 3.0 + side, 3.0 + side]])
    targets = assign(boxes, flags(1), centres, STRIDES)
    positive = torch.nonzero(targets.box_index == 0).flatten()
    assert len(positive) >= 1
    level = sum(side > limit for limit in (48, 96, 192))
    first = sum((256 // s) ** 2 for s in STRIDES[:level])
    assert (positive >= first).all()
    assert (positive < first + (256 // STRIDES[level]) ** 2).all()


def test_a_hair_thin_box_gets_a_cell(centres):
    boxes = torch.tensor([[100.2, 10.0, 100.9, 40.0]])
    assert (assign(boxes, flags(1), centres, STRIDES).box_index == 0).any()


def test_where_two_boxes_compete_the_smaller_wins(centres):
    boxes = torch.tensor([[80.0, 80.0, 120.0, 120.0], [96.0, 96.0, 104.0, 104.0]])
    targets = assign(boxes, flags(2), centres, STRIDES)
    nearest = ((targets.centres - 100).abs().sum(dim=1)[: 64 * 64]).argmin()
    assert targets.box_index[nearest] == 1


def test_cells_inside_an_ignored_box_learn_nothing(centres):
    boxes = torch.tensor([[101.0, 101.0, 131.0, 131.0]])
    targets = assign(boxes, flags(1, True), centres, STRIDES)
    inside = ((targets.centres > 101) & (targets.centres < 131)).all(dim=1)
    assert (targets.box_index[inside] == -2).all()
    assert (targets.box_index[~inside] == -1).all()
