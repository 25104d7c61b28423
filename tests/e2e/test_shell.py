"""What the page brings beside Streamlit: one theme for all pages, and words for a server that is away."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.serving import PATIENCE_MS, served
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


def expect_theme(page: Page, colour: str) -> None:
    expect(page.get_by_test_id("stApp")).to_have_css("background-color", colour)


def choose_light(page: Page) -> None:
    page.get_by_test_id("stMainMenuButton").click()
    page.get_by_test_id("stMainMenuItem-theme-Light").click()
    page.keyboard.press("Escape")
