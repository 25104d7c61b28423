"""An outbox with what stations get back: the report of each inspection, and again when it is signed."""

import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from core.domain.accounts import Identity
from core.domain.errors import WorkbenchError
from core.reports.inspection_report import InspectionReport
from core.reports.structured_report import structured_report
from core.services.reports.reporting import ReportingService
from core.services.workspaces import Workspace
from core.store.unit_of_work import Work
from core.store.whole_file import write_whole

log = logging.getLogger(__name__)
#: Below the outbox: a file for each document that was written, which stays when the document is taken away.
_WRITTEN = ".written"
#: A signature may become visible so long after the moment that it bears.
_LATE = timedelta(minutes=10)
_LONGEST_CHAIN = 50


class Outbox:
    """Writes documents into a folder, each once, whoever takes them away and whenever this is killed.

    A document is a DICOM SR `ID.N.dcm` with the report as `ID.N.json` beside it, where ID is the inspection
    and N the number of signatures; only the JSON where the radiograph was no DICOM. The JSON comes last, so
    that whoever sees it sees both. Written again after a crash it is the same bytes under the same UID.

    Args:
        folder: of the documents.
        workspace: holds the inspections.
        reporting: writes their reports.
        whose: gives the account that the inspections are recorded for, as it is now.
    """

    def __init__(
        self,
        folder: Path,
        workspace: Workspace,
        reporting: ReportingService,
        whose: Callable[[], Identity],
    ) -> None:
        self._written = folder / _WRITTEN
        self._folder = folder
        self._workspace = workspace
        self._reporting = reporting
        self._whose = whose
        self._seen: datetime | None = None

    def put(self, inspection_id: str) -> bool:
        """Write the document of the inspection as it is now; False where that was written before.

        Raises:
            NotAllowedError: the account may not read it.
            UnknownRecordError: there is no such inspection.
            BlobNotFoundError, BlobDamagedError: its radiograph is gone or changed.
            OSError: it could not be kept.
        """
        with self._workspace.store.read() as work:
            n_signatures = len(work.signatures.of_inspection(inspection_id))
        if self._mark(inspection_id, n_signatures).exists():
            return False
        report = self._reporting.report(self._whose(), inspection_id)
        name = f"{inspection_id}.{len(report.signatures)}"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._written.mkdir(exist_ok=True)
        document = self._document(report, self._last_written(inspection_id, len(report.signatures)))
        if document is not None:
            write_whole(self._folder / f"{name}.dcm", document)
        write_whole(self._folder / f"{name}.json", self._about(report, f"{name}.dcm" if document else None))
        write_whole(self._mark(inspection_id, len(report.signatures)), b"")
        if report.signatures:  # from now on it is too late to say that nobody signed
            write_whole(self._mark(inspection_id, 0), b"")
        return True

    def put_signed(self) -> int:
        """Write what was signed since this looked last, revisions too; the number of documents.

        What cannot be written now is tried again with the next look.
        """
        with self._workspace.store.read() as work:
            began = work.now - _LATE
            signed = [one for one in work.signatures.signed_since(self._seen) if self._is_ours(work, one)]
        n_written, is_whole = 0, True
        for inspection_id in signed:
            try:
                n_written += self.put(inspection_id)
            except (WorkbenchError, OSError) as error:
                is_whole = False
                log.warning("the report of %s is tried again: %s", inspection_id, error)
        if is_whole:
            self._seen = began
        return n_written

    def _is_ours(self, work: Work, inspection_id: str) -> bool:
        """True for what came by this folder, and for corrections of it."""
        for _ in range(_LONGEST_CHAIN):
            if self._mark(inspection_id, 0).exists():
                return True
            inspection = work.inspections.find(inspection_id)
            if inspection is None or inspection.revision_of is None:
                return False
            inspection_id = inspection.revision_of
        return False

    def _mark(self, inspection_id: str, n_signatures: int) -> Path:
        return self._written / f"{inspection_id}.{n_signatures}"

    def _last_written(self, inspection_id: str, n_signatures: int) -> int | None:
        """Number of signatures in the document before that of so many; None where there is none."""
        before = (n for n in range(n_signatures - 1, -1, -1) if self._mark(inspection_id, n).exists())
        return next(before, None)

    def _document(self, report: InspectionReport, before: int | None) -> bytes | None:
        image = self._workspace.images.facts(report.image.sha256)
        source = self._workspace.blobs.get(image.file_sha256)
        return structured_report(report, source, frame=image.frame, replaces=before)

    def _about(self, report: InspectionReport, dicom: str | None) -> bytes:
        whole = json.loads(self._reporting.json(report))
        about = {"is_signed": report.is_signed and not report.has_failed_signature, "dicom": dicom}
        return (json.dumps({**about, "report": whole}, indent=1, ensure_ascii=False) + "\n").encode()
