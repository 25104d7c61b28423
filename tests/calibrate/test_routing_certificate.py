"""What a certificate routes, and that a changed one is not believed."""

import json
from typing import Any

import pytest

from core.calibrate.routing import Assurance, Route
from core.calibrate.routing_certificate import PartScore, certificate_from
from core.domain.errors import BadInputError
from tests.calibrate.certificates import certificate, subject


@pytest.mark.parametrize(
    ("score", "route"),
    [(0.0, Route.ACCEPT), (0.2999, Route.ACCEPT), (0.3, Route.REVIEW), (0.3999, Route.REVIEW),
     (0.4, Route.REJECT)],
)  # fmt: skip
def test_without_clean_parts_it_rejects_from_the_operating_probability(score: float, route: Route) -> None:
    made = certificate()
    assert made.is_certified
    assert not made.reject.is_certified
    assert made.reject_from == 0.4
    assert made.route(score) is route


def test_clean_parts_give_rejecting_a_bound_and_raise_its_threshold() -> None:
    made = certificate(clean=[0.7] + [0.1] * 59)
    assert made.reject.is_certified
    assert made.reject_from == 0.701
    assert made.route(0.7) is Route.REVIEW
    assert made.route(0.701) is Route.REJECT


def test_what_the_operating_probability_reports_is_never_accepted() -> None:
    assert certificate([0.9] * 60).accept.threshold == 0.4


@pytest.mark.parametrize("score", [0.0, 0.5, 1.0])
def test_a_certificate_that_certifies_nothing_sends_everything_to_review(score: float) -> None:
    assert certificate([0.3] * 58).route(score) is Route.REVIEW


@pytest.mark.parametrize("n_parts", [0, 7, 60])
def test_it_comes_back_from_its_json_as_it_was(n_parts: int) -> None:
    made = certificate([0.1 + n / 1000 for n in range(n_parts)], clean=[0.1, 0.2])
    content = json.loads(json.dumps(made.to_dict()))
    assert certificate_from(content) == made
    assert content["answer"] == ("certified" if n_parts == 60 else "cannot certify")


def test_its_key_follows_from_weights_calibration_set_risk_and_confidence() -> None:
    made = certificate()
    others = [
        certificate(about=subject(model_sha256="ee" * 32)),
        certificate(about=subject(calibration_id="cal-2")),
        certificate(about=subject(set_sha256="ff" * 32)),
        certificate(level=Assurance(0.06, 0.95)),
        certificate(level=Assurance(0.05, 0.9)),
    ]
    assert len({made.key, *(other.key for other in others)}) == 6
    assert certificate(about=subject(version=3)).key == made.key


def _change_threshold(content: dict[str, Any]) -> None:
    content["accept"]["threshold"] = 0.39


def _change_score(content: dict[str, Any]) -> None:
    content["parts"][0]["score"] = 0.01


def _change_weights(content: dict[str, Any]) -> None:
    content["model_sha256"] = "00" * 32


def _change_answer(content: dict[str, Any]) -> None:
    content["answer"] = "cannot certify"


def _double_a_part(content: dict[str, Any]) -> None:
    content["parts"].append(content["parts"][0])


def _drop_the_zone(content: dict[str, Any]) -> None:
    content["made_at"] = content["made_at"][:19]


def _drop_the_parts(content: dict[str, Any]) -> None:
    del content["parts"]


def _take_words_for_truth(content: dict[str, Any]) -> None:
    content["parts"][0]["is_defective"] = "false"


def _leave_the_range(content: dict[str, Any]) -> None:
    content["parts"][0]["score"] = 1.5


def _come_from_the_future(content: dict[str, Any]) -> None:
    content["format"] = 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_change_threshold, "contradicts itself: accept"),
        (_change_score, "contradicts itself: accept"),
        (_change_weights, "contradicts itself: key"),
        (_change_answer, "contradicts itself: answer"),
        (_double_a_part, "stands twice"),
        (_drop_the_zone, "no time zone"),
        (_drop_the_parts, "KeyError 'parts'"),
        (_take_words_for_truth, "is_defective is 'false'"),
        (_leave_the_range, "score 1.5"),
        (_come_from_the_future, "expected a mapping with format 1"),
    ],
)
def test_a_changed_certificate_is_not_believed(change: Any, message: str) -> None:
    content = json.loads(json.dumps(certificate().to_dict()))
    change(content)
    with pytest.raises(BadInputError, match=message):
        certificate_from(content)


@pytest.mark.parametrize("content", [None, [], "text", 7, {}])
def test_what_is_no_certificate_is_refused(content: object) -> None:
    with pytest.raises(BadInputError, match="not a routing certificate"):
        certificate_from(content)


def test_a_part_without_images_is_no_part() -> None:
    with pytest.raises(BadInputError, match="0 images"):
        PartScore("series:A", True, 0, 0.5)
