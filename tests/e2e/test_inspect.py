"""The whole product in a real browser: a sample is uploaded, boxes come, threshold, map, download."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from core.bootstrap import make_registry
from core.config import Settings
from core.store.database import open_database, upgrade
from tests.artefacts import write_artefact

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 180_000  # for a machine that is busy with a training; 10 s are enough otherwise
SAMPLE = "porosity_clusters.png"
pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[str]:
    """A served app on a folder of its own; its models are tiny real networks that report boxes on noise."""
    folder = tmp_path_factory.mktemp("served")
    environment = {
        "DATA_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'radikal.db'}",
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
    }
    settings = Settings(_env_file=None, **{key.lower(): value for key, value in environment.items()})
    database = open_database(settings.database_url)
    upgrade(database)
    database.dispose()
    registry = make_registry(settings)
    for name in ("weld", "casting"):
        artefact = write_artefact(folder / name, name=name, score_spread=0.3, calibration={"score_cut": 0.45})
        registry.register(artefact, alias="champion")
    port = free_port()
    command = [sys.executable, "-m", "app.server", "--demo", "--port", str(port)]
    server = subprocess.Popen(command, cwd=repository, env={**os.environ, **environment})
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}/api/xai-qc/health", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=60)


@pytest.fixture
def page(address: str, chromium_path: str) -> Iterator[Page]:
    """A page of a new visitor, that fails the test on any script error."""
    errors: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1440, "height": 900}, base_url=address)
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
        browser.close()
    assert not errors


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_healthy(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 180
    while time.monotonic() < end:
        assert server.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                assert json.load(answer)["models"]["weld"]["usable"]
                return
        except (URLError, OSError):
            time.sleep(0.3)
    raise AssertionError("the server did not become healthy")


def shown(page: Page) -> int:
    """How many boxes the viewer shows."""
    return int(page.locator(".panel").get_attribute("data-shown") or 0)


def test_upload_boxes_threshold_map_and_download(page: Page, repository: Path) -> None:
    page.goto("/")
    page.locator("input[type=file]").set_input_files(repository / "data" / "samples" / SAMPLE)
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
    expect(page.locator(".details-p")).to_contain_text("in 100 were real")
    page.locator("canvas").focus()
    page.keyboard.press("g")
    expect(page.locator(".map-note")).to_contain_text("map of 1")
    page.wait_for_function(
        "note => !note.textContent.includes('computing')", arg=page.locator(".map-note").element_handle()
    )
    assert "no map" not in page.locator(".map-note").inner_text()

    with page.expect_download() as download:
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
    expect(page.locator("input[type=file]")).to_be_attached()
    expect(page.locator(".bench")).to_have_count(0)
