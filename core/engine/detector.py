"""An image in, merged detections out: scores, no probabilities."""

import copy
import threading
from collections.abc import Callable, Sequence
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

from core.domain.detections import Detections, FloatArray, View
from core.domain.errors import ModelArtefactError
from core.domain.radiograph import Polarity
from core.engine.appearance import appearance_of
from core.engine.cuda_graph import GraphedNetwork
from core.engine.decoding import Candidates, candidates_of, raw_boxes
from core.engine.fusion import Fusion
from core.engine.indications import Sighting, from_both_heads, from_boxes
from core.engine.int8 import Int8Network, has_fast_int8
from core.engine.merging import RawBoxes, concatenate, merge
from core.engine.network import (
    SIZE_MULTIPLE,
    IndicationNetwork,
    NetworkConfig,
    NetworkOutput,
    load_state,
)
from core.engine.outline_map import OutlineMap
from core.engine.precision import fast_dtype
from core.engine.ranges import Ranges, read_ranges
from core.engine.tiling import BANDS, TILES, views_of
from core.engine.zone_prior import ZonePrior, read_zone_prior

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
    """What to look at, and how closely.

    Attributes:
        image: (H, W) float32, normalised.
        score_floor: the lowest score to report.
        views: of the image that are looked at; None takes all that `views_of` gives.
    """

    image: FloatArray
    score_floor: float
    views: tuple[View, ...] | None = None


