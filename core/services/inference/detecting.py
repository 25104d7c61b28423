"""Running a model version on a radiograph."""

import hashlib
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from core.calibrate.calibrator import calibrator_from
from core.calibrate.familiarity import FamiliarityReference, read_reference
from core.domain.detections import Detections, FloatArray
from core.domain.errors import ModelArtefactError
from core.domain.familiarity import Familiarity
from core.domain.inspection import DetectionResult
from core.domain.kinds import family_of
from core.domain.model_version import ModelVersion
from core.domain.polarity import PolarityDecision, decide_polarity
from core.domain.ports import ModelSource
from core.domain.radiograph import Polarity, Radiograph
from core.engine.batching import MicroBatcher
from core.engine.detector import SCORE_FLOOR, Detector, Request
from core.engine.merging import SUPPORT_SHARE
from core.engine.pieces import cut_to_box
from core.engine.precision import pick_device
from core.engine.second_stage import SecondStage
from core.imaging.normalise import normalise
from core.imaging.polarity import estimate_polarity
from core.registry.artefact import GROUPS
from core.tracing import span

log = logging.getLogger(__name__)
_KEPT_DETECTORS = 4
_WARM_UP_PX = 256

Found = TypeVar("Found")


class Engine(Protocol):
    """Where the network of a version runs: in this process, or elsewhere."""

    def detect(self, request: Request) -> Detections:
        """The detections on one image."""

    def ask(self, work: Callable[[Detector], Found]) -> Found:
        """What `work` returns for the detector of the version.

        Args:
            work: may be pickled and run in another process: a function of a module, with `functools.partial`
                for its arguments.
        """


