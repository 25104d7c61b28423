"""The loss on crops that never train, the same ones every time, to compare the curves of runs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import nn

from core.training.crops import CropDataset, collate
from core.training.images import TrainingImage
from core.training.losses import detection_loss
from core.training.recipe import Schedule

PREFIX = "validation_"


class ValidationLoss:
    """Gives `validation_<group>`, the summed loss of a network on each group of images.

    It tells learning from forgetting, nothing else: no step and no version is chosen by it.

    Args:
        groups: images by what they stand for, such as "corrected" and "simulated"; empty groups are left out.
        schedule: gives the size of the crops.
        n_crops: of each group.
        seed: of where the crops lie.
        device: of the network.
    """

    def __init__(
        self,
        groups: Mapping[str, Sequence[TrainingImage]],
        schedule: Schedule,
        *,
        n_crops: int = 6,
        seed: int = 0,
        device: str = "cpu",
    ) -> None:
        fixed = replace(schedule, steps=n_crops, batch=1, coarse_share=0.0)
        self._device = torch.device(device)
        self._batches = {}
        for name, images in groups.items():
            if images:
                crops = CropDataset(list(images), fixed, seed)
                self._batches[name] = collate([crops[number] for number in range(n_crops)])

    @torch.no_grad()
    def __call__(self, network: nn.Module) -> dict[str, float]:
        """The loss by group; {} when there is none. The network must be in evaluation mode."""
        found = {}
        for name, batch in self._batches.items():
            outputs = network(batch.images.to(self._device, memory_format=torch.channels_last))
            known = (batch.boxes, batch.class_ids, batch.is_ignored)
            parts = detection_loss(outputs, *([t.to(self._device) for t in items] for items in known))
            found[PREFIX + name] = float(torch.stack(list(parts.values())).sum())
        return found
