"""The confirmed and dismissed indications that look most like one that the model reported."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import cv2
import numpy as np
import numpy.typing as npt

from core.domain.accounts import Identity, Role
from core.domain.detections import FloatArray
from core.domain.errors import WorkbenchError
from core.domain.inspection import DetectionResult
from core.domain.model_version import ModelVersion
from core.domain.permissions import Action, require
from core.domain.radiograph import Radiograph
from core.domain.reading import Call, ReadIndication, group_ids
from core.domain.records import Inspection
from core.domain.similar import MOST_SIMILAR, Decided, Similar, SimilarFound
from core.explain.box_features import box_features
from core.imaging.display import around, auto_window, render_8bit
from core.services.images.images import ImageService
from core.services.inference.detecting import DetectService, normalised_for
from core.services.inspections.film_first import is_veiled
from core.services.inspections.inspection_record import is_blind_for
from core.services.inspections.readings import reading_of
from core.store.feature_files import BoxFeatures, FeatureFiles
from core.store.unit_of_work import Store, Work

#: The newest so many inspections are looked through; features of an image are read within so long a call.
MOST_INSPECTIONS, WITHIN_S = 300, 3.0
#: Side of a kept picture, px.
SIDE_PX = 72

_Known = tuple[Decided, npt.NDArray[np.float32], npt.NDArray[np.uint8]]


class SimilarService:
    """Finds decided indications of one workspace by what they look like. Safe to share between threads.

    Features are made once for each image and version, when they are first asked for, and kept.

    Args:
        store: the workspace's.
        images: its radiographs.
        detect: runs the versions.
        features: what was made before.
        clock: seconds that go on evenly.
    """

    def __init__(
        self,
        store: Store,
        images: ImageService,
        detect: DetectService,
        features: FeatureFiles,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._images, self._detect, self._features = store, images, detect, features
        self._clock = clock

    def similar_to(
        self, identity: Identity, result: DetectionResult, index: int, *, within_s: float = WITHIN_S
    ) -> SimilarFound:
        """The decided indications of other radiographs that look most like detection `index` of `result`.

        Only those whose result this person may see now count: none of an inspection that they are to read as
        the second person, or that waits for their first look.

        Args:
            identity: who asks.
            result: of the detecting service.
            index: of the detection.
            within_s: features that are not there are made for so long; what is left waits for the next call.

        Raises:
            NotAllowedError: the role may not look at inspections or radiographs.
            IndexError: there is no such detection.
        """
        require(identity, Action.INSPECTIONS_READ)
        require(identity, Action.IMAGES_READ)
        if not 0 <= index < len(result.detections):
            raise IndexError(f"detection {index} of {len(result.detections)}")
        decided = self._decided(identity, result)
        known, n_waiting = self._known(result.model, decided, self._clock() + within_s)
        if not known:
            return SimilarFound((), 0, n_waiting)
        own = box_features(
            self._detect.detector_for(result.model),
            normalised_for(result.radiograph, result.model),
            result.detections.boxes[[index]],
        )[0]
        likeness = np.array([features @ own for _, features, _ in known])
        best = np.argsort(-likeness, kind="stable")[:MOST_SIMILAR]
        found = tuple(Similar(known[i][0], float(likeness[i]), known[i][2]) for i in best.tolist())
        return SimilarFound(found, len(known), n_waiting)

    def _decided(self, identity: Identity, result: DetectionResult) -> list[tuple[Inspection, list[Decided]]]:
        """By inspection, newest first: what was decided about other images read by this model."""
        answer, images = [], {result.radiograph.sha256}
        with self._store.read() as work:
            names: dict[str | None, str] = {}
            for inspection in work.inspections.latest(MOST_INSPECTIONS):
                is_other = inspection.image_sha256 not in images
                if not is_other or inspection.model.name != result.model.name:
                    continue
                found = _of_inspection(work, identity, inspection, names)
                if found:
                    images.add(inspection.image_sha256)  # an earlier reading of the same image says it again
                    answer.append((inspection, found))
        return answer

    def _known(
        self, model: ModelVersion, decided: Sequence[tuple[Inspection, list[Decided]]], until: float
    ) -> tuple[list[_Known], int]:
        """Each decided one with its features and picture, and how many have none yet."""
        known: list[_Known] = []
        n_waiting = 0
        for inspection, indications in decided:
            boxes = np.array([one.bbox for one in indications], np.float32)
            kept = self._features.find(model.sha256, inspection.image_sha256, inspection.polarity, boxes)
            if kept is None and self._clock() < until:
                kept = self._made(model, inspection, boxes)
            if kept is None:
                n_waiting += len(indications)
                continue
            known += list(zip(indications, kept.features.astype(np.float32), kept.pictures, strict=True))
        return known, n_waiting

    def _made(self, model: ModelVersion, inspection: Inspection, boxes: FloatArray) -> BoxFeatures | None:
        """Features of these boxes, kept from now on; None where the radiograph or the version is gone."""
        try:
            radiograph = self._images.load(inspection.image_sha256, polarity=inspection.polarity, keep=False)
            radiograph = replace(radiograph, polarity=inspection.polarity)
            features = box_features(
                self._detect.detector_for(model), normalised_for(radiograph, model), boxes
            )
        except WorkbenchError:
            return None
        pictures = np.stack([_picture(radiograph, box) for box in boxes])
        made = BoxFeatures(boxes, features.astype(np.float16), pictures)
        self._features.keep(model.sha256, inspection.image_sha256, inspection.polarity, made)
        return made


def _of_inspection(
    work: Work, identity: Identity, inspection: Inspection, names: dict[str | None, str]
) -> list[Decided]:
    """What was decided in an inspection, as far as this person may know it."""
    if is_blind_for(identity, inspector_id=inspection.inspector_id, state=inspection.state):
        return []
    if is_veiled(work, identity, inspection):
        return []
    reading = reading_of(work, inspection.inspection_id)
    if reading.saved_at is None:
        return []
    if reading.author_id not in names:
        names[reading.author_id] = _name(work, reading.author_id)
    groups = group_ids(reading.indications)
    return [
        _decided(inspection, one, names[reading.author_id], reading.saved_at)
        for one in reading.indications
        if one.call in (Call.CONFIRMED, Call.DISMISSED) and one.indication_id not in groups
    ]


def _decided(inspection: Inspection, one: ReadIndication, name: str, at: datetime) -> Decided:
    return Decided(
        inspection_id=inspection.inspection_id,
        image_sha256=inspection.image_sha256,
        image_name=inspection.image_name,
        indication_id=one.indication_id,
        bbox=one.bbox,
        call=one.call,
        words=one.call_words,
        decided_by=name,
        decided_at=at,
        is_signed=not inspection.is_open,
    )


def _name(work: Work, user_id: str | None) -> str:
    user = None if user_id is None else work.users.find(user_id)
    if user is None:
        return "unknown"
    return "guest" if user.role is Role.GUEST else user.full_name or user.shown_name


def _picture(radiograph: Radiograph, box: FloatArray) -> npt.NDArray[np.uint8]:
    """(s, s) uint8: the box with what is around it under a window of its own; black beside the image."""
    corners: tuple[float, float, float, float] = tuple(box.tolist())
    x0, y0, x1, y1 = around(corners, (radiograph.width, radiograph.height))
    part = radiograph.pixels[y0:y1, x0:x1]
    shown = render_8bit(part, *auto_window(part))
    scale = SIDE_PX / max(shown.shape)
    size = (max(1, round(shown.shape[1] * scale)), max(1, round(shown.shape[0] * scale)))
    small = cv2.resize(shown, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST)
    picture = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    picture[: small.shape[0], : small.shape[1]] = small
    return picture
