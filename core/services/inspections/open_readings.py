"""Readings with all that is shown beside them: verdict, signatures, names. Each takes one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.domain.accounts import Identity
from core.domain.first_look import FirstLook
from core.domain.measures import Measure
from core.domain.permissions import Action, require
from core.domain.radiograph import PixelPitch
from core.domain.reading import Call, setup_from
from core.domain.records import Inspection, InspectionState, Signature
from core.domain.seen import SeenGrid
from core.services.images.images import pitch_of
from core.services.inspections.correction_queue import names_of
from core.services.inspections.film_first import first_look_of, is_on, is_veiled
from core.services.inspections.inspecting import newest_of
from core.services.inspections.judging import Judgement, judge, rule_set_of
from core.services.inspections.measuring import measures_of
from core.services.inspections.readings import Reading, existing, reading_of
from core.services.inspections.seeing import SeenShares, seen_area, shares_of
from core.services.inspections.signing_off import judgement_as_signed
from core.services.inspections.zones import KeptZone, zone_of
from core.store.blobs import BlobNotFoundError
from core.store.unit_of_work import Store, Work


class ReadingProgress(StrEnum):
    """How far an image on the worklist is read."""

    WAITING = "waiting"
    ASSESSED = "assessed"
    SIGNED = "signed"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True, eq=False)
class OpenReading:
    """A reading with all that is shown beside it.

    Attributes:
        judgement: the verdict on it now, or why there is none; of a signed one the verdict that was signed.
        judged_on: versions of everything that the judgement rests on.
        signatures: oldest first; none while it is open.
        names: of the people by user id.
        seen, shares: what whoever looks has seen of the radiograph at 1:1 or more; no shares for nothing.
        pitch: the scale that counts with its setup, None when unknown.
        measures: that were made on the radiograph.
        is_veiled: the model's list is hidden from whoever looks until their first look is done.
        first_look: what was marked before the model was shown; None where it was on show at once.
        is_film_first: whoever looks does so before the model is shown, from the next radiograph on.
        zone: that is judged; None when nobody has begun to read.
    """

    reading: Reading
    judgement: Judgement
    judged_on: tuple[object, ...]
    signatures: tuple[Signature, ...]
    names: Mapping[str, str]
    seen: SeenGrid
    shares: SeenShares | None
    pitch: PixelPitch | None = None
    measures: tuple[Measure, ...] = ()
    is_veiled: bool = False
    first_look: FirstLook | None = None
    is_film_first: bool = False
    zone: KeptZone | None = None


def progress_of(reading: Reading) -> ReadingProgress:
    """RETURNED or SIGNED; until then ASSESSED when it is read and nothing is open, else WAITING."""
    if not reading.inspection.is_open:
        is_returned = reading.inspection.state is InspectionState.RETURNED
        return ReadingProgress.RETURNED if is_returned else ReadingProgress.SIGNED
    is_read = reading.version > 0 or reading.inspection.disposition is not None
    is_done = is_read and all(one.call is not Call.OPEN for one in reading.indications)
    return ReadingProgress.ASSESSED if is_done else ReadingProgress.WAITING


class OpenReadingService:
    """Readings to be shown, in one workspace."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def open(
        self, identity: Identity, inspection_id: str, *, known: OpenReading | None = None
    ) -> OpenReading:
        """The reading of an inspection as it is stored, with its verdict.

        Args:
            identity: who looks.
            inspection_id: of the inspection.
            known: returned last; the same reading is not judged twice.

        Raises:
            NotAllowedError: the role may not look at inspections.
            UnknownRecordError: there is no such inspection.
            BlobNotFoundError: its image is not stored.
        """
        require(identity, Action.INSPECTIONS_READ)
        with self._store.read() as work:
            return _opened(work, identity, existing(work, inspection_id), known)

    def open_newest(
        self, identity: Identity, recorded: Inspection, *, known: OpenReading | None = None
    ) -> OpenReading:
        """The reading of `recorded` or of its newest correction; otherwise as `open`."""
        require(identity, Action.INSPECTIONS_READ)
        with self._store.read() as work:
            return _opened(work, identity, newest_of(work, recorded), known)

    def progress(self, identity: Identity, recorded: Inspection) -> ReadingProgress:
        """How far `recorded`, or its newest correction, is read; refuses as `open`."""
        require(identity, Action.INSPECTIONS_READ)
        with self._store.read() as work:
            return progress_of(reading_of(work, newest_of(work, recorded).inspection_id))


def _opened(work: Work, identity: Identity, inspection: Inspection, known: OpenReading | None) -> OpenReading:
    reading = reading_of(work, inspection.inspection_id)
    signatures: Sequence[Signature] = ()
    if not inspection.is_open:
        signatures = work.signatures.of_inspection(inspection.inspection_id)
    judged_on, judgement, pitch = _judged(work, reading, signatures, known)
    people = {reading.author_id, inspection.updated_by, *(one.signer_id for one in signatures)}
    seen = seen_area(work, inspection, identity.user_id)
    shares = shares_of(work, inspection, identity.user_id)
    return OpenReading(
        reading,
        judgement,
        judged_on,
        tuple(signatures),
        names_of(work, people),
        seen,
        shares,
        pitch,
        measures_of(work, inspection.inspection_id),
        is_veiled(work, identity, inspection),
        first_look_of(work, inspection),
        is_on(work, identity),
        zone_of(work, inspection.inspection_id),
    )


def _judged(
    work: Work, reading: Reading, signatures: Sequence[Signature], known: OpenReading | None
) -> tuple[tuple[object, ...], Judgement, PixelPitch | None]:
    inspection = reading.inspection
    image = work.images.find(inspection.image_sha256)
    if image is None:
        raise BlobNotFoundError(f"no image {inspection.image_sha256[:12]} is stored")
    setup = setup_from(inspection.setup)
    pitch = pitch_of(work, image, setup)
    table = rule_set_of(work, setup.standard).sha256 if setup.standard else ""
    key = (inspection.inspection_id, inspection.version, reading.version, pitch, table, len(signatures))
    if known is not None and known.judged_on == key:
        return key, known.judgement, pitch
    if (signed := judgement_as_signed(work, signatures)) is not None:
        return key, signed, pitch
    is_stated = inspection.disposition is not None
    made = judge(
        work,
        reading.indications,
        setup,
        pitch,
        inspection.image_quality,
        is_stated=is_stated,
        detections=inspection.detections,
    )
    return key, made, pitch
