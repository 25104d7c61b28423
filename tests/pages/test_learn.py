"""The pages Data and Retrain, run by Streamlit's own test runner."""

import pytest
from streamlit.testing.v1 import AppTest

from app.shared.resources import Resources
from core.domain.accounts import COMMAND_LINE, Role
from core.domain.indication import IndicationClass
from core.domain.labels import Label
from core.domain.radiograph import Polarity
from core.services.datasets.data_versions import DataRequest
from core.services.datasets.set_making import SetFilter
from core.store.jobs import JobState
from tests.pages.browser import Browser, open_page, said
from tests.records import add_user
from tests.workplace import radiograph_png

# AppTest's own event loop and sockets are closed by the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture
def browser(workplace: Resources, monkeypatch: pytest.MonkeyPatch) -> Browser:
    browser = Browser(workplace, monkeypatch)
    browser.sign_in(browser.account("m.eng", Role.ML_ENGINEER))
    return browser


def opened(file: str) -> AppTest:
    page = open_page(file)
    assert not page.exception
    return page


@pytest.mark.usefixtures("browser")
def test_data_without_labels_says_how_the_first_version_is_made() -> None:
    page = opened("data_versions.py")
    assert "No data version yet" in said(page)
    assert "nothing is labelled yet" in said(page)
    assert page.button(key="data.make").disabled


@pytest.mark.usefixtures("browser")
def test_retraining_without_data_leads_to_the_page_that_makes_it() -> None:
    page = opened("retrain.py")
    assert "Nothing was trained here yet" in said(page)
    assert "There is no data version of weld yet" in said(page)
    assert "Go to Data" in {link.proto.label for link in page.get("page_link")}
    page.segmented_control(key="inspection.model").set_value("casting").run()
    assert "There is no data version of casting yet" in said(page)
    assert page.query_params["model"] == "casting"


def test_images_of_evaluation_sets_are_told_before_a_version_is_made_and_after(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = browser.services
    monkeypatch.setattr(services.registry, "versions", lambda _name: [], raising=False)
    monkeypatch.setattr(services.data_maker, "_log_dataset", lambda **_: None)
    pore = Label("h1", (40.0, 50.0, 90.0, 80.0), IndicationClass.POROSITY)
    annotator = add_user(services.store, Role.ANNOTATOR)

    def label(seed: int) -> None:
        png = radiograph_png(seed, height=200, width=300)
        film = services.workspace.images.add(COMMAND_LINE, png, f"{seed}.png", polarity=Polarity.FILM)
        services.workspace.labels.save(annotator, film.sha256, [pore], expected_version=0)
        services.workspace.labels.submit(annotator, film.sha256, expected_version=1)

    label(1)
    assert "evaluation set (" not in said(opened("data_versions.py"))
    services.set_maker.from_labels(COMMAND_LINE, "judged here", "weld", SetFilter())
    job_id = services.data.start(COMMAND_LINE, DataRequest("weld", "ours alone"))
    assert services.job_worker().work(job_id) is JobState.DONE
    page = opened("data_versions.py")
    assert said(page).count("1 of 1 lies in an evaluation set (judged here) and never trains") == 3
    assert "Nothing of it trains" in said(page)
    assert "Train on this version" not in said(page)
    label(2)
    told = said(opened("data_versions.py"))
    assert "1 of 2 lies in an evaluation set (judged here) and never trains" in told


def test_trainings_are_started_by_engineers(browser: Browser) -> None:
    browser.sign_in(browser.account("a.label", Role.ANNOTATOR))
    page = open_page("retrain.py")
    assert not [button for button in page.button if button.key == "retrain.start"]
