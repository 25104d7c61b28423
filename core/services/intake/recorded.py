"""Recorded inspections as programs get them: whole, or refused where the result has to stay hidden."""

from core.domain.accounts import Identity
from core.domain.permissions import Action, require
from core.services.inspections.inspection_record import InspectionRecord, InspectionRecordService
from core.services.intake.inspecting_files import require_shown
from core.store.images import StoredImage
from core.store.unit_of_work import Store


class RecordedService:
    """Records of one workspace.

    Args:
        store: the workspace's.
        records: looks them up.
    """

    def __init__(self, store: Store, records: InspectionRecordService) -> None:
        self._store = store
        self._records = records

    def get(self, identity: Identity, inspection_id: str) -> tuple[InspectionRecord, StoredImage | None]:
        """The record of one inspection, and the row of its image.

        Raises:
            NotAllowedError: the role may not look at inspections, or this person is to be the second one or
                looks at the film first, and has not done so yet.
            UnknownRecordError: there is no such inspection.
        """
        require(identity, Action.INSPECTIONS_READ)
        record = self._records.get(identity, inspection_id)
        with self._store.read() as work:
            require_shown(work, identity, record.inspection)
            return record, work.images.find(record.inspection.image_sha256)
