import numpy as np
import pytest
import torch

from core.domain.detections import View
from core.engine.decoding import MAX_PER_VIEW, Candidates, candidates_of, raw_boxes
from core.engine.network import HEAD_CLASSES, STRIDES, LevelOutput


def silent_outputs(batch: int = 1, side: int = 64) -> list[LevelOutput]:
    """No cell has a score; all distances are one stride, no class has evidence."""
    levels = []
    for stride in STRIDES:
        size = (side // stride, side // stride)
        levels.append(
            LevelOutput(
                torch.full((batch, 1, *size), -20.0),
                torch.full((batch, 4, *size), float(stride)),
                torch.zeros((batch, len(HEAD_CLASSES), *size)),
            )
        )
    return levels


def test_nothing_above_the_floor_gives_no_candidates():
    (found,) = candidates_of(silent_outputs(), [0.01])
    assert found.scores.shape == (0,)
    assert found.distances.shape == (0, 4)
    assert len(raw_boxes(found, View(0, 0, 64, 64), 0, (64, 64)).scores) == 0


def test_a_cell_becomes_the_box_around_its_centre():
    outputs = silent_outputs()
    outputs[1].score_logit[0, 0, 2, 5] = 0.0
    outputs[1].distances[0, :, 2, 5] = torch.tensor([1.0, 2.0, 3.0, 4.0])
    outputs[1].class_logits[0, 3, 2, 5] = 9.0
    (found,) = candidates_of(outputs, [0.3])
    raw = raw_boxes(found, View(100, 200, 164, 264), 7, (1000, 1000))
    x, y = 100 + 5.5 * 8, 200 + 2.5 * 8
    assert raw.boxes.tolist() == [[x - 1, y - 2, x + 3, y + 4]]
    assert raw.scores.tolist() == [0.5]
    assert raw.cell.tolist() == [[1, 2, 5]]
    assert raw.class_id.tolist() == [3]
    assert raw.view_index.tolist() == [7]


def test_a_view_at_quarter_scale_is_four_times_as_large():
    outputs = silent_outputs()
    outputs[0].score_logit[0, 0, 3, 3] = 5.0
    raw = raw_boxes(candidates_of(outputs, [0.3])[0], View(0, 0, 256, 256, 0.25), 0, (256, 256))
    assert raw.boxes.tolist() == [[4 * (14 - 4), 4 * (14 - 4), 4 * (14 + 4), 4 * (14 + 4)]]


def test_what_lies_in_the_padding_goes_and_what_reaches_into_it_is_clipped():
    outputs = silent_outputs()
    outputs[0].score_logit[0, 0, 0, 14] = 5.0  # centre at x = 58, left of it up to 54
    outputs[0].score_logit[0, 0, 0, 12] = 4.0  # centre at x = 50
    raw = raw_boxes(candidates_of(outputs, [0.3])[0], View(0, 0, 52, 64), 0, (52, 64))
    assert raw.boxes.tolist() == [[46, 0, 52, 6]]


@pytest.mark.parametrize(("best", "expected"), [(5.0, 2), (1.0, -1)])
def test_a_class_needs_half_of_the_softmax(best, expected):
    outputs = silent_outputs()
    outputs[2].score_logit[0, 0, 1, 1] = 1.0
    outputs[2].class_logits[0, 2, 1, 1] = best
    raw = raw_boxes(candidates_of(outputs, [0.3])[0], View(0, 0, 64, 64), 0, (64, 64))
    assert raw.class_id.tolist() == [expected]


def test_equal_scores_keep_the_order_of_the_cells_and_only_so_many_pass():
    outputs = silent_outputs(side=256)
    outputs[0].score_logit[:] = 1.0
    outputs[3].score_logit[0, 0, 4, 4] = 2.0
    (found,) = candidates_of(outputs, [0.3])
    assert len(found.scores) == MAX_PER_VIEW
    assert found.cell[:3].tolist() == [[3, 4, 4], [0, 0, 0], [0, 0, 1]]


@pytest.mark.parametrize(("side", "expected"), [(1280, MAX_PER_VIEW), (1536, 4500)])
def test_a_view_larger_than_a_whole_image_may_pass_on_more(side, expected):
    outputs = silent_outputs(side=side)
    outputs[0].score_logit[:] = 0.0
    (found,) = candidates_of(outputs, [0.3])
    assert len(found.scores) == expected


def test_each_view_of_a_batch_has_its_own_floor_and_what_it_would_have_alone():
    torch.manual_seed(4)
    outputs = [LevelOutput(*(torch.randn_like(part) for part in level)) for level in silent_outputs(batch=3)]
    floors = [0.5, 0.999999, 0.8]
    together = candidates_of(outputs, floors)
    assert [len(found.scores) > 0 for found in together] == [True, False, True]
    for i, found in enumerate(together):
        one = [LevelOutput(*(part[i : i + 1] for part in level)) for level in outputs]
        (alone,) = candidates_of(one, [floors[i]])
        for name in Candidates.__slots__:
            np.testing.assert_allclose(getattr(found, name), getattr(alone, name), rtol=1e-6)
        assert (found.scores >= np.float32(floors[i])).all()
