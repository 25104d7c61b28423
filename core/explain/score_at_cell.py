"""The head of the network at one cell, as the small function that attribution differentiates."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from core.domain.detections import CellOrigin, FloatArray, View
from core.engine.detector import Detector
from core.engine.network import IndicationNetwork


class ScoreAtCell(nn.Module):
    """(B, C, h, w) pyramid map of one level to the (B,) score logits at one of its cells.

    The map goes through the network's own tap of that level, where attribution hooks.
    """

    def __init__(self, network: IndicationNetwork, level: int, row: int, col: int) -> None:
        super().__init__()
        self._network = network
        self._level, self._row, self._col = level, row, col

    @property
    def tap(self) -> nn.Module:
        """The identity that the map passes through."""
        return self._network.pyramid_taps[self._level]

    def forward(self, features: Tensor) -> Tensor:
        """The score logit at the cell, before the sigmoid."""
        scored = self._network.score_tower(self.tap(features), self._level)
        logits: Tensor = self._network.score(scored)[:, 0, self._row, self._col]
        return logits


def pyramid_of(detector: Detector, image: FloatArray, view: View) -> Sequence[Tensor]:
    """The pyramid's maps of exactly what the network saw of `view`, float32, without a graph.

    Hold `detector.lock`.

    Args:
        detector: whose float32 network runs.
        image: (H, W) normalised.
        view: from the origin of a detection in that image.
    """
    with torch.no_grad():
        return detector.network.features(detector.view_tensor(image, view))


def reach_of(network: IndicationNetwork) -> int:
    """Cells of the pyramid that a score can see to each side: 3x3 convolutions of the tower, and one."""
    return network.config.head_convolutions + 1


def around(features: Tensor, origin: CellOrigin, reach: int) -> tuple[Tensor, int, int]:
    """The cells within `reach` of the origin's, clipped to the map, and the first row and column of them."""
    rows, cols = features.shape[-2:]
    first_row, first_col = max(0, origin.row - reach), max(0, origin.col - reach)
    last_row, last_col = min(rows, origin.row + reach + 1), min(cols, origin.col + reach + 1)
    return features[..., first_row:last_row, first_col:last_col], first_row, first_col
