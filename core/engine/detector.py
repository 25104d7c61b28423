"""An image in, merged detections out: scores, no probabilities."""

import copy
import logging
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

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
from core.engine.cuda_graph import GraphedNetwork
from core.engine.decoding import Candidates, candidates_of, raw_boxes
from core.engine.merging import RawBoxes, concatenate, merge
from core.engine.network import HEAD_CLASSES, SIZE_MULTIPLE, IndicationNetwork, NetworkConfig, load_state
from core.engine.precision import fast_dtype
from core.engine.tiling import views_of

log = logging.getLogger(__name__)
#: Everything below is dropped at once; AP is measured from here up.
SCORE_FLOOR = 0.01
#: Views of equal size that a GPU runs at once; a CPU is fastest with one.
GPU_VIEWS_AT_ONCE = 16


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


class Request(NamedTuple):
    """A normalised image, (H, W) float32, and the lowest score to report."""

    image: FloatArray
    score_floor: float


class Detector:
    """A network ready to run, with an eager float32 copy for gradients. Safe to share between threads.

    Args:
        network: any; it is taken over, in evaluation mode.
        polarity: that it was trained in.
        device: to run on.
        dtype: number format of the copy that detects; None takes the fastest one here.
        views_at_once: equal-sized views in one batch; None takes what suits the device.
        least_px: sides of a view, as `views_of` takes it: those of the crops it was trained on.

    Attributes:
        network: float32, evaluation mode; for gradients, under `lock`.
        lock: held by whoever needs gradients.
        device: where both copies live.
        polarity: the polarity the network was trained in; hand in images of that polarity.
        has_class_evidence: False when no class was ever taught (all boxes stay unclassified).
    """

    def __init__(
        self,
        network: IndicationNetwork,
        polarity: Polarity,
        device: torch.device,
        *,
        dtype: torch.dtype | None = None,
        views_at_once: int | None = None,
        least_px: int = 0,
    ) -> None:
        self.device = device
        self.polarity = polarity
        self.lock = threading.RLock()
        self.network = network.eval().requires_grad_(False).to(device)
        self._dtype = dtype or fast_dtype(device) or torch.float32
        fast: IndicationNetwork = (
            copy.deepcopy(network).fold().to(device, self._dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's overloads lack this triple
        )
        is_cuda = device.type == "cuda"
        self._fast = GraphedNetwork(fast) if is_cuda else fast
        self._least_px = least_px
        self._views_at_once = views_at_once or (GPU_VIEWS_AT_ONCE if is_cuda else 1)
        # outputs of a replayed graph last until the next one
        self._running: AbstractContextManager[Any] = threading.Lock() if is_cuda else nullcontext()

    @classmethod
    def load(cls, weights: Path, *, device: str = "cpu", dtype: torch.dtype | None = None) -> Self:
        """The detector in a weights file.

        Raises:
            ModelArtefactError: when the file cannot be used.
        """
        network, metadata = read_network(weights)
        polarity, least_px = Polarity(metadata.get("polarity", "unknown")), int(metadata.get("crop_px", 0))
        return cls(network, polarity, torch.device(device), dtype=dtype, least_px=least_px)

    def view_tensor(self, image: FloatArray, view: View) -> Tensor:
        """(1, 1, h, w) float32: exactly what the network sees of `view`, padded to multiples of 32.

        Beside the image its border repeats.

        Args:
            image: (H, W) normalised.
            view: a rectangle of it and the scale to see it at.
        """
        height, width = image.shape
        patch: npt.NDArray[Any] = image[max(view.y0, 0) : view.y1, max(view.x0, 0) : view.x1]
        above, below = max(-view.y0, 0), max(view.y1 - height, 0)
        before, after = max(-view.x0, 0), max(view.x1 - width, 0)
        if above or below or before or after:
            patch = cv2.copyMakeBorder(patch, above, below, before, after, cv2.BORDER_REPLICATE)
        if view.scale != 1.0:
            size = (max(1, round(patch.shape[1] * view.scale)), max(1, round(patch.shape[0] * view.scale)))
            patch = cv2.resize(patch, size, interpolation=cv2.INTER_AREA)
        tensor = torch.from_numpy(np.ascontiguousarray(patch))[None, None].to(self.device)
        down = -patch.shape[0] % SIZE_MULTIPLE
        right = -patch.shape[1] % SIZE_MULTIPLE
        return functional.pad(tensor, (0, right, 0, down), mode="replicate")

    def detect(self, image: FloatArray, *, score_floor: float = SCORE_FLOOR) -> Detections:
        """The merged detections of a normalised image (H, W) float32, highest score first."""
        return self.detect_many([Request(image, score_floor)])[0]

    @torch.inference_mode()
    def detect_many(self, requests: Sequence[Request]) -> list[Detections]:
        """The result of `detect` for each request; views of equal size run together, whoever asked."""
        sizes = [(request.image.shape[1], request.image.shape[0]) for request in requests]
        views = [views_of(*size, self._least_px) for size in sizes]
        jobs = [_Job(i, number, view) for i, own in enumerate(views) for number, view in enumerate(own)]
        parts: dict[tuple[int, int], RawBoxes] = {}
        for batch in _batches(jobs, self._views_at_once):
            tensor = torch.cat([self.view_tensor(requests[job.request].image, job.view) for job in batch])
            found = self._run(tensor, [requests[job.request].score_floor for job in batch])
            for job, candidates in zip(batch, found, strict=True):
                raw = raw_boxes(candidates, job.view, job.number, sizes[job.request])
                parts[job.request, job.number] = raw
        return [
            _as_detections(merge(concatenate([parts[i, number] for number in range(len(own))]), own), own)
            for i, own in enumerate(views)
        ]

    def _run(self, tensor: Tensor, score_floors: Sequence[float]) -> list[Candidates]:
        """Raw predictions of the network in each of the padded views (B, 1, H, W)."""
        inputs = tensor.to(self._dtype).contiguous(memory_format=torch.channels_last)
        with self._running:
            return candidates_of(self._fast(inputs), score_floors)


@dataclass(frozen=True, slots=True)
class _Job:
    """One view of one of several requests, and its number among those of that image."""

    request: int
    number: int
    view: View


def _batches(jobs: Sequence[_Job], at_most: int) -> list[list[_Job]]:
    """The jobs in batches of views of equal size, so many at most."""
    by_size: dict[tuple[int, int, float], list[_Job]] = {}
    for job in jobs:
        view = job.view
        by_size.setdefault((view.x1 - view.x0, view.y1 - view.y0, view.scale), []).append(job)
    return [own[i : i + at_most] for own in by_size.values() for i in range(0, len(own), at_most)]


def _as_detections(raw: RawBoxes, views: list[View]) -> Detections:
    classes = tuple(HEAD_CLASSES[i] if i >= 0 else IndicationClass.UNCLASSIFIED for i in raw.class_id)
    origins = tuple(
        Origin(views[v], int(level), int(row), int(col))
        for v, (level, row, col) in zip(raw.view_index, raw.cell, strict=True)
    )
    return Detections(raw.boxes, raw.scores, classes, origins)
