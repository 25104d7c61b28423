"""The network's layers one by one, for whoever computes them in numbers of another kind."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from core.engine.layers import ConvNorm, ResidualBlock, Tower
from core.engine.network import STRIDES, IndicationNetwork, LevelOutput, NetworkOutput

Map = TypeVar("Map")


class Convolution(NamedTuple):
    """A convolution with its batch normalisation in it.

    Attributes:
        weight: (outputs, inputs, k, k).
        bias: (outputs,).
        stride, padding: px of its input.
    """

    weight: Tensor
    bias: Tensor
    stride: int
    padding: int


class Arithmetic(Protocol[Map]):
    """Layers on maps of some kind, by the names of `convolutions_of`."""

    def stem(self, name: str, x: Tensor) -> Map:
        """The first convolution of (B, 1, H, W) and its ReLU."""

    def convolve(
        self, name: str, x: Map, *, to: str | None = None, plus: Map | None = None, has_relu: bool = True
    ) -> Map:
        """A convolution, plus a map that may be overwritten, and ReLU.

        Args:
            name: of the convolution.
            x: its input.
            to: name of the output; None takes that of the convolution.
            plus: what is added before the ReLU.
            has_relu: whether there is one.
        """

    def finish(self, name: str, x: Map) -> Tensor:
        """A last convolution, in float32."""

    def enlarge(self, x: Map, like: Map) -> Map:
        """The nearest values of `x` at the size of `like`."""

    def join(self, first: Map, second: Map) -> Map:
        """The channels of both, which have one name."""


def convolutions_of(network: IndicationNetwork) -> Mapping[str, Convolution]:
    """Every convolution of a network in evaluation mode; a tower's once for each level.

    The outputs of score and classes, which see the same maps, are one convolution: `scored`.
    """
    found: dict[str, Convolution] = {}
    for name, module in network.named_modules():
        if isinstance(module, ConvNorm):
            found[name] = _joined(module[0], module[1])
        elif isinstance(module, Tower):
            depth = len(module.convolutions)
            for number, norm in enumerate(module.norms):
                layer = f"{name}.{number // depth}.{number % depth}"
                found[layer] = _joined(module.convolutions[number % depth], norm)
    for kind in ("inner", "layer"):
        for level, block in enumerate(getattr(network.pyramid, f"{kind}_blocks")):
            found[f"pyramid.{kind}.{level}"] = _of(block[0])
    found["distances"] = _of(network.distances)
    score, classes = _of(network.score), _of(network.classes)
    weight, bias = (torch.cat(pair) for pair in zip(score[:2], classes[:2], strict=True))
    found["scored"] = Convolution(weight, bias, score.stride, score.padding)
    if network.mask is not None:
        found["mask.logit"] = _of(network.mask.logit)
    return found


def run(network: IndicationNetwork, by: Arithmetic[Map], x: Tensor) -> NetworkOutput:
    """What `network.predict` gives, computed `by` another arithmetic.

    Args:
        network: whose shape is followed.
        by: with the convolutions of that network.
        x: (B, 1, H, W) float32, sides multiples of 32.
    """
    stem = last = by.stem("backbone.stem", (x - 0.5) * 4.0)
    stages: list[Map] = []
    for number, stage in enumerate(network.backbone.stages):
        for index, block in enumerate(cast(nn.Sequential, stage)):
            last = _block(by, f"backbone.stages.{number}.{index}", cast(ResidualBlock, block), last)
        stages.append(last)
    pyramid = _pyramid(by, stages)
    levels = [_head(by, network, one, level) for level, one in enumerate(pyramid)]
    if network.mask is None:
        return NetworkOutput(levels, None)
    reduced = by.convolve("mask.reduce", pyramid[0], to="mask.joined")
    joined = by.join(reduced, by.convolve("mask.stem", stem, to="mask.joined"))
    logit = by.finish("mask.logit", by.convolve("mask.refine", joined))
    return NetworkOutput(levels, functional.pixel_shuffle(logit, 2))


def _block(by: Arithmetic[Map], name: str, block: ResidualBlock, x: Map) -> Map:
    is_plain = isinstance(block.shortcut, nn.Identity)
    shortcut = x if is_plain else by.convolve(f"{name}.shortcut", x, has_relu=False)
    return by.convolve(f"{name}.second", by.convolve(f"{name}.first", x), to=name, plus=shortcut)


def _pyramid(by: Arithmetic[Map], stages: list[Map]) -> list[Map]:
    """The pyramid's maps, finest first."""
    found: list[Map] = []
    above: Map | None = None
    for level in reversed(range(len(stages))):
        plus = None if above is None else by.enlarge(above, stages[level])
        above = by.convolve(f"pyramid.inner.{level}", stages[level], plus=plus, has_relu=False)
        found.append(by.convolve(f"pyramid.layer.{level}", above, has_relu=False))
    return found[::-1]


def _head(by: Arithmetic[Map], network: IndicationNetwork, x: Map, level: int) -> LevelOutput:
    scored = boxed = x
    for depth in range(network.config.head_convolutions):
        scored = by.convolve(f"score_tower.{level}.{depth}", scored)
        boxed = by.convolve(f"box_tower.{level}.{depth}", boxed)
    outputs = by.finish("scored", scored)
    distances = (functional.softplus(by.finish("distances", boxed)) - 0.5) * STRIDES[level]
    return LevelOutput(outputs[:, :1], distances, outputs[:, 1:])


def _joined(convolution: nn.Module, norm: nn.Module) -> Convolution:
    """A convolution with the normalisation after it; that is an identity where it was merged before."""
    convolution = cast(nn.Conv2d, convolution)
    return _of(fuse_conv_bn_eval(convolution, norm) if isinstance(norm, nn.BatchNorm2d) else convolution)


def _of(module: nn.Conv2d) -> Convolution:
    bias = torch.zeros(module.out_channels) if module.bias is None else module.bias
    return Convolution(module.weight.detach(), bias.detach(), module.stride[0], int(module.padding[0]))
