import numpy as np
import pytest
import torch

from core.engine.appearance import SIDE_PX, appearance_of
from core.engine.network import IndicationNetwork
from tests.artefacts import TINY

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def network() -> IndicationNetwork:
    torch.manual_seed(3)
    return IndicationNetwork(TINY).eval()


def test_a_number_for_every_channel_of_the_first_stages_whatever_the_size(network: IndicationNetwork) -> None:
    rng = np.random.default_rng(0)
    for shape in ((31, 45), (96, 128), (700, 900), (40, 3000), (1, 1)):
        found = appearance_of(network, rng.random(shape).astype(np.float32), CPU)
        assert found.shape == (16,)
        assert found.dtype == np.float32
        assert np.isfinite(found).all()


def test_the_size_of_the_scan_says_little_and_the_texture_much(network: IndicationNetwork) -> None:
    yy, xx = np.mgrid[:SIDE_PX, :SIDE_PX] / SIDE_PX
    smooth = (0.5 + 0.3 * np.sin(9 * xx) * np.cos(7 * yy)).astype(np.float32)
    large = np.kron(smooth, np.ones((3, 3), np.float32))
    rough = np.random.default_rng(1).random((SIDE_PX, SIDE_PX)).astype(np.float32)
    one, same, other = (appearance_of(network, image, CPU) for image in (smooth, large, rough))
    assert np.abs(one - same).max() < 1e-4
    assert np.abs(one - other).max() > 0.02
