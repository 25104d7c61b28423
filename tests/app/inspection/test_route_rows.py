"""What the viewer is told of an image's route."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.inspection.rows import ROUTE_IS, route_data
from core.domain.detections import Detections
from core.domain.inspection import DetectionResult
from core.domain.radiograph import Polarity
from core.domain.records import Inspection
from core.services.inspections.inspecting import model_reference
from core.services.routing.routing_certificates import RoutingCertificates
from tests.calibrate.certificates import certificate, subject
from tests.records import detection_result

PASSED = {"checks": [{"kind": "noise", "state": "passed", "message": "quiet"}]}
MODEL = model_reference(detection_result())
FAILED = {"checks": [{"kind": "noise", "state": "failed", "message": "too noisy"}]}


@pytest.fixture
def certificates(tmp_path: Path) -> RoutingCertificates:
    """One for the version that the records name, which accepts below 0.3 and rejects from 0.4 on."""
    model = MODEL
    kept = RoutingCertificates(tmp_path)
    about = subject(model=model.name, model_sha256=model.sha256, calibration_id=model.calibration_id)
    kept.save(certificate(about=about))
    return kept


def _result(*probabilities: float) -> DetectionResult:
    found = detection_result()
    n = len(probabilities)
    one = found.detections.take([0] * n) if n else Detections.empty()
    return replace(found, detections=one.with_probabilities(np.array(probabilities, np.float32)))


def _record(quality: dict[str, Any] | None = PASSED) -> Inspection:
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    return Inspection(
        inspection_id="1" * 32,
        image_sha256="2" * 64,
        image_name="film.png",
        polarity=Polarity.FILM,
        inspector_id=None,
        model=MODEL,
        detections=(),
        created_at=moment,
        disposition=None,
        standard=None,
        quality_level=None,
        note="",
        version=1,
        updated_at=moment,
        updated_by=None,
        image_quality=quality,
    )


@pytest.mark.parametrize(
    ("probabilities", "route"),
    [((), "accept"), ((0.29,), "accept"), ((0.29, 0.31), "review"), ((0.41, 0.1), "reject")],
)
def test_a_certified_image_is_routed_by_its_largest_probability(
    certificates: RoutingCertificates, probabilities: tuple[float, ...], route: str
) -> None:
    data = route_data(_result(*probabilities), _record(), certificates)
    assert (data["route"], data["is_certified"], data["text"]) == (route, True, f"routing: {route}")
    assert data["reasons"][-1] == ROUTE_IS
    json.dumps(data)


@pytest.mark.parametrize(
    ("quality", "reason"), [(FAILED, "too noisy"), (None, "the image quality was not assessed")]
)
def test_without_image_quality_it_goes_to_review(
    certificates: RoutingCertificates, quality: dict[str, Any] | None, reason: str
) -> None:
    data = route_data(_result(), _record(quality), certificates)
    assert (data["route"], data["text"], data["reasons"][0]) == ("review", "routing: review", reason)


@pytest.mark.parametrize("change", [{"sha256": "99" * 32}, {"calibration_id": "another"}])
def test_a_certificate_of_another_version_routes_nothing(
    certificates: RoutingCertificates, change: dict[str, str]
) -> None:
    record = replace(_record(), model=replace(MODEL, **change))
    data = route_data(_result(), record, certificates)
    assert data["text"] == "routing: not certified, so review"
    assert "other weights or another calibration" in data["reasons"][0]


def test_where_no_certificate_was_made_it_says_so_and_what_one_takes(tmp_path: Path) -> None:
    data = route_data(_result(), _record(), RoutingCertificates(tmp_path))
    assert (data["route"], data["is_certified"]) == ("review", False)
    assert "it takes 59 defective parts" in data["reasons"][0]


def test_a_raw_score_routes_nothing(certificates: RoutingCertificates) -> None:
    raw = replace(detection_result(), detections=replace(_result(0.1).detections, probabilities=None))
    with pytest.raises(ValueError, match="not calibrated"):
        route_data(raw, _record(), certificates)
