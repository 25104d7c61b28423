from dataclasses import replace

import pytest

from app.shared.header import calibration_state, release_state
from core.domain.radiograph import Polarity
from tests.records import detection_result


@pytest.mark.parametrize(
    ("polarity", "words"),
    [(Polarity.FILM, "calibrated on films"), (Polarity.DIGITAL, "calibrated on digital images")],
)
def test_the_header_tells_what_was_calibrated_and_no_statistics(polarity: Polarity, words: str):
    assert calibration_state(replace(detection_result().model, polarity=polarity)) == words


def test_a_version_below_the_release_threshold_says_so():
    assert release_state({"release": {"is_released": False}}) == "below release threshold"
    assert release_state({"release": {"is_released": True}}) == ""
    assert release_state({}) == ""
