"""An image in, merged detections out: scores, no probabilities."""

import copy
import logging
import threading
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor
from torch.nn import functional

from core.domain.detections import Detections, FloatArray, Origin, View
from core.domain.errors import ModelArtefactError
from core.domain.indication import IndicationClass
from core.domain.radiograph import Polarity
from core.engine.merging import RawBoxes, mark_cut, merge
from core.engine.network import (
    HEAD_CLASSES,
    SIZE_MULTIPLE,
    STRIDES,
    IndicationNetwork,
    LevelOutput,
    NetworkConfig,
    load_state,
)
from core.engine.precision import fast_dtype
from core.engine.tiling import views_of

log = logging.getLogger(__name__)
#: Everything below is dropped at once; AP is measured from here up.
SCORE_FLOOR = 0.01
#: Candidates a view may pass on to merging.
MAX_PER_VIEW = 2000
#: A class needs at least this share of the softmax, else the box stays unclassified.
CLASS_EVIDENCE = 0.5


def read_network(weights: Path) -> tuple[IndicationNetwork, dict[str, str]]:
    """The network in a weights file, in float32 and evaluation mode, and the file's header.

    Raises:
        ModelArtefactError: when the file is missing, damaged or of another network.
    """
    try:
        with safe_open(weights, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a dict
    except (OSError, SafetensorError) as error:
        raise ModelArtefactError(f"cannot read the weights {weights.name}: {error}") from error
    if "network" not in metadata:
        raise ModelArtefactError(f"{weights.name} has no network configuration in its header")
    network = IndicationNetwork(NetworkConfig.from_json(metadata["network"]))
    load_state(network, tensors)
    return network.eval(), metadata


class Detector:
    """A network ready to run, with an eager float32 copy for gradients.

    Attributes:
        network: float32, evaluation mode; for gradients, under `lock`.
        lock: held by whoever needs gradients.
        device: where both copies live.
        polarity: the polarity the network was trained in; hand in images of that polarity.
        has_class_evidence: False when no class was ever taught (all boxes stay unclassified).
    """

    def __init__(self, network: IndicationNetwork, polarity: Polarity, device: torch.device) -> None:
        self.device = device
        self.polarity = polarity
        self.lock = threading.RLock()
        self.network = network.eval().requires_grad_(False).to(device)
        self._dtype = fast_dtype(device) or torch.float32
        fast = copy.deepcopy(network).fold()
        self._fast = fast.to(device, self._dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's overloads lack this triple

    @classmethod
    def load(cls, weights: Path, *, device: str = "cpu") -> Self:
        """The detector in a weights file.

        Raises:
            ModelArtefactError: when the file cannot be used.
        """
        network, metadata = read_network(weights)
        return cls(network, Polarity(metadata.get("polarity", "unknown")), torch.device(device))

    def view_tensor(self, image: FloatArray, view: View) -> Tensor:
        """(1, 1, h, w) float32: exactly what the network sees of `view`, padded to multiples of 32.

        Args:
            image: (H, W) normalised.
            view: a rectangle of it and the scale to see it at.
        """
        patch: npt.NDArray[Any] = image[view.y0 : view.y1, view.x0 : view.x1]
        if view.scale != 1.0:
            size = (max(1, round(patch.shape[1] * view.scale)), max(1, round(patch.shape[0] * view.scale)))
            patch = cv2.resize(patch, size, interpolation=cv2.INTER_AREA)
        tensor = torch.from_numpy(np.ascontiguousarray(patch))[None, None].to(self.device)
        down = -patch.shape[0] % SIZE_MULTIPLE
        right = -patch.shape[1] % SIZE_MULTIPLE
        return functional.pad(tensor, (0, right, 0, down), mode="replicate")

    @torch.inference_mode()
    def detect(self, image: FloatArray, *, score_floor: float = SCORE_FLOOR) -> Detections:
        """The merged detections of a normalised image (H, W) float32, highest score first."""
        height, width = image.shape
        views = views_of(width, height)
        parts = []
        for number, view in enumerate(views):
            outputs = self._run(self.view_tensor(image, view))
            parts.append(_decode(outputs, view, number, (width, height), score_floor))
        names = ("boxes", "scores", "is_cut", "view_index", "cell", "class_id")
        raw = RawBoxes(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))
        return _as_detections(merge(raw, views), views)

    def _run(self, tensor: Tensor) -> list[LevelOutput]:
        """Raw outputs in float32 of one padded view."""
        outputs = self._fast(tensor.to(self._dtype).contiguous(memory_format=torch.channels_last))
        return [LevelOutput(*(part.float() for part in level)) for level in outputs]


def _decode(
    outputs: list[LevelOutput], view: View, number: int, size: tuple[int, int], score_floor: float
) -> RawBoxes:
    """The raw boxes of one view above the floor, in px of the image, clipped to it."""
    boxes, scores, cells, classes = [], [], [], []
    for level, (output, stride) in enumerate(zip(outputs, STRIDES, strict=True)):
        score = output.score_logit[0, 0].sigmoid()
        row, col = torch.nonzero(score >= score_floor, as_tuple=True)
        distance = output.distances[0, :, row, col]
        x, y = (col + 0.5) * stride, (row + 0.5) * stride
        boxes.append(torch.stack((x - distance[0], y - distance[1], x + distance[2], y + distance[3]), dim=1))
        scores.append(score[row, col])
        cells.append(torch.stack((torch.full_like(row, level), row, col), dim=1))
        evidence, best = output.class_logits[0, :, row, col].softmax(dim=0).max(dim=0)
        classes.append(torch.where(evidence >= CLASS_EVIDENCE, best, -1))
    score_all = torch.cat(scores)
    order = score_all.argsort(descending=True, stable=True)[:MAX_PER_VIEW]
    absolute = torch.cat(boxes)[order] / view.scale + torch.tensor(
        [view.x0, view.y0] * 2, dtype=torch.float32, device=score_all.device
    )
    found = absolute.cpu().numpy()
    # what lies in the padding is clipped away, then boxes without area go
    found[:, 0::2] = found[:, 0::2].clip(view.x0, min(view.x1, size[0]))
    found[:, 1::2] = found[:, 1::2].clip(view.y0, min(view.y1, size[1]))
    is_real = (found[:, 2] > found[:, 0]) & (found[:, 3] > found[:, 1])
    raw = RawBoxes(
        boxes=found,
        scores=score_all[order].cpu().numpy(),
        is_cut=mark_cut(found, view, *size),
        view_index=np.full(len(found), number, np.int64),
        cell=torch.cat(cells)[order].cpu().numpy(),
        class_id=torch.cat(classes)[order].cpu().numpy(),
    )
    return raw.take(is_real)


def _as_detections(raw: RawBoxes, views: list[View]) -> Detections:
    classes = tuple(HEAD_CLASSES[i] if i >= 0 else IndicationClass.UNCLASSIFIED for i in raw.class_id)
    origins = tuple(
        Origin(views[v], int(level), int(row), int(col))
        for v, (level, row, col) in zip(raw.view_index, raw.cell, strict=True)
    )
    return Detections(raw.boxes, raw.scores, classes, origins)
