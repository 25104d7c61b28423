"""A first look at one inspection: what is marked before the model is shown, saved with every change."""

from collections.abc import Callable

from core.domain.accounts import Identity
from core.domain.errors import BadInputError, ImmutableRecordError
from core.domain.first_look import FirstLook, own_of, unveiled
from core.domain.permissions import Action, require
from core.domain.reading import ReadIndication, first_reading
from core.domain.records import Inspection, new_id
from core.services.inspections.film_first import begin_veiled, is_veiled
from core.services.inspections.inspecting import Touch, touch
from core.services.inspections.readings import append_reading, existing, reading_of
from core.store.unit_of_work import Store, Work


class FirstLookService:
    """First looks in one workspace."""

    def __init__(self, store: Store, *, make_id: Callable[[], str] = new_id) -> None:
        self._store = store
        self._make_id = make_id

    def save(
        self,
        identity: Identity,
        inspection_id: str,
        marked: tuple[ReadIndication, ...],
        *,
        expected_version: int,
    ) -> None:
        """Save what was marked so far; the model's indications stay open beside it.

        Raises:
            As `ReadingService.save`; and BadInputError: an indication is not the person's own.
        """
        require(identity, Action.INSPECTIONS_DECIDE)
        if len(own_of(marked)) < len(marked):
            raise BadInputError("the model is not shown yet: expected indications of your own")
        with self._store.write() as work:
            inspection = _veiled(work, identity, inspection_id)
            begin_veiled(work, identity, inspection)
            touch(work, identity, inspection, Touch.ASSESSED)
            cut = inspection.model.operating_probability
            append_reading(
                work,
                identity,
                inspection,
                [*first_reading(inspection.detections, cut), *marked],
                track=inspection_id,
                expected_version=expected_version,
                annotation_id=self._make_id(),
            )

    def finish(self, identity: Identity, inspection_id: str, *, expected_version: int) -> FirstLook:
        """The first look is done: what was marked is kept, the model is shown from now on.

        Raises:
            NotAllowedError: the role may not decide.
            UnknownRecordError: there is no such inspection.
            ImmutableRecordError: it is signed.
            BadInputError: the model is on show already.
            StaleVersionError: the reading was saved since; nothing was changed.
        """
        require(identity, Action.INSPECTIONS_DECIDE)
        with self._store.write() as work:
            inspection = _veiled(work, identity, inspection_id)
            begin_veiled(work, identity, inspection)
            reading = reading_of(work, inspection_id)
            look, indications = unveiled(
                inspection.detections,
                inspection.model.operating_probability,
                own_of(reading.indications),
                done_at=work.now.isoformat(timespec="seconds"),
            )
            work.first_looks.finish(inspection_id, look.to_dict())
            touch(work, identity, inspection, Touch.ASSESSED)
            append_reading(
                work,
                identity,
                inspection,
                indications,
                track=inspection_id,
                expected_version=expected_version,
                annotation_id=self._make_id(),
            )
            work.audit.record(
                identity,
                action="inspection.first_look_done",
                object_type="inspection",
                object_id=inspection_id,
                after=look.to_dict(),
                details={"n_marked": len(look.boxes), "n_model": look.n_model, "n_same": look.n_same},
            )
        return look


def _veiled(work: Work, identity: Identity, inspection_id: str) -> Inspection:
    inspection = existing(work, inspection_id)
    if not inspection.is_open:
        raise ImmutableRecordError("the inspection is signed: a correction is a new revision of it")
    if not is_veiled(work, identity, inspection):
        raise BadInputError("the model is on show already")
    return inspection
