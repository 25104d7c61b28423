"""The outline that the shipped weld version draws, in a real browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.serving import FILES, PATIENCE_MS, served

pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore::ResourceWarning")]


def test_a_crack_is_measured_around_its_outline_until_its_box_is_moved(
    tmp_path: Path, chromium: Browser, repository: Path
) -> None:
    weld = max((repository / "models" / "checkpoints").glob("weld-v*"))
    with served(tmp_path, "--demo", champions={"weld": weld}) as running:
        page = chromium.new_page(viewport={"width": 1440, "height": 900}, base_url=running.address)
        page.set_default_timeout(PATIENCE_MS)
        page.goto("/")
        page.locator(FILES).set_input_files(repository / "data" / "samples" / "crack_longitudinal.png")
        expect(page.locator(".bench[data-state=ready][data-ready='1']")).to_be_visible(timeout=PATIENCE_MS)
        page.locator(".panel tbody tr").first.click()
        size = page.locator(".details-size")
        expect(size).to_contain_text("mm around its outline, outlined area")
        page.locator(".stage > canvas").focus()
        page.keyboard.press("Control+ArrowRight")
        expect(size).not_to_contain_text("outline")
        page.close()
