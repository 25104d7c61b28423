"""Which certificate is in force, and where an image goes."""

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from core.calibrate.routing import Route
from core.calibrate.routing_certificate import RoutingCertificate
from core.domain.familiarity import Familiarity
from core.services.routing.routing_certificates import RoutingCertificates, Standing, image_score, route_image
from tests.calibrate.certificates import MADE_AT, certificate, subject

CERTIFIED = Standing(certificate(), "")


def _standing(kept: RoutingCertificates, *, sha256: str = "ab" * 32, calibration: str = "cal-1") -> Standing:
    return kept.standing("weld", sha256=sha256, calibration_id=calibration)


def _later(**changes: object) -> RoutingCertificate:
    return certificate(made_at=MADE_AT + timedelta(days=1), **changes)  # type: ignore[arg-type]


def test_what_was_kept_is_in_force_in_another_process(tmp_path: Path) -> None:
    path = RoutingCertificates(tmp_path / "routing").save(certificate())
    assert path.name == f"weld-{certificate().key}.json"
    assert _standing(RoutingCertificates(tmp_path / "routing")) == CERTIFIED
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_without_a_certificate_the_reason_says_what_it_takes(tmp_path: Path) -> None:
    standing = _standing(RoutingCertificates(tmp_path / "nothing"))
    assert standing.certificate is None
    assert standing.reason.startswith("no certificate was made for this model; it takes 59 defective parts")


@pytest.mark.parametrize("change", [{"sha256": "00" * 32}, {"calibration": "cal-2"}])
def test_other_weights_or_another_calibration_void_it(tmp_path: Path, change: dict[str, str]) -> None:
    kept = RoutingCertificates(tmp_path)
    kept.save(certificate())
    standing = _standing(kept, **change)
    assert standing.certificate is None
    assert "other weights or another calibration" in standing.reason


def test_a_certificate_of_another_model_is_not_looked_at(tmp_path: Path) -> None:
    kept = RoutingCertificates(tmp_path)
    kept.save(certificate(about=subject(model="casting")))
    assert _standing(kept).reason.startswith("no certificate was made")


def test_the_last_one_made_counts_also_when_it_certifies_nothing(tmp_path: Path) -> None:
    kept = RoutingCertificates(tmp_path)
    kept.save(certificate())
    kept.save(_later(defective=[0.3] * 7, about=subject(set_sha256="ee" * 32)))
    standing = _standing(kept)
    assert standing.reason == "7 defective parts, needs at least 59 without one routed to accept"
    assert route_image(0.0, standing, has_quality=True, failed_quality=()).route is Route.REVIEW


def test_a_file_that_changes_is_read_again_and_a_damaged_one_leaves_nothing_in_force(tmp_path: Path) -> None:
    kept = RoutingCertificates(tmp_path)
    path = kept.save(certificate())
    assert _standing(kept).certificate is not None
    content = json.loads(path.read_text())
    content["accept"]["threshold"] = 0.3999
    path.write_text(json.dumps(content))
    assert _standing(kept).certificate is None
    assert f"{path.name} is damaged" in _standing(kept).reason
    path.write_text("{")
    assert f"{path.name} is damaged" in _standing(kept).reason
    path.unlink()
    assert _standing(kept).reason.startswith("no certificate was made")


def test_a_certificate_under_another_name_is_not_believed(tmp_path: Path) -> None:
    kept = RoutingCertificates(tmp_path)
    kept.save(certificate()).rename(tmp_path / "weld-0123456789abcdef.json")
    assert "is damaged" in _standing(kept).reason


def test_a_standing_file_that_is_made_again_is_replaced(tmp_path: Path) -> None:
    kept = RoutingCertificates(tmp_path)
    kept.save(certificate())
    kept.save(_later())
    assert len(list(tmp_path.iterdir())) == 1
    standing = _standing(kept)
    assert standing.certificate is not None
    assert standing.certificate.made_at == MADE_AT + timedelta(days=1)


def test_the_score_of_an_image_is_its_largest_probability_and_zero_when_nothing_is_reported() -> None:
    assert image_score(np.array([0.25, 0.75, 0.5], np.float32)) == 0.75
    assert image_score(np.zeros(0, np.float32)) == 0.0


@pytest.mark.parametrize(
    ("score", "route", "words"),
    [
        (0.0, Route.ACCEPT, "below 0.300: at most a share of 0.05 of defective parts"),
        (0.3, Route.REVIEW, "from 0.300 to below 0.400"),
        (0.4, Route.REJECT, "at or above 0.400: the operating point; how many clean parts go there is not"),
    ],
)
def test_a_certified_route_says_why(score: float, route: Route, words: str) -> None:
    found = route_image(score, CERTIFIED, has_quality=True, failed_quality=())
    assert (found.route, found.is_certified) == (route, True)
    assert words in found.reasons[0]


@pytest.mark.parametrize("score", [0.0, 0.35, 0.9])
def test_failed_or_missing_image_quality_means_review_whatever_the_score(score: float) -> None:
    failed = route_image(score, CERTIFIED, has_quality=True, failed_quality=("too dark", "too noisy"))
    assert (failed.route, failed.reasons) == (Route.REVIEW, ("too dark", "too noisy"))
    missing = route_image(score, CERTIFIED, has_quality=False, failed_quality=())
    assert (missing.route, missing.reasons) == (Route.REVIEW, ("the image quality was not assessed",))


@pytest.mark.parametrize("score", [0.0, 0.35, 0.9])
def test_without_a_certificate_everything_goes_to_review(score: float) -> None:
    found = route_image(score, Standing(None, "why not"), has_quality=True, failed_quality=())
    assert (found.route, found.is_certified, found.reasons) == (Route.REVIEW, False, ("why not",))


def test_a_certificate_is_void_for_an_image_that_looks_strange_and_not_for_a_familiar_one() -> None:
    void = route_image(0.0, CERTIFIED, has_quality=True, failed_quality=(), familiarity=Familiarity(2, 1))
    assert (void.route, void.is_certified) == (Route.REVIEW, False)
    assert void.reasons[0].startswith("the certificate is void here: probability not verified")
    held = route_image(0.0, CERTIFIED, has_quality=True, failed_quality=(), familiarity=Familiarity(1, 2))
    assert (held.route, held.is_certified) == (Route.ACCEPT, True)


def test_a_certificate_is_void_while_a_drift_alarm_stands() -> None:
    void = route_image(0.0, CERTIFIED, has_quality=True, failed_quality=(), void="drift since yesterday")
    assert (void.route, void.is_certified) == (Route.REVIEW, False)
    assert void.reasons == ("the certificate is void: drift since yesterday",)


def test_a_certificate_of_the_model_for_new_parts_is_none_of_the_other_one(tmp_path: Path) -> None:
    kept = RoutingCertificates(tmp_path)
    kept.save(certificate(about=subject(model="casting-any")))
    found = kept.standing("casting", sha256="ab" * 32, calibration_id="c")
    assert found.reason.startswith("no certificate was made")