class Detector:
    """A network ready to run, with an eager float32 copy for gradients. Safe to share between threads.

    Args:
        network: any; it is taken over, in evaluation mode.
        polarity: that it was trained in.
        device: to run on.
        dtype: number format of the copy that detects; None takes the fastest one here.
        views_at_once: equal-sized views in one batch; None takes what suits the device.
        least_px: sides of a view, as `views_of` takes it: those of the crops it was trained on.
        is_banded: how a film is cut, as `views_of` takes it.
        fusion: how boxes and outlines are brought together; None reports the boxes alone.
        ranges: of the network's maps; with them it detects in 8-bit integers where these are fast and
            no `dtype` is asked for.
        zone_prior: weighs what it finds on a whole film by where it lies; None takes all places alike.

    Attributes:
        network: float32, evaluation mode; for gradients, under `lock`.
        lock: held by whoever needs gradients.
        number_format: of the copy that detects: "float32", "bfloat16" or "int8".
        device: where both copies live.
        polarity: the polarity the network was trained in; hand in images of that polarity.
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
        is_banded: bool = False,
        fusion: Fusion | None = None,
        ranges: Ranges | None = None,
        zone_prior: ZonePrior | None = None,
    ) -> None:
        if fusion is not None and network.mask is None:
            raise ModelArtefactError("these weights fuse boxes with outlines, and have no mask head")
        self.device = device
        self.polarity = polarity
        self.lock = threading.RLock()
        self.network = network.eval().requires_grad_(False).to(device)
        is_cuda = device.type == "cuda"
        is_int8 = ranges is not None and dtype is None and not is_cuda and has_fast_int8()
        self._dtype = torch.float32 if is_int8 else dtype or fast_dtype(device) or torch.float32
        self.number_format = "int8" if is_int8 else str(self._dtype).removeprefix("torch.")
        self._fast: Callable[[Tensor], NetworkOutput]
        if is_int8 and ranges is not None:
            self._fast = Int8Network(self.network, ranges).predict
        else:
            fast: IndicationNetwork = (
                copy.deepcopy(network).fold().to(device, self._dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's overloads lack this triple
            )
            self._fast = GraphedNetwork(fast.predict) if is_cuda else fast.predict
        self._least_px, self._is_banded = least_px, is_banded
        self._fusion, self._zone_prior = fusion, zone_prior
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
        fusion = Fusion.from_json(metadata["fusion"]) if "fusion" in metadata else None
        return cls(
            network,
            polarity,
            torch.device(device),
            dtype=dtype,
            least_px=least_px,
            is_banded=metadata.get(TILES) == BANDS,
            fusion=fusion,
            ranges=read_ranges(weights),
            zone_prior=read_zone_prior(weights),
        )

    def in_floating_point(self) -> "Detector":
        """This detector; where it detects in 8-bit integers, one of the same network that does not."""
        if self.number_format != "int8":
            return self
        return Detector(
            self.network,
            self.polarity,
            self.device,
            least_px=self._least_px,
            is_banded=self._is_banded,
            fusion=self._fusion,
            zone_prior=self._zone_prior,
        )

    def views_of(self, image: FloatArray) -> list[View]:
        """The views of a normalised image (H, W) that the network sees."""
        height, width = image.shape
        return views_of(width, height, self._least_px, is_banded=self._is_banded)

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

    def appearance(self, image: FloatArray) -> FloatArray:
        """(D,) float32: what a normalised image (H, W) looks like to the network, whatever lies on it."""
        return appearance_of(self.network, image, self.device)

    def detect(self, image: FloatArray, *, score_floor: float = SCORE_FLOOR) -> Detections:
        """The merged detections of a normalised image (H, W) float32, highest score first."""
        return self.detect_many([Request(image, score_floor)])[0]

    def detect_many(self, requests: Sequence[Request]) -> list[Detections]:
        """The detections of each request, as `detect` gives them; views of equal size run together."""
        if self._fusion is None:
            found = [from_boxes(sighting) for sighting in self.look_at(requests)]
        else:
            sightings = self.look_at([request._replace(score_floor=SCORE_FLOOR) for request in requests])
            found = [
                from_both_heads(sighting, self._fusion, request.score_floor)
                for sighting, request in zip(sightings, requests, strict=True)
            ]
        return [self._weighed(*pair) for pair in zip(found, requests, strict=True)]

    def _weighed(self, found: Detections, request: Request) -> Detections:
        """The same, weighed by where they lie.

        An image that takes one view was cut close to the weld, and parts of an image that are read again are
        compared with each other: both stay as they are.
        """
        if self._zone_prior is None or request.views is not None or len(self.views_of(request.image)) == 1:
            return found
        return self._zone_prior.weigh(found, request.image, self.polarity).above(request.score_floor)

    @torch.inference_mode()
    def look_at(self, requests: Sequence[Request]) -> list[Sighting]:
        """The output of both heads for each request, before fusion; the floors are those of boxes."""
        sizes = [(request.image.shape[1], request.image.shape[0]) for request in requests]
        views = [self._views(request) for request in requests]
        maps = [OutlineMap(*size) if self.network.mask is not None else None for size in sizes]
        jobs = [_Job(i, number, view) for i, own in enumerate(views) for number, view in enumerate(own)]
        parts: dict[tuple[int, int], RawBoxes] = {}
        for batch in _batches(jobs, self._views_at_once):
            tensor = torch.cat([self.view_tensor(requests[job.request].image, job.view) for job in batch])
            found = self._run(tensor, [requests[job.request].score_floor for job in batch])
            for job, (candidates, probability) in zip(batch, found, strict=True):
                raw = raw_boxes(candidates, job.view, job.number, sizes[job.request])
                parts[job.request, job.number] = raw
                outlines = maps[job.request]
                if outlines is not None and probability is not None and job.view.scale == 1.0:
                    outlines.add(job.view, probability)
        return [
            Sighting(
                sizes[i],
                merge(concatenate([parts[i, number] for number in range(len(own))]), own),
                own,
                None if outlines is None else outlines.probability(),
            )
            for i, (own, outlines) in enumerate(zip(views, maps, strict=True))
        ]

    def _views(self, request: Request) -> list[View]:
        return self.views_of(request.image) if request.views is None else list(request.views)

    def _run(
        self, tensor: Tensor, score_floors: Sequence[float]
    ) -> list[tuple[Candidates, FloatArray | None]]:
        """Candidates and outlines in each of the padded views (B, 1, H, W)."""
        inputs = tensor.to(self._dtype).contiguous(memory_format=torch.channels_last)
        with self._running:
            levels, mask_logit = self._predict(inputs)
            candidates = candidates_of(levels, score_floors)
            if mask_logit is None:
                return [(one, None) for one in candidates]
            probability: FloatArray = mask_logit[:, 0].float().sigmoid().cpu().numpy()
        return list(zip(candidates, probability, strict=True))

    def predict(self, views: Tensor) -> NetworkOutput:
        """The raw output of both heads for views (B, 1, H, W) as `view_tensor` gives them, as it detects."""
        inputs = views.to(self._dtype).contiguous(memory_format=torch.channels_last)
        with self._running:
            return _copied(self._fast(inputs)) if self.device.type == "cuda" else self._fast(inputs)

    def _predict(self, views: Tensor) -> NetworkOutput:
        return self._fast(views)


def _copied(found: NetworkOutput) -> NetworkOutput:
    """Its own tensors: those of a replayed graph last until the next one."""
    levels = [type(level)(*(part.clone() for part in level)) for level in found.levels]
    return NetworkOutput(levels, None if found.mask_logit is None else found.mask_logit.clone())


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
