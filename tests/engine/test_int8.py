import numpy as np
import pytest
import torch
from torchvision.ops import box_iou

from core.domain.errors import ModelArtefactError
from core.domain.radiograph import Polarity
from core.engine import detector as detector_module
from core.engine.arithmetic import convolutions_of, run
from core.engine.detector import Detector
from core.engine.int8 import Int8Network, Scale, has_fast_int8
from core.engine.network import IndicationNetwork, NetworkConfig
from core.engine.ranges import FILE, Measuring, Ranges, ranges_of, read_ranges
from core.imaging.normalise import normalise
from core.imaging.read import read_radiograph_file
from core.labelling.coco import read_coco

needs_int8 = pytest.mark.skipif(not has_fast_int8(), reason="this processor has no fast 8-bit integers")


def randomised(*, has_mask: bool) -> IndicationNetwork:
    """A small network whose every layer says something."""
    torch.manual_seed(5)
    network = IndicationNetwork(
        NetworkConfig(stem_width=8, widths=(8, 16, 16, 24), channels=16, has_mask=has_mask)
    )
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.3, 0.3)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -0.2, 0.2)
    torch.nn.init.normal_(network.score.weight, std=0.2)
    torch.nn.init.normal_(network.distances.weight, std=0.2)
    torch.nn.init.constant_(network.score.bias, -1.0)
    return network.eval()


@pytest.fixture(params=[False, True], ids=["boxes", "outlines"])
def network(request) -> IndicationNetwork:
    return randomised(has_mask=request.param)


@pytest.fixture
def view() -> torch.Tensor:
    return torch.rand(1, 1, 96, 128)


def outputs(found):
    maps = [part for level in found.levels for part in level]
    return maps if found.mask_logit is None else [*maps, found.mask_logit]


@torch.inference_mode()
def test_layers_one_by_one_give_what_the_network_gives(network, view):
    one_by_one = run(network, Measuring(convolutions_of(network)), view)
    for found, expected in zip(outputs(one_by_one), outputs(network.predict(view)), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


@needs_int8
@torch.inference_mode()
def test_8_bit_integers_stay_close_to_floating_point(network, view):
    fast = Int8Network(network, ranges_of(network, [view], weights_sha256="a"))
    expected = network.predict(view)
    for _ in range(2):  # a second run finds the weights laid out
        found = fast.predict(view)
        for ours, theirs in zip(outputs(found), outputs(expected), strict=True):
            assert ours.shape == theirs.shape
            assert float((ours - theirs).abs().mean()) < 0.04 * float(theirs.abs().max())
            assert np.corrcoef(ours.flatten(), theirs.flatten())[0, 1] > 0.98


@needs_int8
@torch.inference_mode()
def test_a_view_of_another_size_runs_with_the_same_weights(network, view):
    fast = Int8Network(network, ranges_of(network, [view], weights_sha256="a"))
    fast.predict(view)
    wider = torch.rand(1, 1, 64, 160)
    found, expected = fast.predict(wider).levels[0], network.predict(wider).levels[0]
    assert float((found.score_logit - expected.score_logit).abs().mean()) < 0.05


@pytest.mark.parametrize(
    ("low", "high", "scale"),
    [(0.0, 255.0, (1.0, 0)), (0.0, 5.1, (0.02, 0)), (-1.0, 1.55, (0.01, 100)), (-2.55, 0.0, (0.01, 255))],
)
def test_a_range_becomes_a_step_and_a_zero(low, high, scale):
    assert Scale.of(low, high) == pytest.approx(scale)


def test_an_empty_range_has_a_step_all_the_same():
    assert Scale.of(0.0, 0.0).step > 0


def test_ranges_grow_with_every_view(network):
    dark, bright = torch.zeros(1, 1, 64, 64), torch.ones(1, 1, 64, 64)
    one = ranges_of(network, [dark], weights_sha256="a").limits
    both = ranges_of(network, [dark, bright], weights_sha256="a").limits
    assert one.keys() == both.keys()
    assert all(both[n][0] <= one[n][0] and both[n][1] >= one[n][1] for n in one)
    assert both != one


def test_ranges_survive_their_json():
    ranges = Ranges("ab", {"backbone.stem": (0.0, 1.25), "pyramid.layer.0": (-0.5, 0.75)})
    assert Ranges.from_json(ranges.to_json()) == ranges


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"weights_sha256": "ab"}',
        '{"weights_sha256": "ab", "limits": {"a": [1]}}',
        '{"weights_sha256": "ab", "limits": {"a": [1, 2]}}',
        '{"weights_sha256": "ab", "limits": {"a": [0, Infinity]}}',
    ],
)
def test_a_damaged_file_of_ranges_is_one_clear_error(text):
    with pytest.raises(ModelArtefactError, match="not the ranges"):
        Ranges.from_json(text)


