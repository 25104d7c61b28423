"""Keeping inspections: what a model reported, and what a person decided about it.

What a model reported on an image that was handed in is prepared, so that opening it is instant; it becomes an
inspection, a line of the history, when a person opens or assesses it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from core.domain.accounts import Identity
from core.domain.errors import BadInputError, UnknownRecordError
from core.domain.inspection import DetectionResult
from core.domain.permissions import Action, require
from core.domain.radiograph import Polarity, PolarityGround
from core.domain.reading import Setup, setup_from
from core.domain.records import Disposition, Inspection, ModelReference, ReshootReason, new_id
from core.services.images.quality_event import tell_remade
from core.services.inspections.film_first import begin_veiled
from core.store.unit_of_work import Store, Work


class Touch(StrEnum):
    """What a person did first with what a model had reported."""

    OPENED = "opened"
    ASSESSED = "assessed"
    DECIDED = "decided"


_DECIDED = "inspection.decided"


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's decision about an inspection; `setup` None leaves the setup unchanged.

    Raises:
        BadInputError: a reason for another exposure stands beside another disposition than re-shoot.
    """

    disposition: Disposition | None
    note: str = ""
    setup: Setup | None = None
    reshoot_reason: ReshootReason | None = None

    def __post_init__(self) -> None:
        if self.reshoot_reason is not None and self.disposition is not Disposition.RESHOOT:
            raise BadInputError("a reason to re-shoot goes with the disposition re-shoot only")


class AssessesQuality(Protocol):
    """The part of the image-quality gate that a change of the setup calls."""

    def for_setup(self, inspection: Inspection, setup: Setup) -> dict[str, Any] | None:
        """The report that an inspection gets with this setup; None where the one it has still holds."""


