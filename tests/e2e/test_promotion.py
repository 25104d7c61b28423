"""In real browsers: two people promote a version, the next upload is read by it, one click goes back."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.domain.accounts import Role
from core.domain.serving import ChangeKind
from tests.artefacts import write_artefact
from tests.e2e.inspected import add_person, services_of, signed_in
from tests.e2e.serving import FILES, PATIENCE_MS, Served, served

pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore::ResourceWarning")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The product with a second weld version that nobody promoted yet."""
    folder = tmp_path_factory.mktemp("served")
    with served(folder) as running:
        artefact = write_artefact(
            folder / "weld-2", seed=9, score_spread=0.3, calibration={"score_cut": 0.45}
        )
        with services_of(running) as services:
            add_person(services, "m.engineer", Role.ML_ENGINEER)
            add_person(services, "r.reviewer", Role.REVIEWER)
            add_person(services, "a.inspector", Role.INSPECTOR)
            services.registry.register(artefact)
        yield running


def upload(page: Page, sample: Path) -> None:
    """Hand the file in at the empty table and wait until it is read."""
    page.locator(FILES).set_input_files(sample)
    expect(page.locator(".stage canvas, canvas").first).to_be_visible()


def made_by(server: Served, n: int) -> list[int]:
    """The versions that read images, oldest first, once there are `n`."""
    end = time.monotonic() + PATIENCE_MS / 1000
    with services_of(server) as services:
        while time.monotonic() < end:
            with services.store.read() as work:
                found = work.inspections.latest(50)
            if len(found) >= n:
                return [one.model.version for one in reversed(found)]
            time.sleep(0.3)
    raise AssertionError(f"expected {n} inspections, found {len(found)}")


def test_no_column_of_the_table_is_cut_at_either_width(chromium: Browser, server: Served) -> None:
    with signed_in(chromium, server, "m.engineer", "/versions") as engineer:
        table = engineer.locator(".dvn-scroller").first
        for width, height in ((1440, 900), (1280, 800)):
            engineer.set_viewport_size({"width": width, "height": height})
            expect(table).to_be_visible()
            engineer.wait_for_function(
                "() => { const t = document.querySelector('.dvn-scroller');"
                " return t.clientWidth < innerWidth * 0.6 && t.scrollWidth <= t.clientWidth; }",
                timeout=10_000,
            )


def test_promoted_the_next_upload_is_read_by_it_and_rolled_back_it_is_as_before(
    chromium: Browser, server: Served, repository: Path
) -> None:
    films = ("crack_longitudinal", "cracks_transverse", "gas_pores")
    samples = [repository / "data" / "samples" / f"{name}.png" for name in films]
    with (
        signed_in(chromium, server, "a.inspector", "/") as inspect,
        signed_in(chromium, server, "m.engineer", "/versions?version=2&view=gate") as engineer,
    ):
        header = inspect.locator(".rk-header")
        expect(header).to_contain_text("weld v1 (champion)")
        upload(inspect, samples[0])
        assert made_by(server, 1) == [1]

        expect(engineer.get_by_text("The gate refuses, for 4 reasons")).to_be_visible()
        engineer.get_by_label("Why it should serve all the same").fill("the first one misses pores")
        engineer.get_by_label("Why it should serve all the same").press("Tab")
        engineer.get_by_role("button", name="Ask to override for champion").click()
        expect(engineer.get_by_text("nothing changed yet")).to_be_visible()

        with signed_in(chromium, server, "r.reviewer", "/versions") as reviewer:
            expect(reviewer.get_by_text("m.engineer asks for v2 as champion")).to_be_visible()
            reviewer.get_by_role("button", name="Consent").click()
            expect(reviewer.get_by_text("weld v2 is champion now")).to_be_visible()
            expect(reviewer.locator(".rk-header")).to_contain_text("weld v2 (champion)")

        inspect.goto("/")
        expect(header).to_contain_text("weld v1 (reads this image)")
        inspect.get_by_role("button", name="Add radiographs").click()
        inspect.locator(FILES).set_input_files(samples[1])
        assert made_by(server, 2) == [1, 2], "what was read keeps its version"

        engineer.goto("/versions")
        button = engineer.get_by_role("button", name="Roll back to v1")
        expect(button).to_be_enabled()
        started = time.perf_counter()
        button.click()
        expect(engineer.get_by_text("weld v1 is champion now: rolled back")).to_be_visible()
        expect(engineer.locator(".rk-header")).to_contain_text("weld v1 (champion)")
        assert time.perf_counter() - started < 5.0
        inspect.goto("/")
        expect(header).to_contain_text("weld v2 (reads this image)")
        inspect.get_by_role("button", name="Add radiographs").click()
        inspect.locator(FILES).set_input_files(samples[2])
        assert made_by(server, 3) == [1, 2, 1], "as before"
    with services_of(server) as services, services.store.read() as work:
        kinds = [one.kind for one in work.serving.of("weld", "champion")]
        assert kinds == [ChangeKind.SETUP, ChangeKind.OVERRIDDEN, ChangeKind.ROLLED_BACK]
        assert services.served.champion("weld").version == 1
