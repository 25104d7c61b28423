"""The image-quality gate as it is kept with an inspection."""

import json

import numpy as np

from core.domain.radiograph import Polarity, Radiograph
from core.services.images.quality_gate import quality_report
from core.services.inspections.judging import failed_checks


def radiograph(pixels: np.ndarray) -> Radiograph:
    return Radiograph(pixels, 16, Polarity.FILM, None, "ab" * 32, "PNG")


def test_a_report_is_plain_json_with_a_line_for_each_check() -> None:
    pixels = np.random.default_rng(1).normal(20_000, 50, (300, 400)).astype(np.uint16)
    report = quality_report(radiograph(pixels), "weld")
    assert json.loads(json.dumps(report)) == report
    assert {check["state"] for check in report["checks"]} <= {"passed", "failed", "not evaluable"}
    assert all(check["message"] for check in report["checks"])


def test_what_failed_is_what_withholds_a_verdict() -> None:
    blank = quality_report(radiograph(np.full((300, 400), 7, np.uint16)), "weld")
    assert any("blank" in line for line in failed_checks(blank))


def test_each_kind_of_part_has_its_limits() -> None:
    pixels = np.random.default_rng(1).normal(20_000, 50, (300, 400)).astype(np.uint16)
    names = {quality_report(radiograph(pixels), model)["limits"] for model in ("weld", "casting")}
    assert names == {"weld 1", "casting 1"}
