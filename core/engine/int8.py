"""The network in 8-bit integers, on CPUs that multiply these several times as fast as other numbers.

Weights have one scale for each output channel, activations one for each map, which `core.engine.ranges`
measures (Jacob et al. 2018, arXiv 1712.05877). Differences: sums of the pyramid and of residual blocks are
taken inside of the convolution, before rounding; the first convolution and all outputs stay in float32. The
kernels are those that PyTorch's compiler calls (oneDNN). They add up integers, so the order changes nothing.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor
from torch.nn import functional

from core.domain.errors import ModelArtefactError
from core.engine.arithmetic import Convolution, convolutions_of, run
from core.engine.network import SIZE_MULTIPLE, IndicationNetwork, NetworkOutput
from core.engine.ranges import Ranges

#: The highest value of an 8-bit map, and of a weight on either side of zero.
_MOST, _MOST_WEIGHT = 255, 127
_LEAST_STEP = 1e-8


def has_fast_int8() -> bool:
    """True where this CPU has dot products of 8-bit integers and PyTorch the kernels that use them."""
    get_capabilities = getattr(torch.cpu, "get_capabilities", None)
    found: dict[str, Any] = {} if get_capabilities is None else get_capabilities()
    is_there = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]  # torch's own
    has_kernels = is_there and hasattr(torch.ops.onednn, "qconv2d_pointwise")
    return bool(has_kernels) and bool(found.get("avx512_vnni") or found.get("amx_int8"))


class Int8Network:
    """A network that detects in 8-bit integers. Safe to share between threads.

    Args:
        network: float32, in evaluation mode, on a CPU.
        ranges: of its maps.

    Raises:
        ModelArtefactError: when the ranges are not those of such a network.
    """

    def __init__(self, network: IndicationNetwork, ranges: Ranges) -> None:
        self._network = network
        try:
            self._by = Int8Arithmetic(convolutions_of(network), ranges)
            self.predict(torch.zeros(1, 1, SIZE_MULTIPLE, SIZE_MULTIPLE))  # lays out the weights
        except KeyError as error:
            raise ModelArtefactError(f"the ranges of this network lack {error.args[0]}") from error

    @torch.inference_mode()
    def predict(self, x: Tensor) -> NetworkOutput:
        """As `IndicationNetwork.predict`."""
        return run(self._network, self._by, x)


class Scale(NamedTuple):
    """How the values 0..255 of a map are read: (value - zero) * step."""

    step: float
    zero: int

    @classmethod
    def of(cls, low: float, high: float) -> Self:
        """For numbers from `low`, at most 0, to `high`, at least 0."""
        step = max((high - low) / _MOST, _LEAST_STEP)
        return cls(step, round(-low / step))


class Map8(NamedTuple):
    """A map of 8-bit values, (B, C, h, w) uint8, and how they are read."""

    values: Tensor
    scale: Scale


class _Convolution8:
    """A convolution with its weights laid out for the kernels, for input of a certain scale."""

    def __init__(self, one: Convolution, scale: Scale) -> None:
        weight = one.weight.float()
        self._steps = (weight.abs().amax((1, 2, 3)) / _MOST_WEIGHT).clamp(min=_LEAST_STEP)
        values = (weight / self._steps[:, None, None, None]).round().clamp(-_MOST_WEIGHT, _MOST_WEIGHT)
        self._zeros = torch.zeros(len(weight), dtype=torch.int64)
        self._bias = one.bias.float()
        self._how = ([one.stride] * 2, [one.padding] * 2, [1, 1], 1)
        pack = torch.ops.onednn.qconv_prepack
        self._packed = pack(values.to(torch.int8), self._steps, scale.step, scale.zero, *self._how)

    def __call__(self, x: Map8, out: Scale | None, plus: Map8 | None, *, has_relu: bool) -> Tensor:
        """Values of scale `out`, or float32 for None; `plus` is added before, and overwritten."""
        to = (1.0, 0, torch.float32) if out is None else (out.step, out.zero, torch.uint8)
        start = (x.values, x.scale.step, x.scale.zero, self._packed, self._steps, self._zeros)
        convolve = torch.ops.onednn.qconv2d_pointwise
        values: Tensor
        if plus is None:
            ending: tuple[object, ...] = ("relu" if has_relu else "none", [], "")
            values = convolve(*start, self._bias, *self._how, *to, *ending)
        else:
            # the kernel takes the zero of what is added for 0, whatever it is told
            bias = self._bias - plus.scale.zero * plus.scale.step
            ending = (plus.scale.step, 0, "sum", 1.0, "relu" if has_relu else None, [], None)
            values = convolve.binary(*start, plus.values, bias, *self._how, *to, *ending)
        return values


class Int8Arithmetic:
    """`Arithmetic` on 8-bit maps.

    Args:
        convolutions: of the network, by name.
        ranges: of its maps.
    """

    def __init__(self, convolutions: Mapping[str, Convolution], ranges: Ranges) -> None:
        self._convolutions = convolutions
        self._scales = {name: Scale.of(*limits) for name, limits in ranges.limits.items()}
        self._laid_out: dict[tuple[str, Scale], _Convolution8] = {}

    def stem(self, name: str, x: Tensor) -> Map8:
        """The first convolution, in float32, and its ReLU."""
        one, scale = self._convolutions[name], self._scales[name]
        weight = (one.weight / scale.step).contiguous(memory_format=torch.channels_last)
        bias = one.bias / scale.step + 0.5  # so that cutting off decimals rounds
        height, width = x.shape[-2:]
        # one channel, declared to be the last one: else the output is laid out channels first
        x = x.contiguous().as_strided(x.shape, (height * width, 1, width, 1))
        values = functional.conv2d(x, weight, bias, one.stride, one.padding)
        return Map8(values.clamp_(0, _MOST).to(torch.uint8), scale)

    def convolve(
        self, name: str, x: Map8, *, to: str | None = None, plus: Map8 | None = None, has_relu: bool = True
    ) -> Map8:
        """As `Arithmetic`."""
        scale = self._scales[to or name]
        return Map8(self._layer(name, x.scale)(x, scale, plus, has_relu=has_relu), scale)

    def finish(self, name: str, x: Map8) -> Tensor:
        """As `Arithmetic`."""
        return self._layer(name, x.scale)(x, None, None, has_relu=False)

    def enlarge(self, x: Map8, like: Map8) -> Map8:
        """As `Arithmetic`."""
        size = like.values.shape[-2:]
        return Map8(functional.interpolate(x.values, size=size, mode="nearest"), x.scale)

    def join(self, first: Map8, second: Map8) -> Map8:
        """As `Arithmetic`."""
        return Map8(torch.cat((first.values, second.values), dim=1), first.scale)

    def _layer(self, name: str, scale: Scale) -> _Convolution8:
        key = (name, scale)
        if key not in self._laid_out:
            self._laid_out[key] = _Convolution8(self._convolutions[name], scale)
        return self._laid_out[key]