class DetectService:
    """Detects with calibrated probabilities. Safe to share between threads.

    Args:
        models: resolves a name, version or alias to its artefacts.
        device: "auto", "cpu", "cuda" or "cuda:N".
        check: raises ModelArtefactError where a version may not be loaded from its folder.
        elsewhere: gives the engine that runs a version on other machines; None runs it here.
    """

    def __init__(
        self,
        models: ModelSource,
        *,
        device: str = "auto",
        check: Callable[[ModelVersion, Path], None] = lambda _version, _folder: None,
        elsewhere: Callable[[ModelVersion, Path], Engine] | None = None,
    ) -> None:
        self._models = models
        self._check = check
        self._elsewhere = elsewhere
        self._device = pick_device(device)
        self._loaded: OrderedDict[str, _Loaded] = OrderedDict()
        self._lock = threading.Lock()
        self._loading: dict[str, threading.Lock] = {}
        self._watchers: list[Callable[[DetectionResult], None]] = []

    def watch(self, tell: Callable[[DetectionResult], None]) -> None:
        """Call `tell` with every result from now on, in the thread that detected."""
        self._watchers.append(tell)

    @property
    def device(self) -> str:
        """The device that networks run on, as torch names it."""
        return self._device

    def loaded(self) -> tuple[ModelVersion, ...]:
        """The versions whose network is in memory now."""
        with self._lock:
            return tuple(loaded.version for loaded in self._loaded.values())

    def detect(
        self,
        radiograph: Radiograph,
        name: str,
        *,
        model: str,
        version: int | None = None,
        alias: str = "champion",
        min_score: float | None = None,
        in_floating_point: bool = False,
    ) -> DetectionResult:
        """The calibrated detections of a model version on a radiograph.

        Args:
            radiograph: the image.
            name: the file's name, as the user knows it.
            model: "weld" or "casting".
            version: of the model; None takes the one that bears `alias`.
            alias: "champion" or "challenger".
            min_score: lowest raw score that is reported; None takes the calibration's cut.
            in_floating_point: also where 8-bit integers are faster.

        Raises:
            ModelNotFoundError: when there is no such version.
            ModelArtefactError: when its artefacts are damaged.
        """
        with span("detect", radikal_model=model, radikal_pixels=int(radiograph.pixels.size)) as measured:
            result = self._detected(
                radiograph,
                name,
                model=model,
                version=version,
                alias=alias,
                min_score=min_score,
                in_floating_point=in_floating_point,
            )
            measured.set_attribute("radikal.version", result.model.version)
            measured.set_attribute("radikal.boxes", len(result.detections.scores))
        for tell in self._watchers:
            tell(result)
        return result

    def _detected(
        self,
        radiograph: Radiograph,
        name: str,
        *,
        model: str,
        version: int | None,
        alias: str,
        min_score: float | None,
        in_floating_point: bool,
    ) -> DetectionResult:
        """What `detect` says; each stage is measured."""
        resolved, folder = self._models.resolve(model, version=version, alias=alias)
        with span("load version"):
            loaded = self._load(resolved, folder)
        started = time.perf_counter()
        floor = resolved.calibration.score_cut if min_score is None else min_score
        with span("normalise"):
            image = normalised_for(radiograph, resolved)
        # what is a little weaker still has a say in the extent of what is shown
        request = Request(image, max(SUPPORT_SHARE * floor, SCORE_FLOOR))
        with span("network"):
            if in_floating_point:
                found = loaded.detector.in_floating_point().detect_many([request])[0].above(floor)
            else:
                found = loaded.engine.detect(request).above(floor)
        with span("calibrate"):
            calibrator = calibrator_from(resolved.calibration.method, resolved.calibration.parameters)
            found = found.with_probabilities(calibrator.probability(found.scores))
        if loaded.second_stage is not None:
            with span("second stage"):
                found = loaded.second_stage.claimed(image, found)
        found = _cut_to_boxes(found)  # what lies beside a box belongs to another one, or to none
        elapsed_ms = (time.perf_counter() - started) * 1000
        with span("familiarity"):
            familiarity = loaded.familiarity_of(image)
        return DetectionResult(
            name,
            radiograph,
            resolved,
            found,
            elapsed_ms,
            self._device,
            _notes(radiograph, resolved),
            familiarity,
        )

    def familiarity(
        self, radiograph: Radiograph, *, model: str, version: int | None = None, alias: str = "champion"
    ) -> Familiarity | None:
        """How much the radiograph looks like those that calibrated the version; None where it cannot tell.

        Raises:
            ModelNotFoundError: when there is no such version.
            ModelArtefactError: when its artefacts are damaged.
        """
        resolved, folder = self._models.resolve(model, version=version, alias=alias)
        loaded = self._load(resolved, folder)
        return loaded.familiarity_of(normalised_for(radiograph, resolved)) if loaded.reference else None

    def appearance(
        self, radiograph: Radiograph, *, model: str, version: int | None = None, alias: str = "champion"
    ) -> FloatArray:
        """(D,) float32, the pooled features of the version's backbone, as familiarity compares them.

        Raises:
            ModelNotFoundError: when there is no such version.
            ModelArtefactError: when its artefacts are damaged.
        """
        resolved, folder = self._models.resolve(model, version=version, alias=alias)
        detector = self._load(resolved, folder).detector
        return detector.appearance(normalised_for(radiograph, resolved))

    def polarity_of(
        self, radiograph: Radiograph, *, model: str, version: int | None = None, alias: str = "champion"
    ) -> PolarityDecision:
        """The polarity to read the radiograph in: stated, estimated, or to be asked.

        Raises:
            ModelNotFoundError: when there is no such version.
        """
        resolved, _ = self._models.resolve(model, version=version, alias=alias)
        estimate = estimate_polarity(radiograph.pixels, family_of(resolved.name).value)
        return decide_polarity(radiograph.polarity, radiograph.polarity_ground, resolved.polarity, estimate)

    def warm_up(self, version: ModelVersion) -> None:
        """Load a version and run it once on nothing: the first run of a network prepares its kernels.

        Raises:
            ModelArtefactError: when its artefacts are damaged.
        """
        self.detector_for(version).detect(np.full((_WARM_UP_PX, _WARM_UP_PX), 0.5, np.float32))

    def detector_for(self, version: ModelVersion, folder: Path | None = None) -> Detector:
        """The detector of a version, from memory or loaded now.

        Raises:
            ModelArtefactError: when the weights are not those that were registered.
        """
        return self._load(version, folder).detector

    def ask(self, version: ModelVersion, work: Callable[[Detector], Found]) -> Found:
        """What `work` returns for the detector of a version, run where its network runs; see `Engine.ask`.

        Raises:
            ModelArtefactError: when the weights are not those that were registered.
            EngineBusyError: other machines run it, and too much waits for them.
            EngineAwayError: other machines run it, and do not answer.
        """
        return self._load(version, None).engine.ask(work)

    def _load(self, version: ModelVersion, folder: Path | None) -> "_Loaded":
        """The version in memory. While one is being loaded, the others go on answering."""
        if (found := self._in_memory(version.sha256)) is not None:
            return found
        with self._lock:
            loading = self._loading.setdefault(version.sha256, threading.Lock())
        with loading:
            if (found := self._in_memory(version.sha256)) is not None:
                return found
            if folder is None:
                _, folder = self._models.resolve(version.name, version=version.version)
            self._check(version, folder)
            detector = Detector.load(_checked_weights(version, folder), device=self._device)
            reference = read_reference(folder, version.sha256)
            elsewhere = self._elsewhere
            engine = _Here(detector) if elsewhere is None else elsewhere(version, folder)
            loaded = _Loaded(version, detector, engine, reference, _second_stage(folder))
            self._keep(loaded)
        log.info("loaded %s v%d on %s", version.name, version.version, self._device)
        return loaded

    def _in_memory(self, sha256: str) -> "_Loaded | None":
        with self._lock:
            if sha256 in self._loaded:
                self._loaded.move_to_end(sha256)
            return self._loaded.get(sha256)

    def _keep(self, loaded: "_Loaded") -> None:
        """Keep it in memory; what was not asked for longest gives way."""
        with self._lock:
            self._loaded[loaded.version.sha256] = loaded
            self._loading.pop(loaded.version.sha256, None)
            while len(self._loaded) > _KEPT_DETECTORS:
                self._loaded.popitem(last=False)


