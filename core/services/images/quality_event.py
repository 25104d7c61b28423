"""The event of an image-quality report that was made again."""

from core.domain.accounts import Identity
from core.domain.records import Inspection
from core.store.unit_of_work import Work


def tell_remade(work: Work, identity: Identity, before: Inspection, after: Inspection) -> None:
    """Tell in the audit log that the gate's report was made again, and what fails now."""
    report = after.image_quality or {}
    failed = [check["kind"] for check in report.get("checks", ()) if check["state"] == "failed"]
    work.audit.record(
        identity,
        action="inspection.quality_assessed",
        object_type="inspection",
        object_id=after.inspection_id,
        before=before.image_quality,
        after=report,
        details={"version": after.version, "failed": failed, "basis": report.get("basis")},
    )
