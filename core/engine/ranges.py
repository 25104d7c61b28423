"""The ranges that the network's maps keep to, which its 8-bit copy needs to know."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from core.domain.errors import ModelArtefactError
from core.engine.arithmetic import Convolution, convolutions_of, run
from core.engine.beside import read_beside
from core.engine.network import IndicationNetwork

#: Lies beside the weights of a version that may run in 8-bit integers.
FILE = "ranges.json"
#: Significant digits that are kept of a limit.
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Ranges:
    """The lowest and the highest value of every map of a network.

    Attributes:
        weights_sha256: of the network's weights file.
        limits: by the names of `core.engine.arithmetic`; 0 lies within each.
    """

    weights_sha256: str
    limits: Mapping[str, tuple[float, float]]

    def __post_init__(self) -> None:
        for name, (low, high) in self.limits.items():
            if not (np.isfinite((low, high)).all() and low <= 0 <= high):
                raise ValueError(f"{name}: expected a range with 0 in it, got {low} to {high}")

    def to_json(self) -> str:
        """The content of the file; `from_json` reads it back."""
        limits = {name: [float(f"{v:.{_DIGITS}g}") for v in pair] for name, pair in self.limits.items()}
        lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(pair)}" for name, pair in limits.items())
        return f'{{\n "weights_sha256": {json.dumps(self.weights_sha256)},\n "limits": {{\n{lines}\n }}\n}}\n'

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The ranges in `text`.

        Raises:
            ModelArtefactError: when it is no such file.
        """
        try:
            content = json.loads(text)
            limits = {str(name): (float(low), float(high)) for name, (low, high) in content["limits"].items()}
            return cls(str(content["weights_sha256"]), MappingProxyType(limits))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelArtefactError(f"{FILE}: not the ranges of a network: {error}") from error


def read_ranges(weights: Path) -> Ranges | None:
    """The ranges that lie beside a weights file; None where there are none.

    Raises:
        ModelArtefactError: when they are damaged, or of other weights.
    """
    return read_beside(weights, FILE, Ranges.from_json)


@torch.inference_mode()
def ranges_of(network: IndicationNetwork, views: Iterable[Tensor], *, weights_sha256: str) -> Ranges:
    """The ranges of every map over all views.

    Args:
        network: float32, in evaluation mode.
        views: (1, 1, H, W) float32 each, sides multiples of 32.
        weights_sha256: of its weights file.
    """
    measuring = Measuring(convolutions_of(network))
    for view in views:
        run(network, measuring, view)
    return Ranges(weights_sha256, dict(measuring.limits))


@dataclass(slots=True)
class Measuring:
    """float32 layers that note the range of every map.

    Attributes:
        convolutions: of the network, by name.
        limits: so far, by name.
    """

    convolutions: Mapping[str, Convolution]
    limits: dict[str, tuple[float, float]] = field(default_factory=dict)

    def stem(self, name: str, x: Tensor) -> Tensor:
        """As `Arithmetic`."""
        return self.convolve(name, x)

    def convolve(
        self,
        name: str,
        x: Tensor,
        *,
        to: str | None = None,
        plus: Tensor | None = None,
        has_relu: bool = True,
    ) -> Tensor:
        """As `Arithmetic`."""
        y = self.finish(name, x)
        y = y if plus is None else y + plus
        y = functional.relu(y) if has_relu else y
        low, high = self.limits.get(to or name, (0.0, 0.0))
        self.limits[to or name] = (min(low, float(y.min())), max(high, float(y.max())))
        return y

    def finish(self, name: str, x: Tensor) -> Tensor:
        """As `Arithmetic`."""
        one = self.convolutions[name]
        return functional.conv2d(x, one.weight, one.bias, one.stride, one.padding)

    def enlarge(self, x: Tensor, like: Tensor) -> Tensor:
        """As `Arithmetic`."""
        return functional.interpolate(x, size=like.shape[-2:], mode="nearest")

    def join(self, first: Tensor, second: Tensor) -> Tensor:
        """As `Arithmetic`."""
        return torch.cat((first, second), dim=1)
