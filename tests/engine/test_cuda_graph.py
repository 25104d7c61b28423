import pytest
import torch

from core.engine.cuda_graph import GraphedNetwork, filled_up


@pytest.mark.parametrize(("batch", "expected"), [(1, 1), (2, 2), (3, 4), (4, 4), (5, 8), (13, 16), (16, 16)])
def test_a_batch_is_filled_up_to_a_power_of_two(batch, expected):
    assert filled_up(batch) == expected


def test_a_shape_that_comes_once_is_not_captured(tiny_network):
    plain = tiny_network(torch.ones(3, 1, 64, 64))
    graphed = GraphedNetwork(tiny_network.predict)(torch.ones(3, 1, 64, 64)).levels
    for level, other in zip(plain, graphed, strict=True):
        assert torch.equal(level.score_logit, other.score_logit)


@pytest.mark.gpu
def test_a_replayed_graph_gives_what_the_network_gives(tiny_network):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    network = tiny_network.cuda().to(memory_format=torch.channels_last)
    graphed = GraphedNetwork(network.predict)
    with torch.inference_mode():
        for batch in (3, 3, 4, 2, 3, 2, 2):
            x = torch.rand(batch, 1, 64, 96, device="cuda")
            expected = [[part.clone() for part in level] for level in network(x)]
            for level, other in zip(expected, graphed(x).levels, strict=True):
                for part, same in zip(level, other, strict=True):
                    torch.testing.assert_close(same, part, rtol=1e-3, atol=1e-3)
