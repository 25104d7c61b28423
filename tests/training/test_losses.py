import pytest
import torch

from core.engine.network import HEAD_CLASSES, STRIDES, LevelOutput
from core.training.losses import detection_loss

SIDE = 64


def outputs(score=-8.0, distance=8.0):
    levels = []
    for stride in STRIDES:
        n = SIDE // stride
        levels.append(
            LevelOutput(
                torch.full((1, 1, n, n), score, requires_grad=True),
                torch.full((1, 4, n, n), distance, requires_grad=True),
                torch.zeros((1, len(HEAD_CLASSES), n, n), requires_grad=True),
            )
        )
    return levels


def loss(levels, boxes, class_id=-1, is_ignored=False):
    n = len(boxes)
    return detection_loss(
        levels,
        [torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)],
        [torch.full((n,), class_id)],
        [torch.full((n,), is_ignored)],
    )


def test_an_empty_image_teaches_the_score_only():
    parts = loss(outputs(), [])
    assert parts["box"] == 0
    assert parts["class"] == 0
    assert parts["score"] > 0


def test_a_perfect_box_has_no_box_loss():
    levels = outputs()
    with torch.no_grad():  # the one cell whose centre is (30, 30), at stride 4: 7.5 -> row and column 7
        levels[0].distances[:] = 0.5
        levels[0].distances[0, :, 7, 7] = torch.tensor([1.0, 1.0, 1.0, 1.0])
    assert loss(levels, [[29.0, 29.0, 31.0, 31.0]])["box"].item() == pytest.approx(0, abs=1e-6)


def test_the_class_is_learnt_only_where_it_is_known():
    box = [[20.0, 20.0, 40.0, 40.0]]
    assert loss(outputs(), box)["class"] == 0
    expected = torch.log(torch.tensor(float(len(HEAD_CLASSES))))
    assert loss(outputs(), box, class_id=2)["class"].item() == pytest.approx(float(expected), rel=1e-5)


def test_a_confident_false_call_costs_more_than_a_faint_one():
    assert loss(outputs(score=3.0), [])["score"] > loss(outputs(score=-3.0), [])["score"]


def test_an_ignored_box_hides_the_cells_inside_it():
    box = [[0.0, 0.0, float(SIDE), float(SIDE)]]
    assert loss(outputs(score=3.0), box, is_ignored=True)["score"] == 0


def test_gradients_reach_every_part():
    levels = outputs()
    torch.stack(list(loss(levels, [[20.0, 20.0, 40.0, 40.0]], class_id=1).values())).sum().backward()
    for part in levels[0]:
        assert part.grad is not None
        assert part.grad.abs().sum() > 0
