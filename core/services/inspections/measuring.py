"""Measures that belong to an inspection: kept with every change while it is open, then signed."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.domain.accounts import Identity
from core.domain.errors import BadInputError, ImmutableRecordError
from core.domain.measures import MOST_MEASURES, Measure, MeasureLine, measure_from, measure_lines, with_values
from core.domain.permissions import Action, require
from core.domain.reading import setup_from
from core.domain.records import Inspection, Signature
from core.domain.signing import INSPECTED
from core.services.images.images import ImageService, pitch_of
from core.services.inspections.inspecting import Touch, touch
from core.services.inspections.readings import existing
from core.store.unit_of_work import Store, Work


class MeasuringService:
    """Measures in one workspace.

    Args:
        store: the workspace's.
        images: its radiographs, of which regions are read.
    """

    def __init__(self, store: Store, images: ImageService) -> None:
        self._store = store
        self._images = images

    def save(self, identity: Identity, inspection_id: str, measures: Sequence[Measure]) -> None:
        """Keep these in place of those before; values of regions are read from the radiograph here.

        Raises:
            NotAllowedError: the role may not decide.
            UnknownRecordError: there is no such inspection.
            ImmutableRecordError: it is signed.
            BadInputError: too many, or two share an id.
            BlobNotFoundError, BlobDamagedError: the radiograph is gone or changed.
        """
        require(identity, Action.INSPECTIONS_DECIDE)
        if len(measures) > MOST_MEASURES:
            raise BadInputError(f"expected at most {MOST_MEASURES} measures, got {len(measures)}")
        if len({one.measure_id for one in measures}) < len(measures):
            raise BadInputError("expected a different id for each measure")
        with self._store.read() as work:
            sha256 = existing(work, inspection_id).image_sha256
        pixels = self._images.load(sha256).pixels if measures else None
        kept = [one if pixels is None else with_values(one, pixels) for one in measures]
        with self._store.write() as work:
            inspection = existing(work, inspection_id)
            if not inspection.is_open:
                raise ImmutableRecordError("the inspection is signed: a correction is a new revision of it")
            _put(work, identity, inspection, [one.to_dict() for one in kept])


def _put(
    work: Work, identity: Identity, inspection: Inspection, measures: Sequence[Mapping[str, Any]]
) -> None:
    inspection_id = inspection.inspection_id
    before = work.measurements.get(inspection_id)
    if measures == (before or []):
        return
    touch(work, identity, inspection, Touch.ASSESSED)
    work.measurements.put(inspection_id, measures, by=identity.user_id, at=work.now)
    work.audit.record(
        identity,
        action="inspection.measured",
        object_type="inspection",
        object_id=inspection_id,
        before={"measures": before} if before else None,
        after={"measures": list(measures)},
        details={"n_measures": len(measures)},
    )


def measures_of(work: Work, inspection_id: str) -> tuple[Measure, ...]:
    """The measures of the inspection."""
    return tuple(measure_from(one) for one in work.measurements.get(inspection_id) or ())


def recorded_lines(
    work: Work, inspection: Inspection, signatures: Sequence[Signature]
) -> tuple[MeasureLine, ...]:
    """One line a measure, with the scale that counted when it was signed first, else that of now."""
    measures, image = measures_of(work, inspection.inspection_id), work.images.find(inspection.image_sha256)
    if not measures or image is None:
        return ()
    at = min((one.signed_at for one in signatures if one.meaning == INSPECTED), default=None)
    return measure_lines(measures, pitch_of(work, image, setup_from(inspection.setup), until=at))


def copy_measures(work: Work, identity: Identity, signed_id: str, revision_id: str) -> None:
    """Let a revision begin with the measures of what it corrects."""
    if kept := work.measurements.get(signed_id):
        work.measurements.put(revision_id, kept, by=identity.user_id, at=work.now)


def measured_content(work: Work, inspection_id: str) -> Mapping[str, Any]:
    """What is signed of them, in px and recorded values; empty where there are none, as before."""
    kept = work.measurements.get(inspection_id)
    return {"measures": kept} if kept else {}
