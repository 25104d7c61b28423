"""The image-quality gate of an inspection: limits by kind of part, and its report as it is kept."""

from dataclasses import replace
from typing import Any

from core.domain.kinds import Family, family_of
from core.domain.radiograph import PixelPitch, Radiograph
from core.domain.reading import Setup
from core.domain.wire_sets import WIRE_SETS
from core.imaging.quality.assess import assess
from core.imaging.quality.report import (
    CASTING_LIMITS,
    NOTHING_EARLIER,
    WELD_LIMITS,
    EarlierPictures,
    QualityLimits,
    QualityReport,
)

_LIMITS: dict[Family, QualityLimits] = {Family.WELD: WELD_LIMITS, Family.CASTING: CASTING_LIMITS}
_UM_PER_MM = 1000.0


def quality_report(
    radiograph: Radiograph,
    model: str,
    setup: Setup | None = None,
    compared: EarlierPictures = NOTHING_EARLIER,
) -> dict[str, Any]:
    """The quality report of this radiograph, as plain JSON.

    It holds `limits`, `copy_of`, `basis` (see `gate_basis`) and `checks` in their order. Each check has
    `kind`, `state` (passed, failed, not evaluable), `measured`, `unit`, `limit` and `message`. One that
    failed withholds the verdict.

    Args:
        radiograph: original pixels, with the scale that counts.
        model: the registered model; its name says what kind of part it is made for.
        setup: names the wire indicator, the required wire and SRb, as far as they are known.
        compared: what came of comparing it with the earlier images.
    """
    stated = setup or Setup()
    limits = replace(
        _LIMITS[family_of(model)],
        wire_set=None if stated.wire_set is None else WIRE_SETS[stated.wire_set],
        required_wire=stated.required_wire,
    )
    srb_um = None if stated.srb_mm is None else stated.srb_mm * _UM_PER_MM
    report = assess(radiograph, limits=limits, compared=compared, srb_um=srb_um)
    return kept_report(report, gate_basis(stated, radiograph.pitch))


def gate_basis(setup: Setup, pitch: PixelPitch | None) -> dict[str, Any]:
    """Inputs of a quality report beside the pixels; a change makes a new report necessary."""
    return {
        "mm_per_px": None if pitch is None else pitch.mm_per_px,
        "wire_set": setup.wire_set,
        "required_wire": setup.required_wire,
        "srb_mm": setup.srb_mm,
    }


def kept_report(report: QualityReport, basis: dict[str, Any]) -> dict[str, Any]:
    """The report as it is kept with an inspection."""
    return {
        "limits": report.limits_id,
        "copy_of": report.copy_of,
        "basis": basis,
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
