"""On a tiny real network; the shipped one is tested in test_shipped_maps.py."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from captum.attr import LayerGradientXActivation
from torch import nn

from core.domain.detections import CellOrigin, Detections, View
from core.domain.indication import IndicationClass
from core.domain.inspection import HeatMap
from core.domain.radiograph import Polarity
from core.engine.detector import Detector
from core.engine.network import STRIDES, IndicationNetwork
from core.explain.box_gradcam import explain_box, explain_box_nearby
from core.explain.placement import place
from core.explain.pooled_gradcam import explain_box_pooled
from tests.artefacts import TINY

IMAGE = np.random.default_rng(0).random((160, 224), np.float32)
WHOLE = View(0, 0, 224, 160)


def _detector(seed: int = 0) -> Detector:
    torch.manual_seed(seed)
    network = IndicationNetwork(TINY)
    nn.init.normal_(network.score.weight, std=0.3)
    return Detector(network, Polarity.FILM, torch.device("cpu"))


@pytest.fixture(scope="module")
def detector() -> Detector:
    return _detector()


def _detections(*cells: tuple[int, int, int], view: View = WHOLE) -> Detections:
    """One detection at each (level, row, col), its box four cells wide."""
    boxes = []
    for level, row, col in cells:
        px = STRIDES[level] / view.scale
        x, y = view.x0 + (col + 0.5) * px, view.y0 + (row + 0.5) * px
        boxes.append([x - 2 * px, y - 2 * px, x + 2 * px, y + 2 * px])
    n = len(cells)
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.linspace(0.9, 0.5, n, dtype=np.float32),
        (IndicationClass.UNCLASSIFIED,) * n,
        tuple(CellOrigin(view, *cell) for cell in cells),
    )


def _on_canvas(heat: HeatMap) -> np.ndarray:
    """The unscaled map in the whole image."""
    canvas = np.zeros(IMAGE.shape, np.float32)
    height, width = heat.values.shape
    canvas[heat.y0 : heat.y0 + height, heat.x0 : heat.x0 + width] = heat.values * heat.peak
    return canvas


class _WholeNetwork(nn.Module):
    """The score logit of one cell with the whole network in the graph: the slow, plain way."""

    def __init__(self, network: IndicationNetwork, level: int, row: int, col: int) -> None:
        super().__init__()
        self.network, self.level, self.row, self.col = network, level, row, col

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.network(x)[self.level].score_logit[:, 0, self.row, self.col]


@pytest.mark.parametrize("cell", [(0, 20, 30), (0, 0, 0), (1, 5, 27), (2, 9, 13), (3, 2, 3), (3, 4, 6)])
def test_it_equals_captum_on_the_whole_network(detector: Detector, cell: tuple[int, int, int]) -> None:
    level, row, col = cell
    inputs = detector.view_tensor(IMAGE, WHOLE).requires_grad_()
    plain = LayerGradientXActivation(
        _WholeNetwork(detector.network, level, row, col), detector.network.pyramid_taps[level]
    ).attribute(inputs)
    evidence = plain[0].sum(0).clamp(min=0).detach().numpy()
    found = _detections(cell)
    expected = place(
        evidence,
        first_row=0,
        first_col=0,
        origin=found.origins[0],
        stride=STRIDES[level],
        box=found.boxes[0],
        image_shape=IMAGE.shape,
    )
    heat = explain_box(detector, IMAGE, found, 0)
    assert heat.peak > 0
    assert _on_canvas(heat) == pytest.approx(_on_canvas(expected), abs=1e-5 * heat.peak)


def test_two_boxes_of_one_image_give_different_maps(detector: Detector) -> None:
    found = _detections((1, 5, 6), (1, 6, 9), (0, 12, 14))
    canvases = [_on_canvas(explain_box(detector, IMAGE, found, index)).ravel() for index in range(3)]
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert abs(np.corrcoef(canvases[i], canvases[j])[0, 1]) < 0.9


def test_other_weights_change_the_map(detector: Detector) -> None:
    found = _detections((1, 8, 10))
    mine, other = explain_box(detector, IMAGE, found, 0), explain_box(_detector(7), IMAGE, found, 0)
    assert mine.values.shape != other.values.shape or not np.allclose(mine.values, other.values, atol=0.05)


def test_the_same_box_gives_the_same_map(detector: Detector) -> None:
    found = _detections((1, 8, 10))
    first, second = explain_box(detector, IMAGE, found, 0), explain_box(detector, IMAGE, found, 0)
    assert (first.values == second.values).all()
    assert first.peak == second.peak


def test_a_map_without_positive_evidence_is_empty() -> None:
    silent = _detector()
    with torch.no_grad():
        silent.network.score.weight.zero_()
    heat = explain_box(silent, IMAGE, _detections((1, 8, 10)), 0)
    assert heat.is_empty
    assert not heat.values.any()


def test_hooks_are_gone_and_gradients_untouched(detector: Detector) -> None:
    before = {name: p.detach().clone() for name, p in detector.network.named_parameters()}
    explain_box(detector, IMAGE, _detections((0, 8, 10), (2, 3, 4)), 1)
    for module in detector.network.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
        assert not module._backward_hooks
    for name, parameter in detector.network.named_parameters():
        assert parameter.grad is None
        assert not parameter.requires_grad
        assert torch.equal(parameter, before[name])
    assert not detector.network.training


def test_a_gradient_that_was_there_stays(detector: Detector) -> None:
    parameter = detector.network.score.weight
    parameter.grad = torch.full_like(parameter, 3.0)
    try:
        explain_box(detector, IMAGE, _detections((1, 8, 10)), 0)
        assert (parameter.grad == 3.0).all()
    finally:
        parameter.grad = None


def test_it_waits_for_the_lock_of_the_model(detector: Detector) -> None:
    done = threading.Event()

    def explain() -> None:
        explain_box(detector, IMAGE, _detections((1, 8, 10)), 0)
        done.set()

    with detector.lock:
        thread = threading.Thread(target=explain)
        thread.start()
        assert not done.wait(0.3)
    assert done.wait(10)
    thread.join()


def test_many_threads_get_the_maps_that_one_would(detector: Detector) -> None:
    found = _detections((0, 8, 10), (1, 5, 6), (2, 3, 4), (1, 10, 20))
    alone = [explain_box(detector, IMAGE, found, i) for i in range(4)]
    together: dict[int, np.ndarray] = {}

    def explain(index: int) -> None:
        together[index] = explain_box(detector, IMAGE, found, index % 4).values

    threads = [threading.Thread(target=explain, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all((together[i] == alone[i % 4].values).all() for i in range(12))


def test_a_view_at_quarter_scale_lands_on_its_box(detector: Detector) -> None:
    film = np.random.default_rng(1).random((640, 1024), np.float32)
    view = View(0, 0, 1024, 640, 0.25)
    found = _detections((1, 10, 16), view=view)
    heat = explain_box(detector, film, found, 0)
    x1, y1, x2, y2 = found.boxes[0]
    assert heat.x0 <= x1
    assert heat.y0 <= y1
    assert heat.x0 + heat.values.shape[1] >= x2
    assert heat.y0 + heat.values.shape[0] >= y2
    y, x = np.unravel_index(heat.values.argmax(), heat.values.shape)
    reach = 3.5 * STRIDES[1] / 0.25
    assert abs(heat.x0 + x - (x1 + x2) / 2) <= reach
    assert abs(heat.y0 + y - (y1 + y2) / 2) <= reach


@pytest.mark.parametrize("cell", [(1, 36, 36), (0, 0, 0), (0, 40, 79), (2, 19, 3)])
def test_a_prediction_beyond_the_edge_of_a_small_image_has_its_map(
    detector: Detector, cell: tuple[int, int, int]
) -> None:
    """The network sees a small image with its border repeated around it, and predicts from there too."""
    small = np.random.default_rng(2).random((256, 256), np.float32)
    found = _detections(cell, view=View(-32, -32, 288, 288))
    boxes = found.boxes.clip(0, 256)
    boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 4).clip(max=256)
    boxes[:, :2] = np.minimum(boxes[:, :2], boxes[:, 2:] - 4)
    found = replace(found, boxes=boxes)
    nearby, whole = explain_box_nearby(detector, small, found, 0), explain_box(detector, small, found, 0)
    assert (nearby.x0, nearby.y0, nearby.values.shape) == (whole.x0, whole.y0, whole.values.shape)
    np.testing.assert_allclose(nearby.values, whole.values, atol=0.05)


def test_pooled_maps_of_different_boxes_look_alike(detector: Detector) -> None:
    found = _detections((1, 4, 5), (1, 14, 22))
    assert explain_box_pooled(detector, IMAGE, found, 0).values.shape[0] > 100
    boxwise = explain_box(detector, IMAGE, found, 0)
    assert boxwise.values.size < explain_box_pooled(detector, IMAGE, found, 0).values.size


@pytest.mark.parametrize("index", [-1, 1])
def test_a_detection_that_is_not_there_is_refused(detector: Detector, index: int) -> None:
    with pytest.raises(IndexError, match="of 1"):
        explain_box(detector, IMAGE, _detections((1, 8, 10)), index)
