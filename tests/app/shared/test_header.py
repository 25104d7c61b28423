import pytest

from app.shared.header import calibration_state, release_state


def test_the_calibration_figure_is_the_first_evaluation_of_the_card():
    card = {"evaluation": [{"d_ece": 0.0123, "on": "seven films"}, {"d_ece": 0.9}]}
    assert calibration_state(card, "platt") == "calibrated 0.012 D-ECE on seven films"


@pytest.mark.parametrize("card", [{}, {"evaluation": []}, {"evaluation": [{"d_ece": None}]}])
def test_a_figure_that_was_not_measured_is_not_shown(card):
    assert calibration_state(card, "platt") == "calibrated (platt)"


def test_a_version_below_the_release_threshold_says_so():
    assert release_state({"release": {"is_released": False}}) == "below release threshold"
    assert release_state({"release": {"is_released": True}}) == ""
    assert release_state({}) == ""
