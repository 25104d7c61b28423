"""Detectors with ever more of their weights drawn anew: a map that does not change explains no weights."""

import copy
from collections.abc import Iterator

import torch
from torch import nn

from core.engine.detector import Detector
from core.engine.network import IndicationNetwork

#: From the head to the backbone; each step keeps what the steps before it drew.
STEPS = ("head", "pyramid", "backbone")
_PARTS = {
    "head": ("score", "score_tower", "box_tower", "distances", "classes", "mask"),
    "pyramid": ("pyramid",),
    "backbone": ("backbone",),
}


def randomised(detector: Detector, *, seed: int) -> Iterator[tuple[str, Detector]]:
    """The name of each step, and a detector with all weights up to there drawn anew.

    The cascade of Adebayo et al. 2018 (arXiv 1810.03292). Convolutions are drawn from a normal distribution
    with the deviation that each had, so that there is a score of usual size to explain.

    Args:
        detector: stays as it is.
        seed: of the weights.
    """
    network = copy.deepcopy(detector.network)
    torch_rng = torch.Generator().manual_seed(seed)
    for step in STEPS:
        for name in _PARTS[step]:
            part = getattr(network, name)
            if part is not None:
                _draw(part, torch_rng)
        yield step, _detector(network, detector)


def _draw(part: nn.Module, rng: torch.Generator) -> None:
    with torch.no_grad():
        for module in part.modules():
            if isinstance(module, nn.Conv2d):
                deviation = float(module.weight.std())
                drawn = torch.randn(module.weight.shape, generator=rng) * deviation
                module.weight.copy_(drawn.to(module.weight.device))


def _detector(network: IndicationNetwork, like: Detector) -> Detector:
    return Detector(copy.deepcopy(network), like.polarity, like.device, dtype=torch.float32)
