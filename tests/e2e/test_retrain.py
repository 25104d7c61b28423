"""A training in a real browser: started, watched, stopped, resumed."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.domain.accounts import COMMAND_LINE, Identity, Role
from core.domain.indication import IndicationClass
from core.domain.labels import Label
from core.domain.radiograph import Polarity
from core.engine.network import NetworkConfig
from core.services.training.retraining import RETRAIN
from core.store.jobs import JobState
from tests.e2e.inspected import add_person, services_of, signed_in
from tests.e2e.serving import Served, served
from tests.workplace import radiograph_png

pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore::ResourceWarning")]
STEPS = 6000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The product with two labelled radiographs; its networks are wide enough to be trained."""
    with pytest.MonkeyPatch.context() as patch:
        wide = NetworkConfig(stem_width=16, widths=(16, 16, 16, 16), channels=16, head_convolutions=1)
        patch.setattr("tests.artefacts.TINY", wide)
        with served(tmp_path_factory.mktemp("served")) as running:
            with services_of(running) as services:
                add_person(services, "m.train", Role.ML_ENGINEER)
                annotator = add_person(services, "a.label", Role.ANNOTATOR)
                for seed in (1, 2):
                    data = radiograph_png(seed, height=300, width=400)
                    film = services.workspace.images.add(
                        COMMAND_LINE, data, f"plate-{seed}.png", polarity=Polarity.FILM
                    )
                    _label(services, annotator, film.sha256)
            yield running


def _label(services: object, annotator: Identity, sha256: str) -> None:
    labels = services.workspace.labels  # type: ignore[attr-defined]
    pore = Label("h1", (40.0, 50.0, 90.0, 80.0), IndicationClass.POROSITY)
    labels.save(annotator, sha256, [pore], expected_version=0)
    labels.submit(annotator, sha256, expected_version=1)


def test_labels_become_a_version_and_a_training_is_watched_stopped_and_resumed(
    chromium: Browser, server: Served
) -> None:
    with signed_in(chromium, server, "m.train", "/data") as page:
        expect(page.get_by_text("No data version yet")).to_be_visible()
        page.get_by_role("button", name="Make a data version").click()
        page.get_by_role("textbox", name="Licence").fill("own production, internal use")
        page.get_by_role("textbox", name="Licence").press("Tab")
        page.get_by_role("button", name="Check and make").click()
        expect(page.get_by_text("Data version 1", exact=True)).to_be_visible()
        page.get_by_role("link", name="Train on this version").click()
        expect(page.get_by_text("Nothing was trained here yet")).to_be_visible()
        steps = page.get_by_role("spinbutton", name="Steps")
        steps.fill(str(STEPS))
        steps.press("Tab")
        page.get_by_role("button", name="Start training").click()
        expect(page.locator(".rk-job")).to_contain_text("weld v1 on data version 1")
        _wait_for_step(page, 1)
        expect(page.locator(".rk-job-running")).to_contain_text("left")
        expect(page.locator(".js-plotly-plot").first).to_be_visible()
        page.get_by_role("button", name="Stop").click()
        expect(page.locator(".rk-job-cancelled")).to_be_visible()
        said = page.locator(".rk-job-said").inner_text()
        assert (stopped_at := _number(r"stopped at step (\d+)", said)) < STEPS
        page.reload()
        expect(page.locator(".rk-job-cancelled")).to_contain_text(said)
        page.get_by_role("button", name="Resume").click()
        _wait_for_step(page, stopped_at + 1)
        page.get_by_role("button", name="Stop").click()
        expect(page.locator(".rk-job-cancelled")).to_be_visible()
    assert _number(r"stopped at step (\d+)", _only_job(server)) > stopped_at


def test_an_annotator_sees_how_it_goes_and_starts_nothing(chromium: Browser, server: Served) -> None:
    with signed_in(chromium, server, "a.label", "/retrain") as page:
        expect(page.get_by_text("Trainings are started by ML engineers")).to_be_visible()
        expect(page.locator(".rk-job")).to_contain_text("weld v1 on data version 1")
        expect(page.get_by_role("button", name="Resume")).to_have_count(0)
        page.goto("/data")
        expect(page.get_by_text("own production, internal use")).to_be_visible()
        expect(page.get_by_role("button", name="Make a data version")).to_have_count(0)


def _wait_for_step(page: Page, at_least: int) -> None:
    """Wait until the page says that so many steps are done."""
    page.wait_for_function(
        "least => Number((document.querySelector('.rk-job-said')?.textContent.match(/^step (\\d+) of/) "
        "|| [])[1]) >= least",
        arg=at_least,
    )


def _number(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    assert found, text
    return int(found[1])


def _only_job(server: Served) -> str:
    """What the training said last, as stored."""
    with services_of(server) as services:
        (job,) = services.jobs.latest(COMMAND_LINE, [RETRAIN])
    assert job.state is JobState.CANCELLED
    assert Path(services.jobs.folder_of(job.job_id) / "run" / "checkpoint.index").is_file()
    return job.message
