"""Several processes that train one network: what they add up, so that the result is that of one process."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Together:
    """This process among those that train together, through the process group of `torch.distributed`.

    With `count` 1 there is no group, and every method gives back what it was given.

    Attributes:
        rank: number of this process, from 0; the first one writes.
        count: of the processes.
    """

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """True in the process that writes logs, checkpoints and weights."""
        return self.rank == 0

    def total(self, values: Tensor) -> Tensor:
        """The sum over all processes, same shape; gradients flow back to each of them."""
        if self.count == 1:
            return values
        summed: Tensor = _Total.apply(values)
        return summed

    def add_gradients(self, network: nn.Module) -> None:
        """Replace each gradient by its sum over all processes."""
        if self.count == 1:
            return
        gradients = [one.grad for one in network.parameters() if one.grad is not None]
        summed = torch.cat([one.flatten() for one in gradients])
        dist.all_reduce(summed)
        sizes = [one.numel() for one in gradients]
        for gradient, part in zip(gradients, torch.split(summed, sizes), strict=True):
            gradient.copy_(part.view_as(gradient))

    def first(self, make: Callable[[], Made]) -> Made:
        """What `make` returns in the first process; the others get a copy and do not call it."""
        if self.count == 1:
            return make()
        held: list[Any] = [make() if self.is_first else None]
        dist.broadcast_object_list(held)
        made: Made = held[0]
        return made


#: A process that trains by itself.
ALONE = Together()


class _Total(torch.autograd.Function):
    """A sum over processes whose gradient is the sum of their gradients."""

    @staticmethod
    def forward(_context: Any, values: Tensor) -> Tensor:
        summed = values.detach().clone().contiguous()
        dist.all_reduce(summed)
        return summed

    @staticmethod
    def backward(_context: Any, *gradients: Tensor) -> Tensor:
        summed = gradients[0].clone().contiguous()
        dist.all_reduce(summed)
        return summed


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch normalisation by the mean and variance of the crops of all processes.

    As `nn.SyncBatchNorm`, which runs on GPUs only.
    """

    def __init__(self, norm: nn.BatchNorm2d, together: Together) -> None:
        super().__init__(norm.num_features, norm.eps, norm.momentum)
        self.load_state_dict(norm.state_dict())
        self.train(norm.training)
        self._together = together

    def forward(self, values: Tensor) -> Tensor:
        """(B, C, h, w), normalised."""
        if not self.training:
            return super().forward(values)
        count = self._together.total(torch.tensor(float(values.numel() // values.shape[1]))).to(values.device)
        exact = values.float()
        mean = self._together.total(exact.sum((0, 2, 3))) / count
        centred = exact - mean[:, None, None]
        variance = self._together.total(centred.square().sum((0, 2, 3))) / count
        with torch.no_grad():
            assert self.running_mean is not None
            assert self.running_var is not None
            assert self.num_batches_tracked is not None
            share = self.momentum or 0.0
            self.running_mean.lerp_(mean, share)
            self.running_var.lerp_(variance * count / (count - 1), share)
            self.num_batches_tracked.add_(1)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        normed = centred * scale[:, None, None] + self.bias[:, None, None]
        return normed.to(values.dtype)


def share_norms(network: nn.Module, together: Together) -> None:
    """Let each batch normalisation of the network see the crops of all processes."""
    if together.count == 1:
        return
    for name, module in list(network.named_children()):
        if isinstance(module, nn.BatchNorm2d):
            setattr(network, name, SharedBatchNorm(module, together).to(module.weight.device))
        else:
            share_norms(module, together)
