import copy
import dataclasses

import pytest
import torch

from core.domain.errors import ModelArtefactError
from core.engine.network import (
    MASK_PREFIX,
    STRIDES,
    IndicationNetwork,
    NetworkConfig,
    count_parameters,
    load_state,
)

TINY = NetworkConfig(stem_width=8, widths=(8, 8, 8, 8), channels=8, head_convolutions=1)


def test_the_default_network_stays_below_six_million_parameters():
    assert count_parameters(IndicationNetwork()) < 6_000_000


def test_each_level_has_one_cell_per_stride():
    outputs = IndicationNetwork(TINY).eval()(torch.rand(2, 1, 64, 96))
    sizes = [tuple(level.score_logit.shape) for level in outputs]
    assert sizes == [(2, 1, 64 // s, 96 // s) for s in STRIDES]


def test_a_side_that_is_no_multiple_of_32_is_refused():
    with pytest.raises(ValueError, match="multiples of 32"):
        IndicationNetwork(TINY)(torch.rand(1, 1, 60, 64))


def test_folding_changes_no_output():
    torch.manual_seed(0)
    network = IndicationNetwork(TINY)
    network.train()(torch.rand(4, 1, 64, 64))  # moves the batch statistics away from their start
    network.eval()
    x = torch.rand(1, 1, 64, 64)
    folded = copy.deepcopy(network).fold()
    for plain, merged in zip(network(x), folded(x), strict=True):
        for a, b in zip(plain, merged, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_what_goes_in_comes_out_at_its_own_scale():
    """A shifted input shifts the output by the same px: nothing resizes in between."""
    torch.manual_seed(0)
    network = IndicationNetwork(TINY).eval()
    image = torch.full((1, 1, 256, 256), 0.5)
    image[..., 120:136, 120:136] = 0.9
    moved = torch.roll(image, shifts=(32, 64), dims=(2, 3))
    here, there = network(image)[0].score_logit, network(moved)[0].score_logit
    expected = torch.roll(here, shifts=(32 // 4, 64 // 4), dims=(2, 3))
    torch.testing.assert_close(there[..., 28:52, 36:60], expected[..., 28:52, 36:60], rtol=1e-3, atol=1e-4)


def test_a_configuration_survives_its_json():
    assert NetworkConfig.from_json(TINY.to_json()) == TINY


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"widths": 3}', '{"widths": [1], "colour": 2}'])
def test_a_broken_configuration_is_one_clear_error(text):
    with pytest.raises(ModelArtefactError, match="not a network configuration"):
        NetworkConfig.from_json(text)


def test_weights_of_another_network_are_refused():
    other = IndicationNetwork(NetworkConfig(stem_width=8, widths=(8, 8, 8, 16), channels=8))
    with pytest.raises(ModelArtefactError, match="do not fit"):
        load_state(IndicationNetwork(TINY), other.state_dict())


@pytest.fixture
def with_mask():
    """A network with a mask head, and one without it of the same weights."""
    torch.manual_seed(5)
    outlining = IndicationNetwork(dataclasses.replace(TINY, has_mask=True)).eval()
    plain = IndicationNetwork(TINY).eval()
    shared = {n: t for n, t in outlining.state_dict().items() if not n.startswith(MASK_PREFIX)}
    load_state(plain, shared)
    return outlining, plain


def test_a_mask_head_changes_nothing_of_the_boxes(with_mask):
    outlining, plain = with_mask
    x = torch.rand(2, 1, 64, 96)
    with torch.no_grad():
        expected, found = plain(x), outlining.predict(x).levels
    for level, same in zip(expected, found, strict=True):
        for part, other in zip(level, same, strict=True):
            assert torch.equal(part, other)


def test_outlines_come_at_half_the_size_of_the_view(with_mask):
    outlining, plain = with_mask
    x = torch.rand(2, 1, 64, 96)
    with torch.no_grad():
        logit = outlining.predict(x).mask_logit
        assert logit.shape == (2, 1, 32, 48)
        assert torch.equal(outlining.outline(x), logit)
        assert plain.predict(x).mask_logit is None


def test_outlines_follow_the_picture_by_whole_strides(with_mask):
    """A picture shifted by 32 px has its outlines shifted by 16 cells."""
    outlining, _ = with_mask
    x = torch.rand(1, 1, 256, 256)
    with torch.no_grad():
        whole, shifted = outlining.outline(x), outlining.outline(x[..., 32:])
    torch.testing.assert_close(shifted[..., 40:80], whole[..., 56:96], rtol=0, atol=1e-3)


def test_a_frozen_trunk_gets_no_gradient(with_mask):
    outlining, _ = with_mask
    outlining.outline(torch.rand(1, 1, 64, 64), is_trunk_frozen=True).sum().backward()
    has_gradient = {name for name, p in outlining.named_parameters() if p.grad is not None}
    assert has_gradient == {name for name, _ in outlining.named_parameters() if name.startswith(MASK_PREFIX)}


def test_a_network_without_a_mask_head_draws_no_outline(with_mask):
    with pytest.raises(ValueError, match="no mask head"):
        with_mask[1].outline(torch.rand(1, 1, 64, 64))


def test_the_header_of_a_network_without_a_mask_head_is_that_of_older_ones():
    assert "has_mask" not in TINY.to_json()
    outlining = dataclasses.replace(TINY, has_mask=True)
    assert NetworkConfig.from_json(outlining.to_json()) == outlining
    assert NetworkConfig.from_json(TINY.to_json()) == TINY


def test_folding_leaves_the_outlines_as_they_are(with_mask):
    outlining, _ = with_mask
    x = torch.rand(1, 1, 64, 64)
    with torch.no_grad():
        before = outlining.predict(x).mask_logit
        after = copy.deepcopy(outlining).fold().predict(x).mask_logit
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4)
