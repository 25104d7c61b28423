import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from core.domain.detections import View
from core.domain.errors import ModelArtefactError
from core.domain.indication import IndicationClass
from core.domain.radiograph import Polarity
from core.engine.detector import Detector
from core.engine.fusion import Fusion
from core.engine.indications import Sighting, from_both_heads, from_boxes
from core.engine.merging import RawBoxes
from core.engine.network import HEAD_CLASSES, IndicationNetwork, NetworkConfig

#: The score of whatever saw it.
PLAIN = Fusion((0.5, 0.5, 0, 0, 0), (1, 0, 0, 0, 0), (0, 1, 0, 0, 0))
VIEWS = [View(0, 0, 1000, 200), View(0, 0, 2000, 200, 0.25), View(900, 0, 1900, 200)]


def sighting(boxes, scores, *patches):
    """Boxes of class 1 from view 0, and probabilities (x1, y1, x2, y2, value) in px."""
    n = len(boxes)
    probability = np.zeros((100, 950), np.float32)
    for x1, y1, x2, y2, value in patches:
        probability[y1 // 2 : y2 // 2, x1 // 2 : x2 // 2] = value
    raw = RawBoxes(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(scores, np.float32),
        np.zeros((n, 4), np.bool_),
        np.zeros(n, np.int64),
        np.tile(np.array([[1, 2, 3]]), (n, 1)),
        np.eye(6, dtype=np.float32)[np.ones(n, np.int64)],
    )
    return Sighting((1900, 200), raw, VIEWS, probability)


def test_without_a_fusion_the_boxes_stay_as_they_are_and_bear_what_was_drawn_within():
    patches = [
        (100, 100, 120, 120, 0.9),
        (204, 20, 216, 28, 0.9),
        (206, 12, 210, 14, 0.9),
        (216, 20, 240, 28, 0.6),
    ]
    seen = sighting([[10, 10, 30, 30], [200, 10, 220, 30]], [0.6, 0.5], *patches)
    found = from_boxes(seen)
    np.testing.assert_array_equal(found.boxes, [[10, 10, 30, 30], [200, 10, 220, 30]])
    none, outline = found.outlines
    assert none is None
    assert (outline.left, outline.top, outline.cells.shape) == (204, 20, (4, 8)), "cut at its box"
    assert outline.area_px == 16 * 8
    assert found.classes == (HEAD_CLASSES[1],) * 2
    assert (found.origins[0].view, found.origins[0].level, found.origins[0].row) == (VIEWS[0], 1, 2)


def test_a_network_without_a_mask_head_draws_nothing():
    seen = sighting([[10, 10, 30, 30]], [0.6])
    assert from_boxes(Sighting(seen.size, seen.boxes, seen.views, None)).outlines is None


def test_boxes_and_pieces_are_one_list_by_score_above_the_floor():
    seen = sighting([[10, 10, 30, 30], [200, 10, 220, 30]], [0.6, 0.1], (100, 100, 120, 120, 0.9))
    found = from_both_heads(seen, PLAIN, 0.2)
    np.testing.assert_allclose(found.scores, [0.9, 0.6], rtol=1e-4)
    np.testing.assert_array_equal(found.boxes, [[100, 100, 120, 120], [10, 10, 30, 30]])
    outline, none = found.outlines
    assert (outline.left, outline.top, outline.area_px, none) == (100, 100, 400, None)


def test_a_piece_takes_class_and_origin_of_the_box_that_it_meets():
    seen = sighting([[100, 40, 140, 80]], [0.1], (100, 40, 140, 50, 0.9))
    found = from_both_heads(seen, PLAIN, 0.5)
    assert found.classes == (HEAD_CLASSES[1],)
    assert found.origins[0].level == 1


def test_a_piece_that_meets_no_box_is_unclassified_and_comes_from_the_cell_at_its_middle():
    found = from_both_heads(sighting([], [], (960, 100, 980, 120, 0.9)), PLAIN, 0.5)
    assert found.classes == (IndicationClass.UNCLASSIFIED,)
    (origin,) = found.origins
    assert origin.view == VIEWS[2]  # 70 px from its edge; only 30 from that of the other
    assert (origin.level, origin.row, origin.col) == (0, 110 // 4, 70 // 4)


@pytest.fixture
def outlining():
    torch.manual_seed(3)
    network = IndicationNetwork(NetworkConfig(stem_width=8, widths=(8, 8, 8, 8), channels=8, has_mask=True))
    torch.nn.init.constant_(network.score.bias, -1.0)
    torch.nn.init.normal_(network.score.weight, std=0.2)
    torch.nn.init.normal_(network.mask.logit.weight, std=2.0)
    torch.nn.init.constant_(network.mask.logit.bias, 0.0)
    return network.eval()


def test_weights_with_a_fusion_report_both_heads_and_without_one_the_boxes(tmp_path, outlining):
    """A header without a fusion gives what the same network without a mask head gives."""
    plain = IndicationNetwork(NetworkConfig(stem_width=8, widths=(8, 8, 8, 8), channels=8))
    plain.load_state_dict(outlining.state_dict(), strict=False)
    image = np.random.default_rng(0).random((160, 200), dtype=np.float32)
    header = {"network": outlining.config.to_json(), "polarity": "film"}
    paths = {}
    for name, more in (("boxes", {}), ("both", {"fusion": PLAIN.to_json()})):
        paths[name] = tmp_path / f"{name}.safetensors"
        save_file(outlining.state_dict(), paths[name], header | more)
    alone = Detector(plain, Polarity.FILM, torch.device("cpu")).detect(image)
    boxes, both = (Detector.load(path).detect(image) for path in paths.values())
    np.testing.assert_array_equal(boxes.boxes, alone.boxes)
    np.testing.assert_array_equal(boxes.scores, alone.scores)
    assert len(both)
    assert (np.diff(both.scores) <= 0).all()
    assert {tuple(b) for b in both.boxes.tolist()} - {tuple(b) for b in alone.boxes.tolist()}


def test_a_fusion_needs_a_mask_head(tiny_network):
    with pytest.raises(ModelArtefactError, match="mask head"):
        Detector(tiny_network, Polarity.FILM, torch.device("cpu"), fusion=PLAIN)
