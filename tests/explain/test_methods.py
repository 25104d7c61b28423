"""Each method on a tiny real network, and those that need no gradient on a detector whose truth is known."""

import numpy as np
import pytest
import torch
from torch import nn

from core.domain.detections import Detections
from core.domain.explanations import Fill, Method
from core.domain.radiograph import Polarity
from core.engine.detector import Detector
from core.engine.network import IndicationNetwork
from core.explain.box_view import BoxView
from core.explain.integrated_gradients import explain_box_integrated
from core.explain.methods import explain_by
from core.explain.outline_score import OutlineOrCell
from core.explain.perturbation import CancelledError, explain_box_perturbed
from tests.artefacts import TINY
from tests.explain.planted import SPOT, Planted, planted_detections, planted_image

IMAGE = np.random.default_rng(0).random((160, 224), np.float32)


@pytest.fixture(scope="module")
def detector() -> Detector:
    torch.manual_seed(0)
    network = IndicationNetwork(TINY)
    nn.init.normal_(network.score.weight, std=0.5)
    return Detector(network, Polarity.FILM, torch.device("cpu"), dtype=torch.float32)


@pytest.fixture(scope="module")
def found(detector: Detector) -> Detections:
    found = detector.detect(IMAGE)
    area = (found.boxes[:, 2:] - found.boxes[:, :2]).prod(axis=1)
    return found.take(np.flatnonzero(area < 0.3 * IMAGE.size)[:4])


@pytest.mark.parametrize("method", list(Method))
def test_a_map_lies_in_the_image_and_is_the_same_again(
    method: Method, detector: Detector, found: Detections
) -> None:
    one, again = (explain_by(method, detector, IMAGE, found, 0, seed=3, masks=16) for _ in range(2))
    assert (one.values == again.values).all()
    assert one.x0 >= 0
    assert one.y0 >= 0
    assert one.x0 + one.values.shape[1] <= IMAGE.shape[1]
    assert one.y0 + one.values.shape[0] <= IMAGE.shape[0]
    assert np.abs(one.values).max() == pytest.approx(0.0 if one.is_empty else 1.0)
    assert one.is_signed == (method in (Method.INTEGRATED, Method.PERTURBED))


@pytest.mark.parametrize("method", list(Method))
def test_nothing_is_left_in_the_network(method: Method, detector: Detector, found: Detections) -> None:
    explain_by(method, detector, IMAGE, found, 1, seed=3, masks=8)
    for module in detector.network.modules():
        assert not {**module._forward_hooks, **module._forward_pre_hooks, **module._backward_hooks}
    assert all(p.grad is None and not p.requires_grad for p in detector.network.parameters())
    assert not detector.network.training


@pytest.mark.parametrize("method", list(Method))
def test_a_detection_that_is_not_there_is_refused(
    method: Method, detector: Detector, found: Detections
) -> None:
    with pytest.raises(IndexError):
        explain_by(method, detector, IMAGE, found, len(found), seed=3)


def test_integrated_gradients_sum_to_the_difference_of_the_scores(
    detector: Detector, found: Detections
) -> None:
    heat = explain_box_integrated(detector, IMAGE, found, 0, seed=3)
    around = BoxView(detector, IMAGE, found, 0)
    baseline = around.without(Fill.THIN_PLATE, around.own_region, seed=3)
    score = OutlineOrCell(detector.network, around)
    with torch.no_grad():
        there, behind = (float(score(torch.from_numpy(one)[None, None])) for one in (around.pixels, baseline))
    total = float(heat.values.sum()) * heat.peak
    assert total == pytest.approx(there - behind, abs=0.1 * abs(there - behind) + 0.02)


def test_the_view_of_a_box_keeps_its_cell(detector: Detector, found: Detections) -> None:
    for index in range(len(found)):
        around = BoxView(detector, IMAGE, found, index)
        with torch.no_grad():
            logit = OutlineOrCell(detector.network, around)(around.tensor)
        assert float(logit.sigmoid()) == pytest.approx(float(found.scores[index]), abs=0.05)


def test_perturbation_finds_the_spot_that_the_score_hangs_on() -> None:
    made = explain_box_perturbed(Planted(), planted_image(), planted_detections(), 0, seed=1, masks=240)
    y, x = np.unravel_index(made.heat_map.values.argmax(), made.heat_map.values.shape)
    assert SPOT[0].start - 3 <= made.heat_map.y0 + y <= SPOT[0].stop + 3
    assert SPOT[1].start - 3 <= made.heat_map.x0 + x <= SPOT[1].stop + 3
    assert made.masks == 240
    assert made.convergence > 0.6


def test_perturbation_tells_how_far_it_is_and_can_be_stopped() -> None:
    told: list[tuple[float, float]] = []
    detector = Planted()

    def progress(share: float, convergence: float) -> bool:
        told.append((share, convergence))
        return len(told) < 2

    with pytest.raises(CancelledError):
        explain_box_perturbed(
            detector, planted_image(), planted_detections(), 0, seed=1, masks=400, progress=progress
        )
    assert [share for share, _ in told] == [0.1, 0.2]
    assert detector.runs < 100


def test_more_masks_converge_further() -> None:
    few, many = (
        explain_box_perturbed(Planted(), planted_image(), planted_detections(), 0, seed=2, masks=n)
        for n in (16, 240)
    )
    assert many.convergence > few.convergence
