"""The history in a real browser: found by keyboard, read, exported, paged."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from core.domain.accounts import Role
from tests.e2e.inspected import add_person, inspect, services_of, signed_in
from tests.e2e.serving import Served, served

pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore::ResourceWarning")]
N_PARTS = 55


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The product with 55 inspections by one of two people."""
    with served(tmp_path_factory.mktemp("served")) as running:
        with services_of(running) as services:
            inspector = add_person(services, "a.film", Role.INSPECTOR)
            add_person(services, "m.train", Role.ML_ENGINEER)
            for number in range(N_PARTS):
                inspect(services, inspector, number, f"vessel-{number:02d}")
        yield running


def test_an_inspection_is_found_and_read_without_a_mouse(chromium: Browser, server: Served) -> None:
    with signed_in(chromium, server, "a.film", "/history") as page:
        rows = page.locator(".records tbody tr")
        expect(rows).to_have_count(50)
        expect(page.get_by_text(f"1 to 50 of {N_PARTS}")).to_be_visible()
        expect(rows.first.locator("img")).to_have_js_property("naturalWidth", 160)
        rows.first.locator("a").focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page.locator(".rk-record h2")).to_have_text("vessel-53")
        # one look at number and text: Streamlit shows the table that it replaces for a while
        expect(page.locator("tr[aria-selected=true]")).to_have_text([re.compile("vessel-53")])
        page.reload()
        expect(page.locator(".rk-record h2")).to_have_text("vessel-53")
        page.get_by_role("button", name="Close").click()
        expect(page.locator(".rk-record")).to_have_count(0)
        page.get_by_label("Find").fill("VESSEL-07")
        page.keyboard.press("Enter")
        expect(rows).to_have_count(1)
        expect(rows.first).to_contain_text("vessel-07")
        assert "q=VESSEL-07" in page.url


def test_pages_turn_and_the_list_is_exported_whole(chromium: Browser, server: Served, tmp_path: Path) -> None:
    with signed_in(chromium, server, "a.film", "/history") as page:
        page.get_by_role("button", name="Older").click()
        expect(page.get_by_text(f"51 to {N_PARTS} of {N_PARTS}")).to_be_visible()
        expect(page.locator(".records tbody tr")).to_have_count(N_PARTS - 50)
        with page.expect_download() as download:
            page.get_by_role("button", name="Export CSV").click()
        download.value.save_as(tmp_path / "history.csv")
    with (tmp_path / "history.csv").open(encoding="utf-8", newline="") as lines:
        assert [line["part"] for line in csv.DictReader(lines)][:2] == ["vessel-54", "vessel-53"]


def test_pictures_are_for_people_who_are_signed_in(chromium: Browser, server: Served) -> None:
    with signed_in(chromium, server, "m.train", "/history") as page:
        address = page.locator(".records img").first.get_attribute("src")
        assert page.request.get(str(address)).status == 200
    stranger = chromium.new_context(base_url=server.address)
    assert stranger.request.get(str(address)).status == 403
    stranger.close()


def test_ones_own_inspection_opens_on_the_inspection_page(chromium: Browser, server: Served) -> None:
    with signed_in(chromium, server, "a.film", "/history?q=vessel-11") as page:
        page.locator(".records tbody tr").first.click()
        expect(page.locator(".rk-record h2")).to_have_text("vessel-11")
        report = page.get_by_role("link", name="PDF").get_attribute("href")
        answer = page.request.get(str(report))
        assert (answer.status, answer.headers["content-type"]) == (200, "application/pdf")
        page.get_by_role("button", name="Open on Inspect").click()
        expect(page.locator(".bench[data-ready='1']")).to_be_visible()
        assert "/history" not in page.url
        assert "image=" in page.url
