"""The head that draws outlines."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.engine.layers import ConvNorm

#: Side in px of a cell of its output.
MASK_STRIDE = 2


class MaskHead(nn.Module):
    """Outlines at stride 2, from the finest pyramid level and the stem.

    As the semantic branch of Panoptic FPN (Kirillov et al. 2019, arXiv 1901.02446) on one level, with the
    stem's map beside it, as a crack is often narrower than a cell of that level. All convolutions work at
    stride 4; the last gives each cell its 2x2 logits (Shi et al. 2016, arXiv 1609.05158), which takes less
    than half of the time of convolutions at stride 2.

    Args:
        stem_width: channels of the stem's map.
        channels: of the pyramid.
    """

    _REDUCED, _STEM, _REFINED = 32, 24, 48

    def __init__(self, stem_width: int, channels: int) -> None:
        super().__init__()
        self.reduce = ConvNorm(channels, self._REDUCED)
        self.stem = ConvNorm(stem_width, self._STEM, stride=2)
        self.refine = ConvNorm(self._REDUCED + self._STEM, self._REFINED)
        self.logit = nn.Conv2d(self._REFINED, 4, 1)
        nn.init.constant_(self.logit.bias, -4.0)  # type: ignore[arg-type]  # flaws cover about 2 % of a crop

    def forward(self, stem: Tensor, finest: Tensor) -> Tensor:
        """(B, C, H/2, W/2) of the stem and (B, C', H/4, W/4) of the pyramid to (B, 1, H/2, W/2)."""
        refined = self.refine(torch.cat((self.reduce(finest), self.stem(stem)), dim=1))
        return functional.pixel_shuffle(self.logit(refined), 2)
