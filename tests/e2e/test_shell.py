"""What the page brings beside Streamlit: one theme for all pages, and words for a server that is away."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.serving import FILES, PATIENCE_MS, served
from tests.e2e.test_reading import kill

pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore::ResourceWarning")]
LIGHT, DARK = "rgb(243, 244, 245)", "rgb(17, 19, 21)"


def test_a_chosen_theme_holds_everywhere_and_a_lost_server_is_told_in_our_words(
    chromium: Browser, tmp_path: Path
) -> None:
    with served(tmp_path, "--demo") as server:
        page = chromium.new_page(viewport={"width": 1440, "height": 900}, base_url=server.address)
        page.set_default_timeout(PATIENCE_MS)
        page.goto("/how-to-read")
        expect_theme(page, DARK)
        page.goto("/")
        expect_theme(page, DARK)
        choose_light(page)
        expect_theme(page, LIGHT)
        for path in ("/how-to-read", "/history", "/"):  # the first one was opened in the dark before
            page.goto(path)
            expect_theme(page, LIGHT)
        kill(urlsplit(server.address).port)
        told = page.get_by_test_id("stDialog")
        expect(told).to_contain_text("The server does not answer")
        expect(told).to_contain_text("What was saved is safe")
        expect(told).not_to_contain_text("Streamlit")
        page.close()


def test_a_page_opened_at_its_own_address_asks_for_nothing_that_is_not_there(
    chromium: Browser, tmp_path: Path
) -> None:
    """Before, Streamlit's script asked for its service below the address of the page first."""
    with served(tmp_path, "--demo") as server:
        page = chromium.new_page(viewport={"width": 1440, "height": 900}, base_url=server.address)
        page.set_default_timeout(PATIENCE_MS)
        missing: list[str] = []
        page.on("response", lambda answer: missing.append(answer.url) if answer.status >= 400 else None)
        for path in ("/how-to-read", "/history", "/"):
            page.goto(path)
            expect_theme(page, DARK)
            expect(page.locator(".rk-header")).to_be_visible()
        assert missing == []
        page.close()


def test_files_that_are_not_taken_in_are_named_with_the_reason_once(
    chromium: Browser, tmp_path: Path
) -> None:
    """Before, Streamlit's chooser only turned red."""
    with served(tmp_path / "served", "--demo", environment={"UPLOADS_WAITING_PER_ADDRESS_MB": "1"}) as server:
        page = chromium.new_page(viewport={"width": 1440, "height": 900}, base_url=server.address)
        page.set_default_timeout(PATIENCE_MS)
        page.goto("/")
        expect(page.locator(FILES)).to_be_attached()
        page.locator(FILES).set_input_files([large(tmp_path, number) for number in range(5)])
        told = page.get_by_test_id("rk-refused-uploads")
        expect(told).to_contain_text("and 2 more. This is too much at once. Nothing was stored: with it 4 MB")
        expect(told).to_have_count(1)
        told.get_by_role("button", name="Close").click()
        expect(told).to_have_count(0)
        page.close()


def large(folder: Path, number: int) -> Path:
    path = folder / f"film {number}.bmp"
    path.write_bytes(bytes(3 * 2**20))
    return path


def expect_theme(page: Page, colour: str) -> None:
    expect(page.get_by_test_id("stApp")).to_have_css("background-color", colour)


def choose_light(page: Page) -> None:
    page.get_by_test_id("stMainMenuButton").click()
    page.get_by_test_id("stMainMenuItem-theme-Light").click()
    page.keyboard.press("Escape")