class InspectionService:
    """Inspections in one workspace. Every change is one transaction with its line in the audit log.

    Args:
        store: the workspace's.
        quality: the image-quality gate; None where no setup changes what it rests on.
        make_id: gives ids.
    """

    def __init__(
        self,
        store: Store,
        quality: AssessesQuality | None = None,
        *,
        make_id: Callable[[], str] = new_id,
    ) -> None:
        self._store = store
        self._quality = quality
        self._make_id = make_id

    def prepare(
        self,
        identity: Identity,
        result: DetectionResult,
        *,
        setup: Setup | None = None,
        image_quality: Mapping[str, Any] | None = None,
    ) -> Inspection:
        """The inspection that keeps `result`; the same answer again finds the first one.

        It is no line of the history before somebody opens it.

        Args:
            identity: who asked for it.
            result: what the model reported.
            setup: what is inspected, as far as it is known by now.
            image_quality: the report of the image-quality gate.

        Raises:
            NotAllowedError: the role may not have radiographs inspected.
            ValueError: the detections carry no probabilities.
        """
        return self._keep(identity, result, setup or Setup(), image_quality, is_opened=False)

    def _keep(
        self,
        identity: Identity,
        result: DetectionResult,
        setup: Setup,
        image_quality: Mapping[str, Any] | None,
        *,
        is_opened: bool,
    ) -> Inspection:
        require(identity, Action.INSPECTIONS_RECORD)
        model = model_reference(result)
        with self._store.write() as work:
            known = work.inspections.same(
                image_sha256=result.radiograph.sha256,
                polarities=_same_polarities(result),
                model=model,
                inspector_id=identity.account_id,
            )
            if known is not None:
                known = _stated(work, identity, known, result.radiograph.polarity_ground)
                return touch(work, identity, known, Touch.OPENED) if is_opened else known
            inspection = Inspection(
                inspection_id=self._make_id(),
                image_sha256=result.radiograph.sha256,
                image_name=result.name,
                polarity=result.radiograph.polarity,
                polarity_ground=result.radiograph.polarity_ground,
                inspector_id=identity.account_id,
                model=model,
                detections=tuple(result.rows()),
                familiarity=result.familiarity,
                created_at=work.now,
                disposition=None,
                standard=setup.standard,
                quality_level=setup.quality_level,
                note="",
                version=1,
                updated_at=work.now,
                updated_by=identity.account_id,
                setup=setup.to_dict(),
                image_quality=image_quality,
            )
            work.inspections.add(inspection)
            if is_opened:
                return touch(work, identity, inspection, Touch.OPENED)
            _tell(work, identity, inspection, "inspection.prepared")
        return inspection

    def record(
        self,
        identity: Identity,
        result: DetectionResult,
        *,
        setup: Setup | None = None,
        image_quality: Mapping[str, Any] | None = None,
    ) -> Inspection:
        """As `prepare`, and opened at once: for whoever asks for this one image and waits for the answer."""
        return self._keep(identity, result, setup or Setup(), image_quality, is_opened=True)

    def open(self, identity: Identity, inspection_id: str) -> Inspection:
        """The inspection, in the history from now on; nothing changes where it was opened before.

        Raises:
            NotAllowedError: the role may not have radiographs inspected.
            UnknownRecordError: there is no such inspection.
        """
        require(identity, Action.INSPECTIONS_RECORD)
        with self._store.write() as work:
            return touch(work, identity, _existing(work, inspection_id), Touch.OPENED)

    def describe(
        self, identity: Identity, inspection_id: str, setup: Setup, *, expected_version: int
    ) -> Inspection:
        """The inspection with another setup; whether it is in the history stays as it was.

        Raises:
            As `decide`.
        """
        require(identity, Action.INSPECTIONS_DECIDE)
        with self._store.read() as work:
            now = _existing(work, inspection_id)
        decision = Decision(now.disposition, now.note, setup, now.reshoot_reason)
        return self._save(identity, inspection_id, decision, "inspection.described", expected_version)

    def decide(
        self, identity: Identity, inspection_id: str, decision: Decision, *, expected_version: int
    ) -> Inspection:
        """The inspection with its new decision; the standard and its level follow from the setup.

        Where the setup changes what the image-quality gate rests on, its report is made again and stored in
        the same transaction.

        Raises:
            NotAllowedError: the role may not decide.
            UnknownRecordError: there is no such inspection.
            StaleVersionError: somebody else decided since; nothing was changed.
            ImmutableRecordError: it is signed.
            BlobNotFoundError, BlobDamagedError: the gate needs the radiograph, which is gone or changed.
        """
        require(identity, Action.INSPECTIONS_DECIDE)
        return self._save(identity, inspection_id, decision, _DECIDED, expected_version)

    def _save(
        self, identity: Identity, inspection_id: str, decision: Decision, action: str, expected_version: int
    ) -> Inspection:
        quality = self._quality_for(inspection_id, decision.setup, expected_version)
        with self._store.write() as work:
            before = _existing(work, inspection_id)
            if action == _DECIDED:
                before = touch(work, identity, before, Touch.DECIDED)
            setup = decision.setup or setup_from(before.setup)
            changed = replace(
                before,
                disposition=decision.disposition,
                reshoot_reason=decision.reshoot_reason,
                standard=setup.standard,
                quality_level=setup.quality_level,
                note=decision.note,
                setup=before.setup if decision.setup is None else decision.setup.to_dict(),
                image_quality=before.image_quality if quality is None else quality,
                updated_at=work.now,
                updated_by=identity.account_id,
            )
            after = work.inspections.save_decision(changed, expected_version=expected_version)
            work.audit.record(
                identity,
                action=action,
                object_type="inspection",
                object_id=inspection_id,
                before=decision_content(before),
                after=decision_content(after),
                details={"version": after.version, "disposition": _value(after.disposition)},
            )
            if quality is not None:
                tell_remade(work, identity, before, after)
        return after

    def get(self, identity: Identity, inspection_id: str) -> Inspection:
        """The inspection.

        Raises:
            NotAllowedError: the role may not look at inspections.
            UnknownRecordError: there is none of this id.
        """
        require(identity, Action.INSPECTIONS_READ)
        with self._store.read() as work:
            return _existing(work, inspection_id)

    def newest(self, identity: Identity, recorded: Inspection) -> Inspection:
        """The inspection that is read: `recorded` as it is stored now, or its newest correction.

        Raises:
            NotAllowedError: the role may not look at inspections.
        """
        require(identity, Action.INSPECTIONS_READ)
        with self._store.read() as work:
            return newest_of(work, recorded)

    def latest(
        self, identity: Identity, limit: int, *, before: tuple[datetime, str] | None = None
    ) -> list[Inspection]:
        """At most `limit` inspections, newest first, after the one that `before` names (moment, id).

        Raises:
            NotAllowedError: the role may not look at inspections.
        """
        require(identity, Action.INSPECTIONS_READ)
        with self._store.read() as work:
            return work.inspections.latest(limit, before=before)

    def _quality_for(
        self, inspection_id: str, setup: Setup | None, expected_version: int
    ) -> Mapping[str, Any] | None:
        """The gate's report with this setup, made before the transaction, which holds the version to it."""
        if setup is None or self._quality is None:
            return None
        with self._store.read() as work:
            inspection = _existing(work, inspection_id)
        if not inspection.is_open or inspection.version != expected_version:
            return None  # the transaction refuses it
        return self._quality.for_setup(inspection, setup)


