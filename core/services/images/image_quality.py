"""The image-quality gate in one workspace: made when an inspection begins, again when its basis changes."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from core.domain.accounts import Identity
from core.domain.errors import ImmutableRecordError, StaleVersionError
from core.domain.permissions import Action, require
from core.domain.radiograph import PixelPitch, Radiograph
from core.domain.reading import Setup, setup_from
from core.domain.records import Inspection
from core.services.images.copies import CopySearch
from core.services.images.images import ImageService
from core.services.images.quality_event import tell_remade
from core.services.images.quality_gate import gate_basis, quality_report
from core.store.unit_of_work import Store, Work


class ImageQualityService:
    """Reports of the gate. A signed inspection keeps the one that was signed.

    Args:
        store: the workspace's.
        images: its radiographs.
        copies: finds the earlier image that one is a copy of.
    """

    def __init__(self, store: Store, images: ImageService, copies: CopySearch) -> None:
        self._store = store
        self._images = images
        self._copies = copies

    def report(self, identity: Identity, radiograph: Radiograph, model: str, setup: Setup) -> dict[str, Any]:
        """The quality report of a stored image that is about to be inspected; see `quality_report`.

        Args:
            identity: who has it inspected.
            radiograph: the image.
            model: the registered model.
            setup: what is inspected.

        Raises:
            NotAllowedError: the role may not have radiographs inspected.
        """
        require(identity, Action.INSPECTIONS_RECORD)
        with self._store.read() as work:
            again = _again(work, radiograph.sha256, identity.account_id, before=None)
        scaled = replace(radiograph, pitch=self._images.pitch(radiograph.sha256, setup))
        return self._made(scaled, model, setup, again)

    def remade(self, inspection: Inspection, setup: Setup, pitch: PixelPitch | None) -> dict[str, Any]:
        """The report of this inspection with another setup or scale; nothing is stored.

        Raises:
            BlobNotFoundError, BlobDamagedError: its radiograph is gone or changed.
        """
        radiograph = self._images.load(inspection.image_sha256, polarity=inspection.polarity)
        with self._store.read() as work:
            first = _first(work, inspection)
            again = _again(work, first.image_sha256, first.inspector_id, before=first.created_at)
        return self._made(replace(radiograph, pitch=pitch), inspection.model.name, setup, again)

    def for_setup(self, inspection: Inspection, setup: Setup) -> dict[str, Any] | None:
        """The report that an inspection gets with this setup; None where the one it has still holds.

        Raises:
            BlobNotFoundError, BlobDamagedError: its radiograph is gone or changed.
        """
        if inspection.image_quality is None:
            return None
        was, sha256 = setup_from(inspection.setup), inspection.image_sha256
        pitch = self._images.pitch(sha256, setup)
        if gate_basis(was, self._images.pitch(sha256, was)) == gate_basis(setup, pitch):
            return None
        return self.remade(inspection, setup, pitch)

    def refresh(self, identity: Identity, inspection: Inspection) -> Inspection:
        """The inspection, its report made again if the scale was set while the first one was being made.

        Raises:
            NotAllowedError: the role may not have radiographs inspected.
        """
        require(identity, Action.INSPECTIONS_RECORD)
        report = inspection.image_quality
        if report is None or not inspection.is_open or "basis" not in report:
            return inspection
        setup = setup_from(inspection.setup)
        pitch = self._images.pitch(inspection.image_sha256, setup)
        if report["basis"] == gate_basis(setup, pitch):
            return inspection
        made = self.remade(inspection, setup, pitch)
        try:
            with self._store.write() as work:
                return keep_remade(work, identity, inspection, made)
        except (ImmutableRecordError, StaleVersionError):  # somebody was faster: their report holds
            with self._store.read() as work:
                return work.inspections.find(inspection.inspection_id) or inspection

    def _made(self, radiograph: Radiograph, model: str, setup: Setup, again: str) -> dict[str, Any]:
        compared = replace(self._copies.compare(radiograph), again=again)
        return quality_report(radiograph, model, setup, compared)


def keep_remade(
    work: Work, identity: Identity, inspection: Inspection, report: Mapping[str, Any]
) -> Inspection:
    """The open inspection with this report of the gate, one version on, told in the audit log.

    Who decided last and when stays as it was.

    Raises:
        ImmutableRecordError: it is signed.
        StaleVersionError: it was changed since it was read.
    """
    after = work.inspections.save_image_quality(inspection, report)
    tell_remade(work, identity, inspection, after)
    return after


def _first(work: Work, inspection: Inspection) -> Inspection:
    """The inspection that this one corrects, at the beginning of the chain."""
    while inspection.revision_of is not None:
        found = work.inspections.find(inspection.revision_of)
        assert found is not None  # a foreign key holds it
        inspection = found
    return inspection


def _again(work: Work, sha256: str, account_id: str | None, *, before: datetime | None) -> str:
    """A sentence where this very file was handed in by somebody else or inspected before; else empty."""
    image = work.images.find(sha256)
    moments = work.history.moments_of_image(sha256, before=before)
    if image is None or (not moments and image.uploaded_by == account_id):
        return ""
    said = f"This very file was handed in before, on {_day(image.created_at)}"
    if not moments:
        return f"{said}."
    times = "once" if len(moments) == 1 else f"{len(moments)} times"
    return f"{said}, and inspected {times}, last on {_day(moments[-1])}."


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d}"
