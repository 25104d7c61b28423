"""The score of one box as a function of the pixels around it, for gradients."""

import torch
from torch import Tensor, nn

from core.engine.network import IndicationNetwork
from core.explain.box_view import BoxView


class OutlineOrCell(nn.Module):
    """(B, 1, h, w) versions of a view to (B,) logits: of a box's cell, or of the outline that drew it.

    Args:
        network: float32.
        around: the box.
    """

    def __init__(self, network: IndicationNetwork, around: BoxView) -> None:
        super().__init__()
        self._network, self._around = network, around

    def forward(self, views: Tensor) -> Tensor:
        """The logits, before the sigmoid."""
        cell, outline = self._around.cell, self._around.outline
        if outline is not None:
            drawn = self._network.outline(views)[:, 0]
            rows, columns = (torch.from_numpy(part).to(drawn.device) for part in outline)
            mean: Tensor = drawn[:, rows, columns].mean(dim=1)
            return mean
        logit: Tensor = self._network(views)[cell.level].score_logit[:, 0, cell.row, cell.col]
        return logit
