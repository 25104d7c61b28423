import pytest
import torch

from core.engine.network import IndicationNetwork, NetworkConfig


@pytest.fixture
def tiny_network():
    torch.manual_seed(3)
    network = IndicationNetwork(NetworkConfig(stem_width=8, widths=(8, 8, 8, 8), channels=8))
    torch.nn.init.constant_(network.score.bias, -1.0)  # random weights shall report something
    torch.nn.init.normal_(network.score.weight, std=0.2)
    return network.eval()
