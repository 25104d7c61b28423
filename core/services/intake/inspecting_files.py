"""Inspecting radiographs that programs hand in: taken in, read by a model, recorded, all at once."""

import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any

from core.domain.accounts import Identity
from core.domain.errors import BadInputError, NotAllowedError, UnknownRecordError, WorkbenchError
from core.domain.explanations import Method
from core.domain.inspection import DetectionResult, HeatMap
from core.domain.permissions import Action, require
from core.domain.ports import ModelSource
from core.domain.radiograph import Radiograph
from core.domain.records import Inspection
from core.imaging.uploads import IncomingFile
from core.services.inference.detecting import DetectService
from core.services.inference.explaining import ExplainService
from core.services.inference.picking import PickService
from core.services.inspections.film_first import is_veiled
from core.services.intake.asked import Asked
from core.services.reports.report_record import require_not_blind
from core.services.workspaces import Workspace
from core.store.unit_of_work import Work
from core.tracing import span

log = logging.getLogger(__name__)
_KEPT_RESULTS = 4
#: A box that is detected again lies within so many px of where it was.
_SAME_PX = 1.0


class PolarityNeededError(BadInputError):
    """Neither the file nor whoever handed it in states the polarity, and the picture does not tell."""


class NotReproducedError(WorkbenchError):
    """The version no longer reports the box, for instance because another device runs it."""


@dataclass(frozen=True, slots=True, eq=False)
class Inspected:
    """A radiograph that was inspected.

    Attributes:
        inspection: its record.
        result: what the model reported.
        picked: why another model read it than the one asked for; empty where none did.
        warning: what the picture has against the polarity that was stated; empty where nothing.
    """

    inspection: Inspection
    result: DetectionResult
    picked: str
    warning: str


