"""Places where a network reports what is not there, to train it on."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from core.domain.radiograph import Polarity
from core.engine.detector import Detector
from core.engine.network import IndicationNetwork
from core.engine.overlap import meeting_pairs
from core.training.images import TrainingImage

#: Scores from here up count as a report.
MINED_SCORE = 0.15
#: The strongest of each image.
MOST_PER_IMAGE = 60
_KEPT = "mined.json"


def mined_places(
    folder: Path, images: Sequence[TrainingImage], network: IndicationNetwork, polarity: Polarity, device: str
) -> dict[int, npt.NDArray[np.float32]]:
    """The places that `mine` finds, kept in `folder`, so that a resumed run looks for nothing twice."""
    path = folder / _KEPT
    if not path.exists():
        found = mine(images, network, polarity, device)
        path.write_text(
            json.dumps({index: boxes.tolist() for index, boxes in found.items()}), encoding="utf-8"
        )
    kept = json.loads(path.read_text(encoding="utf-8"))
    return {int(index): np.array(boxes, np.float32) for index, boxes in kept.items()}


def mine(
    images: Sequence[TrainingImage], network: IndicationNetwork, polarity: Polarity, device: str
) -> dict[int, npt.NDArray[np.float32]]:
    """Reports that touch no box of their image, not even an ignored one: by its index, (N, 4) xyxy px.

    Only images that are to be mined are looked at: films whose record is known and whose flaws are virtual.
    Elsewhere a report may be a flaw that nobody boxed. Images without such a report are left out.
    """
    detector = Detector(network, polarity, torch.device(device))
    found = {}
    for index, image in enumerate(images):
        if image.is_mined:
            reported = detector.detect(image.pixels.astype(np.float32), score_floor=MINED_SCORE).boxes
            if len(free := _untouched(reported, image.boxes)):
                found[index] = free[:MOST_PER_IMAGE]
    return found


def _untouched(reported: npt.NDArray[np.float32], known: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Those of `reported` that meet none of `known`."""
    i, j = meeting_pairs(np.concatenate((reported, known)))
    is_free = np.ones(len(reported), np.bool_)
    is_free[i[(i < len(reported)) & (j >= len(reported))]] = False
    return reported[is_free]