@dataclass(frozen=True, slots=True, eq=False)
class _Loaded:
    """A version in memory.

    Attributes:
        engine: where its network runs.
        reference: what it learnt from looks like; None where the version does not say.
    """

    version: ModelVersion
    detector: Detector
    engine: Engine
    reference: FamiliarityReference | None
    second_stage: SecondStage | None

    def familiarity_of(self, image: FloatArray) -> Familiarity | None:
        """How a normalised image looks beside those; None without a reference."""
        if self.reference is None:
            return None
        return self.reference.of(self.detector.appearance(image))


class _Here:
    """Runs the network in this process."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._batcher = MicroBatcher(detector.detect_many) if detector.device.type == "cuda" else None

    def detect(self, request: Request) -> Detections:
        """On a GPU, images of users who ask within a few ms run together; a CPU is fastest one by one."""
        if self._batcher is not None:
            return self._batcher.submit(request)
        return self._detector.detect_many([request])[0]

    def ask(self, work: Callable[[Detector], Found]) -> Found:
        """What `work` returns."""
        return work(self._detector)


def normalised_for(radiograph: Radiograph, version: ModelVersion) -> FloatArray:
    """The radiograph as that version's network expects it: (H, W) float32."""
    return normalise(radiograph.pixels, polarity=radiograph.polarity, model_polarity=version.polarity)


def _cut_to_boxes(found: Detections) -> Detections:
    """The same, each outline but that of a line without what lies beside its box."""
    if found.outlines is None:
        return found
    pairs = zip(found.outlines, found.boxes, strict=True)
    return replace(found, outlines=tuple(one and cut_to_box(one, box) for one, box in pairs))


def _second_stage(folder: Path) -> SecondStage | None:
    path = folder / GROUPS
    return SecondStage.load(path) if path.is_file() else None


def _notes(radiograph: Radiograph, version: ModelVersion) -> tuple[str, ...]:
    notes = radiograph.notes
    if radiograph.polarity is Polarity.UNKNOWN:
        notes += (f"polarity unknown, taken as {version.polarity.value}, the model's own",)
    if not np.isfinite(radiograph.pixels).all():
        notes += ("values that are not numbers were taken as the lowest",)
    return notes


def _checked_weights(version: ModelVersion, folder: Path) -> Path:
    weights = folder / "weights.safetensors"
    try:
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelArtefactError(f"the weights of {version.name} v{version.version} are missing") from error
    if digest != version.sha256:
        raise ModelArtefactError(
            f"the weights of {version.name} v{version.version} are not those that were registered: "
            f"expected {version.sha256[:12]}, found {digest[:12]}"
        )
    return weights
