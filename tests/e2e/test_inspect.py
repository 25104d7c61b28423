"""The whole product in a real browser: a sample is uploaded, boxes come, threshold, map, download."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.serving import FILES, PATIENCE_MS, Served, served

SAMPLE = "porosity_clusters.png"
pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore::ResourceWarning")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("served"), "--demo") as running:
        yield running


@pytest.fixture
def page(server: Served, chromium: Browser) -> Iterator[Page]:
    """A page of a new visitor, that fails the test on any script error."""
    errors: list[str] = []
    page = chromium.new_page(viewport={"width": 1440, "height": 900}, base_url=server.address)
    page.set_default_timeout(PATIENCE_MS)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.close()
    assert not errors


def shown(page: Page) -> int:
    """How many boxes the viewer shows."""
    return int(page.locator(".panel").get_attribute("data-shown") or 0)


def test_upload_boxes_threshold_map_and_download(page: Page, repository: Path) -> None:
    page.goto("/")
    with page.expect_response("**/map?*"):  # the first box's, fetched before anybody asks
        page.locator(FILES).set_input_files(repository / "data" / "samples" / SAMPLE)
        expect(page.locator(".bench[data-state=ready][data-ready='1']")).to_be_visible(timeout=PATIENCE_MS)

    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    slider = page.locator(".threshold")
    slider.fill("0.1")
    n_low = shown(page)
    assert n_low > 0
    slider.fill("0.9")
    assert shown(page) < n_low
    slider.fill("0.1")
    assert shown(page) == n_low
    assert not [url for url in fetched if "/pixels/" in url or "/map" in url]

    first = page.locator(".panel tbody tr").first
    first.click()
    expect(first).to_have_attribute("aria-selected", "true")
    page.locator(".details summary").click()
    expect(page.locator(".details-p")).to_contain_text("in 100 were real")
    page.locator(".stage > canvas").focus()
    page.keyboard.press("g")
    expect(page.locator(".map-note")).to_contain_text("map of 1")
    page.wait_for_function(
        "note => !note.textContent.includes('computing')", arg=page.locator(".map-note").element_handle()
    )
    assert "no map" not in page.locator(".map-note").inner_text()

    with page.expect_download() as download:
        page.get_by_role("tab", name="Image").click()
        page.locator(".get-json").click()
    (content,) = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert content["image"]["path"] == SAMPLE
    assert content["model"]["name"] == "weld"
    assert sum(d["probability"] >= 0.1 for d in content["detections"]) == n_low

    page.reload()
    expect(page.locator(".bench[data-state=ready][data-ready='1']")).to_be_visible(timeout=PATIENCE_MS)
    assert not page.evaluate("document.scrollingElement.scrollHeight > innerHeight")


def test_another_visitor_sees_none_of_it(page: Page, repository: Path) -> None:
    page.goto("/")
    expect(page.locator(FILES)).to_be_attached()
    expect(page.locator(".bench")).to_have_count(0)