def touch(work: Work, identity: Identity, inspection: Inspection, how: Touch) -> Inspection:
    """The inspection, in the history from now on, within `work`; as it is where somebody opened it before."""
    if inspection.opened_at is not None:
        return inspection
    begin_veiled(work, identity, inspection)
    work.inspections.set_opened(inspection.inspection_id, work.now)
    _tell(work, identity, inspection, "inspection.recorded", by=how.value)
    return replace(inspection, opened_at=work.now)


def _stated(work: Work, identity: Identity, inspection: Inspection, ground: PolarityGround) -> Inspection:
    """The inspection with the ground that a person gave the same polarity; a file's and signed ones stay."""
    told_before = inspection.polarity_ground in (PolarityGround.PERSON, PolarityGround.FILE)
    if ground is not PolarityGround.PERSON or told_before or not inspection.is_open:
        return inspection
    stated = replace(inspection, polarity_ground=ground)
    work.inspections.set_polarity_ground(inspection.inspection_id, ground)
    _tell(work, identity, stated, "inspection.polarity_stated", polarity=inspection.polarity.value)
    return stated


def newest_of(work: Work, recorded: Inspection) -> Inspection:
    """The newest inspection of the same image, person, model version and calibration as `recorded`."""
    found = work.inspections.same(
        image_sha256=recorded.image_sha256,
        polarities=(recorded.polarity,),
        model=recorded.model,
        inspector_id=recorded.inspector_id,
    )
    return found or recorded


def _same_polarities(result: DetectionResult) -> tuple[Polarity, ...]:
    """The polarities of earlier inspections that read the image as `result` does.

    An unknown polarity was taken as the model's own.
    """
    polarity = result.radiograph.polarity
    return (polarity, Polarity.UNKNOWN) if polarity is result.model.polarity else (polarity,)


def model_reference(result: DetectionResult) -> ModelReference:
    """The model version and calibration behind this result."""
    calibration = result.model.calibration
    return ModelReference(
        name=result.model.name,
        version=result.model.version,
        sha256=result.model.sha256,
        calibration_id=calibration.calibration_id,
        score_cut=calibration.score_cut,
        operating_probability=calibration.operating_probability,
    )


def inspection_content(inspection: Inspection) -> Mapping[str, Any]:
    """The unchanging content of an inspection, for the digest in the audit log."""
    model, ground = inspection.model, inspection.polarity_ground
    return {
        **({} if ground is None else {"polarity_ground": ground.value}),
        **({} if (seen := inspection.familiarity) is None else {"familiarity": seen.to_dict()}),
        "inspection_id": inspection.inspection_id,
        "image": inspection.image_sha256,
        "polarity": inspection.polarity.value,
        "inspector_id": inspection.inspector_id,
        "model": [model.name, model.version, model.sha256, model.calibration_id],
        "cut": [model.score_cut, model.operating_probability],
        "detections": [dict(found) for found in inspection.detections],
    }


def decision_content(inspection: Inspection) -> Mapping[str, Any]:
    """The decision and its version, for the digest in the audit log and under a signature.

    What earlier releases did not know is left out unless it was stated, so that their digests stay.
    """
    content = {
        "disposition": _value(inspection.disposition),
        "standard": inspection.standard,
        "quality_level": inspection.quality_level,
        "note": inspection.note,
        "setup": dict(inspection.setup),
        "version": inspection.version,
    }
    if inspection.reshoot_reason is not None:
        content["reshoot_reason"] = inspection.reshoot_reason.value
    return content


def _tell(work: Work, identity: Identity, inspection: Inspection, action: str, **details: str) -> None:
    work.audit.record(
        identity,
        action=action,
        object_type="inspection",
        object_id=inspection.inspection_id,
        after=inspection_content(inspection),
        details={
            "image": inspection.image_sha256,
            "model": f"{inspection.model.name} v{inspection.model.version}",
            "n_detections": len(inspection.detections),
            **details,
        },
    )


def _existing(work: Work, inspection_id: str) -> Inspection:
    found = work.inspections.find(inspection_id)
    if found is None:
        raise UnknownRecordError(f"there is no inspection {inspection_id}")
    return found


def _value(disposition: Disposition | None) -> str | None:
    return disposition.value if disposition else None
