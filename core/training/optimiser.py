"""The optimiser of a run and the rates of its steps."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from core.engine.network import MASK_PREFIX
from core.training.recipe import Schedule

_FINAL_RATE = 0.02


def make_optimiser(network: nn.Module, schedule: Schedule) -> torch.optim.AdamW:
    """AdamW; no decay on biases and normalisation. A rate of its own for the trunk makes two groups more."""
    named = list(network.named_parameters())
    head = [p for name, p in named if name.startswith(MASK_PREFIX)] if schedule.trunk_rate is not None else []
    is_head = {id(p) for p in head}
    trunk = [p for _, p in named if id(p) not in is_head]
    groups = [{**group, "is_trunk": True} for group in _decay_groups(trunk, schedule)]
    groups += [{**group, "is_trunk": False} for group in (_decay_groups(head, schedule) if head else ())]
    return torch.optim.AdamW(groups, lr=schedule.learning_rate)


def _decay_groups(parameters: Sequence[nn.Parameter], schedule: Schedule) -> list[dict[str, Any]]:
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": schedule.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]


def set_rate(optimiser: torch.optim.Optimizer, schedule: Schedule, step: int) -> None:
    """Set the rates of `step`; the trunk warms up once it is no longer frozen."""
    fall = 0.5 * (1 + math.cos(math.pi * step / schedule.steps))
    for group in optimiser.param_groups:
        is_trunk = group.get("is_trunk", True)
        first = schedule.frozen_steps if is_trunk else 0
        warm = min(1.0, max(0, step - first + 1) / max(schedule.warmup_steps, 1))
        rate = schedule.trunk_rate if is_trunk and schedule.trunk_rate is not None else schedule.learning_rate
        group["lr"] = rate * warm * (_FINAL_RATE + (1 - _FINAL_RATE) * fall)
