"""The indication network: narrow residual backbone, feature pyramid, anchor-free head."""

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.ops import FeaturePyramidNetwork

from core.domain.errors import ModelArtefactError
from core.domain.indication import IndicationClass
from core.engine.layers import ConvNorm, ResidualBlock, Tower
from core.engine.mask_head import MaskHead

#: The classes the class head can tell apart, in the order of its outputs.
HEAD_CLASSES = tuple(c for c in IndicationClass if c is not IndicationClass.UNCLASSIFIED)
#: Stride in px of each pyramid level, finest first.
STRIDES = (4, 8, 16, 32)
#: A view's sides must be multiples of this.
SIZE_MULTIPLE = STRIDES[-1]
#: Name of the first convolution's weights in a state dictionary.
FIRST_WEIGHTS = "backbone.stem.0.weight"
#: Names of the mask head's weights begin so.
MASK_PREFIX = "mask."


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """The shape of the network; travels inside the weights file.

    Attributes:
        stem_width: channels at stride 2.
        widths: channels of the four residual stages (strides 4, 8, 16, 32).
        channels: channels of the pyramid and the head.
        head_convolutions: 3x3 convolutions in each of the two towers.
        has_mask: whether a mask head draws outlines beside the boxes.
    """

    stem_width: int = 32
    widths: tuple[int, ...] = (48, 96, 160, 224)
    channels: int = 64
    head_convolutions: int = 2
    has_mask: bool = False

    def to_json(self) -> str:
        """The configuration as one line of JSON; a mask head is named only where there is one."""
        fields = asdict(self)
        if not self.has_mask:
            del fields["has_mask"]
        return json.dumps(fields, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The configuration in `text`.

        Raises:
            ModelArtefactError: when `text` is not such a configuration.
        """
        try:
            fields = json.loads(text)
            return cls(**{**fields, "widths": tuple(fields["widths"])})
        except (ValueError, TypeError, KeyError) as error:
            raise ModelArtefactError(f"not a network configuration: {text[:80]!r}") from error


class LevelOutput(NamedTuple):
    """Raw output of one pyramid level, before any decoding.

    Attributes:
        score_logit: (B, 1, h, w), class-agnostic indication score before the sigmoid.
        distances: (B, 4, h, w), px of the view from the cell's centre to the left, top, right and
            bottom side of the box; may reach half a stride below zero.
        class_logits: (B, K, h, w), before the softmax, in the order of `HEAD_CLASSES`.
    """

    score_logit: Tensor
    distances: Tensor
    class_logits: Tensor


class NetworkOutput(NamedTuple):
    """Output of the network for a batch of views.

    Attributes:
        levels: raw output of each pyramid level, finest first.
        mask_logit: (B, 1, H/2, W/2), before the sigmoid: whether an indication lies there; None without a
            mask head.
    """

    levels: list[LevelOutput]
    mask_logit: Tensor | None


class Backbone(nn.Module):
    """One-channel image to the stem's map and those of the four residual stages."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.stem = ConvNorm(1, config.stem_width, stride=2)
        inputs = config.stem_width
        stages = []
        for outputs in config.widths:
            blocks = ResidualBlock(inputs, outputs, 2), ResidualBlock(outputs, outputs, 1)
            stages.append(nn.Sequential(*blocks))
            inputs = outputs
        self.stages = nn.ModuleList(stages)

    def forward(self, x: Tensor, *, n_stages: int | None = None) -> list[Tensor]:
        """(B, 1, H, W) to maps at strides 2, 4, 8, 16, 32: of the stem and all stages, or the first ones."""
        x = self.stem((x - 0.5) * 4.0)
        maps = [x]
        for stage in self.stages[:n_stages]:
            x = stage(x)
            maps.append(x)
        return maps


class IndicationNetwork(nn.Module):
    """Fully convolutional one-stage detector after FCOS (Tian et al. 2019, arXiv 1904.01355).

    Differences: no centre-ness branch, the score itself is trained towards the IoU of its box
    (Li et al. 2020, arXiv 2006.04388); one class-agnostic score, and a class branch beside it;
    pyramid from stride 4; nothing resizes the image.
    """

    def __init__(self, config: NetworkConfig | None = None) -> None:
        super().__init__()
        self.config = config or NetworkConfig()
        channels, levels = self.config.channels, len(STRIDES)
        self.backbone = Backbone(self.config)
        self.pyramid = FeaturePyramidNetwork(list(self.config.widths), channels)
        self.pyramid_taps = nn.ModuleList(nn.Identity() for _ in range(levels))
        self.score_tower = Tower(channels, self.config.head_convolutions, levels)
        self.box_tower = Tower(channels, self.config.head_convolutions, levels)
        self.score = nn.Conv2d(channels, 1, 3, padding=1)
        self.distances = nn.Conv2d(channels, 4, 3, padding=1)
        self.classes = nn.Conv2d(channels, len(HEAD_CLASSES), 3, padding=1)
        self._initialise()
        self.mask = MaskHead(self.config.stem_width, channels) if self.config.has_mask else None

    def _initialise(self) -> None:
        for head in (self.score, self.distances, self.classes):
            nn.init.normal_(head.weight, std=0.01)
            nn.init.zeros_(head.bias)  # type: ignore[arg-type]  # these convolutions have a bias
        nn.init.constant_(self.score.bias, -4.6)  # type: ignore[arg-type]  # prior of 0.01, as in RetinaNet
        nn.init.constant_(self.distances.bias, 2.0)  # type: ignore[arg-type]  # boxes start 3 strides wide

    def forward(self, x: Tensor) -> list[LevelOutput]:
        """The raw output of each level.

        Args:
            x: (B, 1, H, W), normalised image about 0..1, sides multiples of 32.

        Raises:
            ValueError: when a side is not a multiple of 32.
        """
        return self._levels(self.features(x))

    def predict(self, x: Tensor) -> NetworkOutput:
        """The raw output of each level and, with a mask head, the outlines of (B, 1, H, W) as in `forward`.

        Raises:
            ValueError: when a side is not a multiple of 32.
        """
        stem, pyramid = self._maps(x)
        return NetworkOutput(
            self._levels(pyramid), None if self.mask is None else self.mask(stem, pyramid[0])
        )

    def outline(self, x: Tensor, *, is_trunk_frozen: bool = False) -> Tensor:
        """(B, 1, H/2, W/2) logits of the mask head alone.

        Args:
            x: as in `forward`.
            is_trunk_frozen: no gradient reaches beyond the mask head.

        Raises:
            ValueError: when there is no mask head, or a side is not a multiple of 32.
        """
        if self.mask is None:
            raise ValueError("this network has no mask head")
        with torch.set_grad_enabled(torch.is_grad_enabled() and not is_trunk_frozen):
            stem, pyramid = self._maps(x)
        logit: Tensor = self.mask(stem, pyramid[0])
        return logit

    def features(self, x: Tensor) -> list[Tensor]:
        """The pyramid's maps of (B, 1, H, W), finest first: (B, channels, H/stride, W/stride) each.

        Raises:
            ValueError: when a side is not a multiple of 32.
        """
        return self._maps(x)[1]

    def _maps(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The stem's map, and those of the pyramid."""
        if x.shape[-1] % SIZE_MULTIPLE or x.shape[-2] % SIZE_MULTIPLE:
            raise ValueError(f"sides must be multiples of {SIZE_MULTIPLE}, got {tuple(x.shape[-2:])}")
        stem, *stages = self.backbone(x)
        pyramid = self.pyramid(OrderedDict((str(i), m) for i, m in enumerate(stages)))
        return stem, list(pyramid.values())

    def _levels(self, pyramid: list[Tensor]) -> list[LevelOutput]:
        taps = zip(self.pyramid_taps, pyramid, strict=True)
        return [self._head(tap(level_map), level) for level, (tap, level_map) in enumerate(taps)]

    def _head(self, features: Tensor, level: int) -> LevelOutput:
        scored = self.score_tower(features, level)
        boxed = self.box_tower(features, level)
        distances = (functional.softplus(self.distances(boxed)) - 0.5) * STRIDES[level]
        return LevelOutput(self.score(scored), distances, self.classes(scored))

    def fold(self) -> Self:
        """Merge batch normalisation into the backbone's convolutions, in place; evaluation only."""
        self.eval()
        for module in list(self.modules()):
            if isinstance(module, ConvNorm):
                module.fold()
        return self


def load_state(network: IndicationNetwork, tensors: Mapping[str, Tensor]) -> None:
    """Fill the network from a state dictionary of any floating type.

    Raises:
        ModelArtefactError: when names or shapes do not fit.
    """
    try:
        network.load_state_dict({n: t.float() if t.is_floating_point() else t for n, t in tensors.items()})
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise ModelArtefactError(f"these weights do not fit the network: {reason}") from error


def count_parameters(network: nn.Module, *, only: Sequence[str] = ()) -> int:
    """Number of trainable values, of all submodules or of those named in `only`."""
    modules = [network.get_submodule(name) for name in only] or [network]
    return sum(p.numel() for m in modules for p in m.parameters())
