"""A detector that knows what its score hangs on: the darkness of one small spot in its box."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.domain.detections import CellOrigin, Detections, View
from core.domain.indication import IndicationClass
from core.domain.radiograph import Polarity
from core.engine.detector import Detector
from core.engine.network import HEAD_CLASSES, STRIDES, IndicationNetwork, LevelOutput, NetworkOutput
from tests.artefacts import TINY

WHOLE = View(0, 0, 320, 256)
BOX = (100.0, 90.0, 148.0, 126.0)
#: Rows and columns of the spot, off the middle of the box.
SPOT = (slice(96, 106), slice(104, 114))
#: The part of the image that is read for the box begins here, by `views_around`.
_LEVEL_0 = 0


class Planted(Detector):
    """The logit of every cell is the darkness of the spot, wherever the view begins."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        super().__init__(IndicationNetwork(TINY), Polarity.FILM, torch.device("cpu"), dtype=torch.float32)
        self.corner = (0, 0)
        self.runs = 0

    def view_tensor(self, image: Any, view: View) -> Tensor:
        """As the detector; remembers where the view begins."""
        self.corner = (view.y0, view.x0)
        return super().view_tensor(image, view)

    def predict(self, views: Tensor) -> NetworkOutput:
        """Levels of the right size."""
        self.runs += len(views)
        rows, columns = (
            slice(part.start - start, part.stop - start)
            for part, start in zip(SPOT, self.corner, strict=True)
        )
        logit = 12 * (0.5 - views[:, :, rows, columns].mean(dim=(1, 2, 3)))
        height, width = views.shape[-2:]
        levels = []
        for stride in STRIDES:
            shape = (height // stride, width // stride)
            levels.append(
                LevelOutput(
                    logit[:, None, None, None].expand(-1, 1, *shape),
                    torch.zeros(len(views), 4, *shape),
                    torch.zeros(len(views), len(HEAD_CLASSES), *shape),
                )
            )
        return NetworkOutput(levels, None)


def planted_image() -> np.ndarray:
    """(256, 320) with a flaw that fills the box; only its spot counts, and it looks like the rest."""
    image = np.full((256, 320), 0.9, np.float32)
    image[90:126, 100:148] = 0.2
    noise = np.random.default_rng(1).standard_normal(image.shape).astype(np.float32)
    return image + np.float32(0.01) * noise


def planted_detections() -> Detections:
    """The box."""
    return Detections(
        np.array([BOX], np.float32),
        np.array([0.95], np.float32),
        (IndicationClass.UNCLASSIFIED,),
        (CellOrigin(WHOLE, _LEVEL_0, 27, 31),),
    )
