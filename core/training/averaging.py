"""Exponential moving average of a network's weights."""

import copy

import torch
from torch import nn


class WeightAverage:
    """Keeps `average`, an evaluation copy that follows the trained network slowly.

    Early on the average follows faster, so that it does not remember the random start
    (as in TensorFlow's ExponentialMovingAverage with `num_updates`).
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.average = copy.deepcopy(network).eval().requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Move the average towards `network`; `step` counts from 0."""
        decay = min(self._decay, (1 + step) / (10 + step))
        for mine, theirs in zip(
            self.average.state_dict().values(), network.state_dict().values(), strict=True
        ):
            if mine.is_floating_point():
                mine.lerp_(theirs, 1 - decay)
            else:
                mine.copy_(theirs)