def test_ranges_of_other_weights_are_refused(tmp_path):
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(b"weights")
    assert read_ranges(weights) is None
    (tmp_path / FILE).write_text(Ranges("0" * 64, {}).to_json())
    with pytest.raises(ModelArtefactError, match="of weights 000000000000, not"):
        read_ranges(weights)


@pytest.mark.parametrize(
    ("is_fast", "dtype", "number_format"),
    [
        pytest.param(True, None, "int8", marks=needs_int8),
        (False, None, "float32"),
        (True, torch.float32, "float32"),
    ],
)
def test_8_bit_integers_are_taken_where_they_are_fast_and_nothing_else_is_asked_for(
    network, view, is_fast, dtype, number_format, monkeypatch
):
    monkeypatch.setattr(detector_module, "has_fast_int8", lambda: is_fast)
    monkeypatch.setattr(detector_module, "fast_dtype", lambda device: None)
    ranges = ranges_of(network, [view], weights_sha256="a")
    detector = Detector(network, Polarity.FILM, torch.device("cpu"), dtype=dtype, ranges=ranges)
    assert detector.number_format == number_format
    assert Detector(network, Polarity.FILM, torch.device("cpu")).number_format == "float32"
    assert len(detector.detect(view[0, 0].numpy())) > 0


@needs_int8
def test_a_detector_gives_what_floating_point_gives_on_request(network, view):
    plain = Detector(network, Polarity.FILM, torch.device("cpu"))
    fast = Detector(
        network, Polarity.FILM, torch.device("cpu"), ranges=ranges_of(network, [view], weights_sha256="a")
    )
    image = view[0, 0].numpy()
    assert (plain.in_floating_point(), fast.number_format) == (plain, "int8")
    exact, again = plain.detect(image), fast.in_floating_point().detect(image)
    np.testing.assert_array_equal(again.boxes, exact.boxes)
    np.testing.assert_array_equal(again.scores, exact.scores)


def test_ranges_that_lack_a_map_are_refused(network, view, monkeypatch):
    monkeypatch.setattr(detector_module, "has_fast_int8", lambda: True)
    limits = dict(ranges_of(network, [view], weights_sha256="a").limits)
    del limits["pyramid.layer.0"]
    with pytest.raises(ModelArtefactError, match="pyramid.layer.0"):
        Detector(network, Polarity.FILM, torch.device("cpu"), ranges=Ranges("a", limits))


@needs_int8
@pytest.mark.parametrize("name", ["casting-v4", "casting-any-v2"])
def test_a_shipped_version_sees_the_same_in_8_bit_integers(name, repository, gdxray):
    weights = repository / "models" / "checkpoints" / name / "weights.safetensors"
    detectors = [Detector.load(weights), Detector.load(weights, dtype=torch.float32)]
    assert [one.number_format for one in detectors] == ["int8", "float32"]
    for entry in read_coco(gdxray / "castings.json").images[::170]:
        image = normalise(read_radiograph_file(gdxray / entry.file_name).pixels)
        ours, exact = (detector.detect(image, score_floor=0.1) for detector in detectors)
        strong = exact.above(0.3)
        overlap = box_iou(torch.from_numpy(strong.boxes), torch.from_numpy(ours.boxes)).numpy()
        assert (overlap.max(axis=1, initial=0) > 0.7).all(), entry.file_name
        assert ours.scores[overlap.argmax(axis=1)] == pytest.approx(strong.scores, abs=0.06)