class InspectFilesService:
    """Inspects files in one workspace. Safe to share between threads.

    Args:
        workspace: keeps images and inspections.
        models: knows the versions.
        detect: runs them.
        picking: picks one for parts that look strange.
        explaining: makes maps.
    """

    def __init__(
        self,
        workspace: Workspace,
        models: ModelSource,
        detect: DetectService,
        picking: PickService,
        explaining: ExplainService,
    ) -> None:
        self._workspace = workspace
        self._models = models
        self._detect = detect
        self._picking = picking
        self._explaining = explaining
        self._results: OrderedDict[str, DetectionResult] = OrderedDict()
        self._lock = threading.Lock()

    def inspect(
        self, identity: Identity, file: IncomingFile, asked: Asked, *, fixed: int | None = None
    ) -> Inspected:
        """One radiograph inspected: stored, read, and recorded in the history.

        The same bytes read by the same version again give the inspection of before.

        Args:
            identity: who hands it in.
            file: of one picture, or one frame of a file of several.
            asked: how it is to be read.
            fixed: version that bore the alias when it was handed in; None takes the one that bears it now.

        Raises:
            NotAllowedError: the role, or the scopes of the API key, do not cover it.
            UnreadableImageError: it is no radiograph; nothing was stored.
            PolarityNeededError: the image is stored, and was not read.
            ModelNotFoundError: there is no such model, version or alias.
            ModelArtefactError: the model is damaged.
        """
        with span("inspect file"):
            return self._inspected(identity, file, asked, fixed)

    def _inspected(
        self, identity: Identity, file: IncomingFile, asked: Asked, fixed: int | None
    ) -> Inspected:
        require(identity, Action.INSPECTIONS_RECORD)
        version = asked.version or fixed
        reader: dict[str, Any] = {"model": asked.model, "version": version, "alias": asked.alias}
        self._models.resolve(asked.model, version=version, alias=asked.alias)  # before it is stored
        radiograph = self._workspace.images.add(
            identity, file.read(), file.name, polarity=asked.polarity, frame=file.frame
        )
        decision = self._detect.polarity_of(radiograph, **reader)
        if decision.is_asked:
            raise PolarityNeededError(
                f"the polarity is not stated and has to be. {decision.estimate.told}. "
                "Send polarity film or digital"
            )
        radiograph, picked = decision.applied(radiograph), ""
        if asked.is_picked:
            pick = self._picking.pick(radiograph, model=asked.model, version=version)
            reader, picked = {"model": pick.model, "version": pick.version}, pick.words
        result = self._detect.detect(radiograph, file.name, **reader)
        inspection = self._recorded(identity, radiograph, result, asked)
        self._keep(inspection.inspection_id, result)
        return Inspected(inspection, result, picked, decision.warning)

    def explain(
        self, identity: Identity, inspection_id: str, box: int, method: Method | None = None
    ) -> tuple[DetectionResult, HeatMap]:
        """The map of one box of an inspected radiograph, and the result that it belongs to.

        The version that inspected it runs again, unless it did so just now.

        Args:
            identity: who asks.
            inspection_id: of the inspection.
            box: number of the box in the model's list, from 1.
            method: how the map is made; None takes the one that is shown first for the version.

        Raises:
            NotAllowedError: the role may not look at inspections or radiographs, or this person is to be the
                second one.
            UnknownRecordError: there is no such inspection or box.
            ModelNotFoundError, ModelArtefactError: its version is gone or damaged.
            NotReproducedError: the version no longer reports the box.
        """
        result, index = self.reported(identity, inspection_id, box)
        return result, self._explaining.explain(result, index, method)

    def reported(self, identity: Identity, inspection_id: str, box: int) -> tuple[DetectionResult, int]:
        """The result of an inspected radiograph, and the place in it of one of its boxes.

        Args:
            identity: who asks.
            inspection_id: of the inspection.
            box: number of the box in the model's list, from 1.

        Raises:
            As `explain`.
        """
        require(identity, Action.INSPECTIONS_READ)
        require(identity, Action.IMAGES_READ)
        inspection = self._workspace.inspections.get(identity, inspection_id)
        with self._workspace.store.read() as work:
            require_shown(work, identity, inspection)
        if not 1 <= box <= len(inspection.detections):
            raise UnknownRecordError(
                f"there is no box {box}: the model reported {len(inspection.detections)}"
            )
        result = self._result_of(inspection)
        return result, _same_box(result, inspection, box - 1)

    def _recorded(
        self, identity: Identity, radiograph: Radiograph, result: DetectionResult, asked: Asked
    ) -> Inspection:
        workspace = self._workspace
        try:
            quality = workspace.image_quality.report(identity, radiograph, result.model.name, asked.setup)
        except WorkbenchError:
            raise
        except Exception:  # logged, told in the record; what the model found is answered all the same
            log.exception("the quality of %s could not be assessed", radiograph.sha256)
            check = {"kind": "image quality", "state": "failed", "message": "It could not be assessed."}
            quality = {"limits": "", "copy_of": None, "checks": [check]}
        inspection = workspace.inspections.record(identity, result, setup=asked.setup, image_quality=quality)
        return workspace.image_quality.refresh(identity, inspection)

    def _keep(self, inspection_id: str, result: DetectionResult) -> None:
        with self._lock:
            self._results[inspection_id] = result
            self._results.move_to_end(inspection_id)
            while len(self._results) > _KEPT_RESULTS:
                self._results.popitem(last=False)

    def _result_of(self, inspection: Inspection) -> DetectionResult:
        with self._lock:
            known = self._results.get(inspection.inspection_id)
        if known is not None:
            return known
        radiograph = self._workspace.images.load(inspection.image_sha256, polarity=inspection.polarity)
        ground = inspection.polarity_ground or radiograph.polarity_ground
        radiograph = replace(radiograph, polarity=inspection.polarity, polarity_ground=ground)
        model = inspection.model
        result = self._detect.detect(
            radiograph, inspection.image_name, model=model.name, version=model.version
        )
        self._keep(inspection.inspection_id, result)
        return result


def require_shown(work: Work, identity: Identity, inspection: Inspection) -> None:
    """Return unless the model's result has to stay hidden from this person.

    Raises:
        NotAllowedError: they are to be the second one, or look at the film first, and have not done so yet.
    """
    require_not_blind(work, identity, inspection)
    if is_veiled(work, identity, inspection):
        raise NotAllowedError("you look at this film first: mark the first look as done on its page")


def _same_box(result: DetectionResult, inspection: Inspection, index: int) -> int:
    """Place in the result of the box that the inspection holds at `index`.

    Raises:
        NotReproducedError: none lies there.
    """
    wanted = inspection.detections[index]["bbox"]
    gaps = abs(result.detections.boxes - wanted).max(axis=1, initial=0.0)
    if result.model.sha256 != inspection.model.sha256 or not len(gaps) or gaps.min() > _SAME_PX:
        raise NotReproducedError(
            f"{inspection.model.name} v{inspection.model.version} no longer reports this box here"
        )
    return int(gaps.argmin())
