"""The image-quality gate of an inspection: limits by kind of part, and its report as it is kept."""

from typing import Any

from core.domain.radiograph import Radiograph
from core.imaging.quality.assess import assess
from core.imaging.quality.limits import CASTING_LIMITS, WELD_LIMITS, QualityLimits
from core.imaging.quality.report import QualityReport

_LIMITS: dict[str, QualityLimits] = {"weld": WELD_LIMITS, "casting": CASTING_LIMITS}


def quality_report(radiograph: Radiograph, model: str) -> dict[str, Any]:
    """What the gate says of this radiograph, as plain JSON: `limits`, and `checks` in their order.

    Each check has `kind`, `state` (passed, failed, not evaluable), `measured`, `unit`, `limit` and
    `message`. One that failed withholds the verdict.

    Args:
        radiograph: original pixels.
        model: the registered model; its name says what kind of part it is made for.
    """
    return kept_report(assess(radiograph, limits=_LIMITS.get(model, WELD_LIMITS)))


def kept_report(report: QualityReport) -> dict[str, Any]:
    """The report as it is kept with an inspection."""
    return {
        "limits": report.limits_id,
        "copy_of": report.copy_of,
        "checks": [
            {
                "kind": check.kind.value,
                "state": check.state.value,
                "measured": None if check.measured is None else float(check.measured),
                "unit": check.unit,
                "limit": None if check.limit is None else float(check.limit),
                "message": check.sentence,
            }
            for check in report.checks
        ],
    }
