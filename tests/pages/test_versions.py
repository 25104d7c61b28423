"""The page of versions, run by Streamlit's own test runner, over a registry in memory."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit
from streamlit.testing.v1 import AppTest

from app.shared.resources import Resources
from core.domain.accounts import Role, User
from core.domain.model_version import VersionEntry
from core.evaluate.pod import estimate_pod
from core.services.lifecycle.promoting import GateSet
from core.store.clock import now_utc
from tests.artefacts import write_artefact
from tests.measured import add_set
from tests.pages.browser import Browser, open_page, said
from tests.services.promotions import GREEN, KnownFigures

# AppTest's own event loop and sockets are closed by the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
LIMITS = {"limits": ["Knows <b>pores</b> only."], "description": "The second one.", "date": "2026-02-01"}


@pytest.fixture
def browser(workplace: Resources, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Browser:
    """Two weld versions, the first of them champion; the gate is green for the second."""
    registry = workplace.services.registry
    registry.add(write_artefact(tmp_path / "weld-2", seed=5, card=LIMITS))
    workplace.services.alias_history.observe()
    figures = KnownFigures()
    monkeypatch.setattr(workplace.services.promoting, "_evidence", figures)
    browser = Browser(workplace, monkeypatch)
    browser.figures = figures
    return browser


@pytest.fixture
def engineer(browser: Browser) -> User:
    """Who looks at the page."""
    user = browser.account("m.engineer", Role.ML_ENGINEER)
    browser.sign_in(user)
    return user


def refuse(browser: Browser) -> None:
    """Let the gate refuse v2."""
    browser.figures.of[2] = replace(GREEN, n_trained_on=3)


def open_versions(**address: str) -> AppTest:
    page = open_page("versions.py", **address)
    assert not page.exception
    return page


def keys(page: AppTest) -> list[str]:
    return [str(button.key) for button in page.button]


def aliases(browser: Browser) -> dict[str, int]:
    return dict(browser.services.registry.aliases("weld"))


@pytest.mark.usefixtures("engineer")
def test_every_version_is_listed_with_aliases_and_since_when() -> None:
    page = open_versions()
    rows = page.dataframe[0].value.set_index("Version")
    assert list(rows.index) == [2, 1]
    assert rows["Aliases"][1] == "champion"
    assert rows["In use since"][1] != ""
    assert rows["In use since"][2] == ""
    assert rows["AP50"][1] == 0.25
    assert "weld v1 · champion" in said(page), "without an address the champion is shown"


@pytest.mark.usefixtures("engineer")
def test_the_filter_narrows_the_table(browser: Browser) -> None:
    page = open_versions()
    page.text_input(key="versions.find").set_value("second").run()
    assert list(page.dataframe[0].value["Version"]) == [2]
    page.text_input(key="versions.find").set_value("").run()
    page.selectbox(key="versions.alias").set_value("champion").run()
    assert list(page.dataframe[0].value["Version"]) == [1]
    page.selectbox(key="versions.alias").set_value("challenger").run()
    assert "No version is like this" in said(page)


@pytest.mark.usefixtures("engineer")
def test_the_whole_card_can_be_read_and_is_only_text() -> None:
    words = said(open_versions(version="2", view="card"))
    assert "Knows &lt;b&gt;pores&lt;/b&gt; only." in words
    assert "0.100 to 0.400" in words
    assert "not evaluable: not measured" in words
    assert "The calibration methods were not compared" in words


def test_a_green_version_is_promoted_and_rolled_back_in_one_click_each(
    browser: Browser, engineer: User
) -> None:
    page = open_versions(version="2", view="gate")
    assert "The gate is green" in said(page)
    page.button(key="versions.promote.champion").click().run()
    assert not page.exception
    assert "weld v2 is champion now: promoted through the gate" in said(page)
    assert aliases(browser) == {"champion": 2}
    assert browser.services.served.champion("weld").version == 2
    assert "<b>weld v2</b> (champion)" in said(page), "the header knows it in the same run"
    assert page.button(key="versions.roll_back").label == "Roll back to v1"
    page.button(key="versions.roll_back").click().run()
    assert "weld v1 is champion now: rolled back" in said(page)
    assert aliases(browser) == {"champion": 1}
    assert page.button(key="versions.roll_back").disabled
    with browser.services.store.read() as work:
        made = [(one.kind.value, one.changed_by) for one in work.serving.of("weld")]
    assert made == [("setup", None), ("promoted", engineer.user_id), ("rolled back", engineer.user_id)]


def test_a_refused_version_takes_two_people(browser: Browser, engineer: User) -> None:
    refuse(browser)
    page = open_versions(version="2", view="gate")
    assert "The gate refuses, for 1 reason" in said(page)
    assert "it was trained on 3 of 40 images" in said(page)
    page.button(key="versions.promote.champion").click().run()
    assert not page.error, "it stands below its field"
    assert "An override needs a note that says why." in said(page)
    page.text_input(key="versions.note.0").set_value("new classes").run()
    page.button(key="versions.promote.champion").click().run()
    assert "nothing changed yet" in said(page)
    assert "needs a note that says" not in said(page)
    assert aliases(browser) == {"champion": 1}
    assert not [key for key in keys(page) if key.startswith("versions.consent.")], "not by oneself"

    browser.sign_in(browser.account("r.reviewer", Role.REVIEWER))
    page = open_versions()
    assert "m.engineer asks for v2 as champion against the gate." in said(page)
    assert not [key for key in keys(page) if "promote" in key or "roll_back" in key]
    (consent,) = [button for button in page.button if str(button.key).startswith("versions.consent.")]
    consent.click().run()
    assert "weld v2 is champion now: gate overridden by two people" in said(page)
    assert aliases(browser) == {"champion": 2}
    page = open_versions(view="served")
    assert "m.engineer with r.reviewer" in said(page)
    assert "against the gate: it was trained on 3 of 40 images" in said(page)


@pytest.mark.usefixtures("engineer")
def test_a_request_is_withdrawn(browser: Browser) -> None:
    refuse(browser)
    page = open_versions(version="2", view="gate")
    page.text_input(key="versions.note.0").set_value("new classes").run()
    page.button(key="versions.promote.challenger").click().run()
    (withdraw,) = [button for button in page.button if str(button.key).startswith("versions.refuse.")]
    assert withdraw.label == "Withdraw"
    withdraw.click().run()
    assert "was withdrawn" in said(page)
    assert "against the gate" not in said(page)


@pytest.mark.usefixtures("engineer")
def test_somebody_who_was_faster_is_told_and_nothing_is_changed(browser: Browser) -> None:
    page = open_versions(version="2", view="gate")
    browser.services.registry.moved_outside = {"weld": {"champion": 2}}
    page.button(key="versions.promote.champion").click().run()
    assert "the champion of weld is at version 2 by now" in page.error[0].value
    assert "changed outside of RadiKal" in said(open_versions(view="served"))


@pytest.mark.usefixtures("engineer")
def test_while_mlflow_is_away_the_versions_are_shown_and_that_is_said(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresher = browser.services.registry_sync
    monkeypatch.setattr(browser.services.registry, "is_stale", lambda: True)
    monkeypatch.setattr(browser.services.registry, "refresh", lambda: False)
    refresher.tick()
    page = open_versions(version="2", view="gate")
    assert "MLflow does not answer since" in page.warning[0].value
    assert len(page.dataframe[0].value) == 2
    page.button(key="versions.promote.champion").click().run()
    assert "MLflow does not answer, so that nothing was changed" in page.error[0].value
    monkeypatch.setattr(browser.services.registry, "refresh", lambda: True)
    refresher.tick()
    assert not open_versions().warning


@pytest.mark.usefixtures("engineer")
def test_any_moment_is_answered_and_nonsense_is_told() -> None:
    page = open_versions(view="served")
    page.text_input(key="versions.at").set_value("2999-01-01 00:00").run()
    assert "<b>weld v1</b> was champion" in said(page)
    page.text_input(key="versions.at").set_value("yesterday").run()
    assert "Expected a moment such as" in said(page)
    page.text_input(key="versions.inspection").set_value("nothing").run()
    assert "there is no inspection 'nothing'" in said(page)


@pytest.mark.usefixtures("engineer")
def test_a_damaged_version_is_listed_and_says_so(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = browser.services.registry
    whole = registry.entries

    def entries(name: str) -> list[object]:
        return [
            replace(one, version=None, problem="weights missing") if one.number == 2 else one
            for one in whole(name)
        ]

    monkeypatch.setattr(registry, "entries", entries)
    for view in ("overview", "card", "gate"):
        assert "weights missing" in said(open_versions(version="2", view=view))


def test_a_version_that_ships_under_another_number_says_so(
    browser: Browser, engineer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = browser.services.registry
    whole = registry.entries

    def entries(name: str) -> list[VersionEntry]:
        return [replace(one, about=replace(one.about, shipped_as=1)) for one in whole(name)]

    monkeypatch.setattr(registry, "entries", entries)
    assert "v1 of the program" in said(open_versions(version="2"))
    assert "of the program" not in said(open_versions(version="1"))


def test_the_set_to_judge_on_can_be_chosen(browser: Browser, engineer: User) -> None:
    page = open_versions(version="2", view="gate")
    (chosen,) = [box for box in page.selectbox if str(box.key).startswith("versions.set.")]
    assert chosen.options == ["held-out welds · 40 images"]
    assert GateSet(GREEN.set_digest, "", 0, 0, True).digest == chosen.value


def test_the_probability_of_detection_stands_beside_false_calls(browser: Browser, engineer: User) -> None:
    services = browser.services
    version, _ = services.registry.resolve("weld", version=2)
    page = open_versions(model="weld", version="2", view="pod")
    assert "radikal pod --model weld --version 2" in said(page)
    sizes, rng = np.geomspace(0.2, 5, 200), np.random.default_rng(1)
    pod = estimate_pod(sizes, rng.random(200) < expit(4 * np.log(sizes / 0.8))).to_dict()
    refused = estimate_pod(sizes[:10], sizes[:10] > 1).to_dict()
    figures = {"model": "weld", "version": 2, "sha256": version.sha256, "on": "drawn flaws",
               "measure": "length", "calibration_id": version.calibration.calibration_id,
               "set_digest": "e" * 64, "n_images": 20,
               "n_targets": 200, "n_faint": 3, "n_trained_on": 1, "operating_probability": 0.5,
               "false_calls_per_image": 0.25, "pod": pod, "by_class": {"crack": refused}, "strict": pod,
               "with_faint": pod, "response": {**refused, "n_censored": 0}, "bins": []}  # fmt: skip
    services.pod_records._folder.mkdir(parents=True)
    (services.pod_records._folder / f"{version.sha256}.json").write_text(
        json.dumps(figures), encoding="utf-8"
    )
    told = said(open_versions(model="weld", version="2", view="pod"))
    assert "0.25 false calls an image at probability 0.5" in told
    assert f"{pod['a90_95']:.2f} mm" in told
    assert "10 targets; 60 are the least" in told
    assert "1 of the images were trained on" in told
    assert f"a90/95 {pod['a90_95']:.2f} mm" in said(open_versions(model="weld", version="2"))


def test_a_reviewer_qualifies_what_is_in_use_and_an_engineer_does_not(
    workplace: Resources, browser: Browser, tmp_path: Path
) -> None:
    add_set(workplace, tmp_path, "held-out welds")
    browser.sign_in(browser.account("r.reviewer", Role.REVIEWER))
    page, last = open_versions(view="in_use"), now_utc().date() + timedelta(days=300)
    assert "Nobody recorded a qualification" in said(page)
    assert "150 more until the first window" in said(page)
    page.text_input(key="versions.qualify.0.procedure").set_value("QP 7")
    page.selectbox(key="versions.qualify.0.evaluation_set").set_value("held-out welds")
    page.date_input(key="versions.qualify.0.expires_on").set_value(last)
    page.text_area(key="versions.qualify.0.equipment").set_value("Ir-19")
    page.button(key="versions.qualify").click().run()
    assert not page.exception
    assert page.text_input(key="versions.qualify.1.procedure").value == ""
    told = said(page)
    assert f"weld v1 is recorded as qualified until {last}. No image so far names the equipment Ir-19" in told
    assert f"qualified for Ir-19 only: QP 7, until {last}" in said(open_versions(view="in_use"))
    browser.sign_in(browser.account("m.engineer", Role.ML_ENGINEER))
    shown = open_versions(view="in_use")
    assert "QP 7" in said(shown)
    assert "versions.qualify" not in keys(shown)


def test_a_refused_qualification_keeps_what_was_typed_and_says_why_beside_each_field(
    workplace: Resources, browser: Browser, tmp_path: Path
) -> None:
    add_set(workplace, tmp_path, "held-out welds")
    browser.sign_in(browser.account("r.reviewer", Role.REVIEWER))
    page = open_versions(view="in_use")
    page.text_input(key="versions.qualify.0.procedure").set_value("QP 7")
    page.button(key="versions.qualify").click().run()
    assert not page.exception
    assert not page.error
    assert page.text_input(key="versions.qualify.0.procedure").value == "QP 7"
    text = said(page)
    assert "A qualification names the set it rests on." in text
    assert "A qualification names the last day on which it holds." in text
    assert "names its procedure" not in text
    page.selectbox(key="versions.qualify.0.evaluation_set").set_value("held-out welds")
    page.date_input(key="versions.qualify.0.expires_on").set_value(now_utc().date() - timedelta(days=3))
    page.button(key="versions.qualify").click().run()
    assert "It would have expired on" in said(page)
    assert "names the set it rests on" not in said(page)
    assert page.selectbox(key="versions.qualify.0.evaluation_set").value == "held-out welds"
