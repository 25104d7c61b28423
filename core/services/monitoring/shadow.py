"""The challenger reads what the champion read, unseen by whoever reads: disagreements are collected."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from core.domain.accounts import Identity
from core.domain.correction_findings import findings_of_versions
from core.domain.errors import BadInputError, EngineAwayError, EngineBusyError, WorkbenchError
from core.domain.model_version import ModelVersion
from core.domain.permissions import Action, require
from core.domain.ports import Registry
from core.domain.records import Inspection
from core.domain.serving import CHALLENGER, CHAMPION
from core.domain.shadow import ShadowReading
from core.evaluate.calibration_groups import SIZE_EDGES_PX
from core.services.images.images import ImageService
from core.services.inference.detecting import DetectService
from core.store.unit_of_work import Store

#: Images that were handed in longer ago are not read unseen any more: what waits is bounded.
_HORIZON = timedelta(days=7)
#: Readings that the page counts and lists.
SHOWN = 500
_PROBLEM_CHARACTERS = 255


@dataclass(frozen=True, slots=True)
class ShadowSummary:
    """What a challenger said on images that the champion read.

    Attributes:
        n_images: that it read; `n_failed` it could not read.
        n_waiting: images of the last days that it has not read yet, at most `SHOWN`.
        differing: readings that differ, newest first.
        by_class, by_size: number of differing boxes.
        names: of the images that differ, by sha256.
    """

    champion: int
    challenger: int
    n_images: int
    n_failed: int
    n_waiting: int
    differing: tuple[ShadowReading, ...]
    by_class: Mapping[str, int]
    by_size: Mapping[str, int]
    names: Mapping[str, str]


class ShadowService:
    """Lets challengers read unseen, one image at a time.

    Args:
        store: the real one.
        images: gives the pixels.
        registry: knows champions and challengers.
        detect: runs them.
    """

    def __init__(self, store: Store, images: ImageService, registry: Registry, detect: DetectService) -> None:
        self._store = store
        self._images = images
        self._registry = registry
        self._detect = detect

    def read_next(self) -> bool:
        """Read one image that waits; False where none does.

        Raises:
            EngineBusyError: other machines run the networks and are full; the image goes on waiting.
            EngineAwayError: other machines run the networks and do not answer; the image goes on waiting.
        """
        for name in self._registry.names():
            pair = self._pair(name)
            if pair is None:
                continue
            with self._store.read() as work:
                waiting = work.shadow.pending(pair[0].sha256, pair[1].sha256, self._since(work.now), 1)
                inspection = work.inspections.find(waiting[0]) if waiting else None
            if inspection is not None:
                self._keep(self._read(inspection, *pair))
                return True
        return False

    def summary(self, identity: Identity, model: str) -> ShadowSummary | None:
        """Where challenger and champion of the model differ; None without two versions.

        Raises:
            NotAllowedError: the role may not look at versions.
        """
        require(identity, Action.MODELS_READ)
        pair = self._pair(model)
        if pair is None:
            return None
        champion, challenger = pair
        with self._store.read() as work:
            read = work.shadow.of(challenger.sha256, SHOWN)
            n_images = work.shadow.count(challenger.sha256)
            waiting = work.shadow.pending(champion.sha256, challenger.sha256, self._since(work.now), SHOWN)
            differing = tuple(one for one in read if one.differences)
            names = work.images.names_of([one.image_sha256 for one in differing])
        boxes = [box for one in differing for box in one.differences]
        return ShadowSummary(
            champion.version,
            challenger.version,
            n_images,
            sum(1 for one in read if one.problem),
            len(waiting),
            differing,
            Counter(str(box["class"]) for box in boxes),
            Counter(size_words(box["bbox"]) for box in boxes),
            names,
        )

    def n_read(self, challenger: ModelVersion) -> int:
        """Images that this version read unseen; for the gate."""
        with self._store.read() as work:
            return work.shadow.count(challenger.sha256)

    def _pair(self, name: str) -> tuple[ModelVersion, ModelVersion] | None:
        try:
            pair = tuple(self._registry.resolve(name, alias=alias)[0] for alias in (CHAMPION, CHALLENGER))
        except BadInputError:
            return None
        return None if pair[0].sha256 == pair[1].sha256 else (pair[0], pair[1])

    def _since(self, now: datetime) -> datetime:
        return now - _HORIZON

    def _read(
        self, inspection: Inspection, champion: ModelVersion, challenger: ModelVersion
    ) -> ShadowReading:
        differences: list[dict[str, object]] = []
        n_champion = n_challenger = 0
        problem = ""
        try:
            film = self._images.load(inspection.image_sha256, polarity=inspection.polarity, keep=False)
            first, second = (
                self._detect.detect(film, inspection.image_name, model=one.name, version=one.version)
                for one in (champion, challenger)
            )
            n_champion, n_challenger = (
                len(one.detections.reported(one.model.calibration.operating_probability))
                for one in (first, second)
            )
            differences = [
                {
                    "bbox": [round(edge, 2) for edge in box.bbox],
                    "class": box.indication_class.value,
                    "probability": box.probability,
                    "by": box.origin.value,
                    "remark": box.remark,
                }
                for case in findings_of_versions(inspection, first, second)
                for box in case.boxes
            ]
        except (EngineBusyError, EngineAwayError):
            raise
        except WorkbenchError as error:
            problem = str(error)[:_PROBLEM_CHARACTERS]
        return ShadowReading(
            image_sha256=inspection.image_sha256,
            inspection_id=inspection.inspection_id,
            model_name=champion.name,
            champion=champion.version,
            champion_sha256=champion.sha256,
            challenger=challenger.version,
            challenger_sha256=challenger.sha256,
            read_at=inspection.created_at,
            n_champion=n_champion,
            n_challenger=n_challenger,
            differences=tuple(differences),
            problem=problem,
        )

    def _keep(self, reading: ShadowReading) -> None:
        with self._store.write() as work:
            work.shadow.add(reading)


def size_words(bbox: list[float]) -> str:
    """The group of sizes that a box (xyxy, px) belongs to, by its longer side."""
    longer = max(bbox[2] - bbox[0], bbox[3] - bbox[1])
    for low, high in pairwise(SIZE_EDGES_PX):
        if low <= longer < high and math.isfinite(high):
            return f"below {high:g} px" if low == 0 else f"{low:g} to {high:g} px"
    return f"{SIZE_EDGES_PX[-2]:g} px and more"
