"""A window of changed images raises an alarm, which voids until somebody acknowledges it with a note."""

import pytest

from core.domain.accounts import Role
from core.domain.drift import ScopeKind
from core.domain.errors import BadInputError, NotAllowedError
from core.domain.reading import Setup
from tests.records import add_user
from tests.services.monitoring.conftest import REFERENCE, WINDOW, Site


def test_what_stays_the_same_raises_nothing(site: Site) -> None:
    site.read(REFERENCE + 3 * WINDOW)
    state = site.drift.state(add_user(site.store, Role.REVIEWER), site.inspection.model.sha256)
    assert (state.n_observed, state.n_missing, state.alarms) == (REFERENCE + 3 * WINDOW, WINDOW, ())
    assert state.last is not None
    assert not state.last.is_alarm


def test_the_reference_tells_how_soon_more_noise_is_noticed(site: Site) -> None:
    reviewer, sha256 = add_user(site.store, Role.REVIEWER), site.inspection.model.sha256
    site.read(REFERENCE - 1)
    assert site.drift.state(reviewer, sha256).sensitivity is None
    site.read(1)
    found = site.drift.state(reviewer, sha256).sensitivity
    assert found is not None
    assert (found.n_images, found.n_window) == (WINDOW, WINDOW)


def test_an_alarm_voids_from_the_first_image_of_its_window_until_it_is_acknowledged(site: Site) -> None:
    site.read(REFERENCE)
    site.read(WINDOW - 1, noise=1.5)
    sha256 = site.inspection.model.sha256
    assert site.drift.standing(sha256) == ""
    site.read(1, noise=1.5)
    assert site.drift.standing(sha256).startswith("drift since 2026-03-01 12:41 UTC in all images (noise ")
    assert site.drift.n_standing() == {("weld", 2): 1}
    assert site.drift.void_words(site.read_at(REFERENCE)) == ""
    assert "not acknowledged" in site.drift.void_words(site.read_at(REFERENCE + 1))

    site.read(WINDOW, noise=1.5)  # stands already: no second one
    reviewer = add_user(site.store, Role.REVIEWER)
    (alarm,) = site.drift.state(reviewer, sha256).alarms
    with pytest.raises(NotAllowedError):
        site.drift.acknowledge(add_user(site.store), alarm.alarm_id, note="fine")
    with pytest.raises(BadInputError, match="say why"):
        site.drift.acknowledge(reviewer, alarm.alarm_id, note="  ")
    site.drift.acknowledge(reviewer, alarm.alarm_id, note="the tube was replaced")
    assert (site.drift.standing(sha256), site.drift.n_standing()) == ("", {})
    with pytest.raises(BadInputError, match="before"):
        site.drift.acknowledge(reviewer, alarm.alarm_id, note="again")

    site.read(WINDOW, noise=1.5)  # still unlike the reference
    assert site.drift.standing(sha256)


def test_a_change_that_is_right_becomes_the_reference(site: Site) -> None:
    site.read(REFERENCE)
    site.read(WINDOW, noise=1.5)
    reviewer, sha256 = add_user(site.store, Role.REVIEWER), site.inspection.model.sha256
    (alarm,) = site.drift.state(reviewer, sha256).alarms
    site.drift.acknowledge(reviewer, alarm.alarm_id, note="another tube", is_new_reference=True)
    site.read(REFERENCE, noise=1.5)
    state = site.drift.state(reviewer, sha256)
    assert state.n_observed == REFERENCE + WINDOW
    assert state.last is not None
    assert not state.last.is_alarm


def test_a_part_is_compared_with_itself(site: Site) -> None:
    for _ in range(REFERENCE):
        site.read(1, part="housing")
        site.read(3, part="flange")
    for _ in range(WINDOW):
        site.read(1, part="housing", noise=1.5)
        site.read(3, part="flange")
    sha256 = site.inspection.model.sha256
    alarms = site.drift.state(add_user(site.store, Role.REVIEWER), sha256).alarms
    assert (ScopeKind.PART, "housing") in [(one.scope.kind, one.scope.value) for one in alarms]
    assert (ScopeKind.PART, "flange") not in [(one.scope.kind, one.scope.value) for one in alarms]
    assert "part housing" in site.drift.void_words(site.read_at(10_000, part="housing"))


def test_other_parts_keep_their_calibration(site: Site) -> None:
    site.read(REFERENCE, part="housing")
    site.read(2 * REFERENCE, part="flange")
    sha256 = site.inspection.model.sha256
    reviewer = add_user(site.store, Role.REVIEWER)
    for alarm in site.drift.state(reviewer, sha256).alarms:  # the mix changed
        site.drift.acknowledge(reviewer, alarm.alarm_id, note="flanges came in", is_new_reference=False)
    site.read(WINDOW, part="housing", noise=2.0)
    assert site.drift.standing(sha256, setup=Setup(part="housing"))
