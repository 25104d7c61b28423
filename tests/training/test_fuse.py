import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from core.domain.radiograph import Polarity
from core.engine.detector import read_network
from core.engine.fusion import Fusion, Seen
from core.engine.indications import Sighting, paired
from core.engine.merging import RawBoxes
from core.engine.network import IndicationNetwork, NetworkConfig
from core.simulate.config import SimulationConfig
from core.simulate.kinds import mix_with
from core.simulate.render import simulate_weld
from core.training.fuse import MIX, fitted, main


class Oracle:
    """A detector that reports most of what is there, and as much that is not, with lower scores."""

    polarity = Polarity.FILM

    def __init__(self, seed):
        self._seed = seed
        self.sightings = []

    def look_at(self, requests):
        made = simulate_weld(self._seed + len(self.sightings), SimulationConfig(mix=mix_with(MIX)))
        rng = np.random.default_rng(self._seed)
        height, width = requests[0].image.shape
        probability = np.zeros((height // 2, width // 2), np.float32)
        boxes, scores = [], []
        for flaw in made.truth:
            x1, y1, x2, y2 = flaw.bbox
            for box, best in (((x1, y1, x2, y2), 0.9), ((x1, height - y2, x2, height - y1), 0.6)):
                share = rng.uniform(0.2, best)
                if rng.random() < 0.6:
                    boxes.append(box)
                    scores.append(share)
                if rng.random() < 0.6:
                    left, top, right, bottom = (round(v / 2) for v in box)
                    probability[top : max(bottom, top + 2), left : max(right, left + 2)] = share
        n = len(boxes)
        order = np.argsort(-np.array(scores), kind="stable")
        raw = RawBoxes(
            np.array(boxes, np.float32).reshape(-1, 4)[order],
            np.array(scores, np.float32)[order],
            np.zeros((n, 4), np.bool_),
            np.zeros(n, np.int64),
            np.zeros((n, 3), np.int64),
            np.eye(6, dtype=np.float32)[np.zeros(n, np.int64)],
        )
        self.sightings.append(Sighting((width, height), raw, [], probability))
        return self.sightings[-1:]


def test_true_reports_score_higher_than_false_ones_once_fitted():
    oracle = Oracle(40)
    fusion = fitted(oracle, seed=40, count=3)
    for kind in Seen:
        weights = (fusion.by_both, fusion.as_box, fusion.as_piece)[kind]
        assert max(weights[:2]) > 0
    found, _ = paired(oracle.sightings[0])
    assert np.ptp(fusion.scores(found)) > 0.3


@pytest.fixture
def run(tmp_path):
    """A run of the random network, with or without a mask head."""

    def made(has_mask):
        torch.manual_seed(3)
        config = NetworkConfig(stem_width=8, widths=(8, 8, 8, 8), channels=8, has_mask=has_mask)
        tensors = IndicationNetwork(config).state_dict()
        header = {"network": config.to_json(), "polarity": "film", "model": "weld", "crop_px": "256"}
        save_file(tensors, tmp_path / "weights.safetensors", header)
        return tmp_path

    return made


def test_a_run_without_a_mask_head_is_refused(run, capsys):
    assert main([str(run(has_mask=False)), "--seed", "1", "--count", "1"]) == 2
    assert "no mask head" in capsys.readouterr().err


def test_a_network_that_finds_nothing_cannot_be_fused(run, capsys):
    folder = run(has_mask=True)
    assert main([str(folder), "--seed", "1", "--count", "1"]) == 2
    assert "cannot fit the fusion" in capsys.readouterr().err
    assert "fusion" not in read_network(folder / "weights.safetensors")[1]


def test_the_header_keeps_what_it_held_beside_the_fusion(run, monkeypatch):
    folder = run(has_mask=True)
    plain = Fusion((0.5, 0.5, 0, 0, 0), (1, 0, 0, 0, 0), (0, 1, 0, 0, 0))
    monkeypatch.setattr("core.training.fuse.fitted", lambda *_, **__: plain)
    assert main([str(folder), "--seed", "1"]) == 0
    header = read_network(folder / "weights.safetensors")[1]
    assert Fusion.from_json(header["fusion"]) == plain
    assert (header["polarity"], header["model"], header["crop_px"]) == ("film", "weld", "256")
    assert header["tiles"] == "bands"
