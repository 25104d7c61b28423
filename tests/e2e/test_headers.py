"""What a real browser makes of the headers: the pages work, and nothing else runs."""

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.serving import FILES, PATIENCE_MS, Served, served

#: Notes what the policy of the page blocked, and scripts that ran although they should not.
_WATCH = """
window.blocked = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.blocked.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}`);
});
"""
_ATTACKS = {
    "an inline script": """
        const script = document.createElement("script");
        script.textContent = "window.ran = true";
        document.body.append(script);""",
    "an inline handler": """
        const holder = document.createElement("div");
        holder.innerHTML = `<img src="/nothing.png" onerror="window.ran = true">`;
        document.body.append(holder);""",
    "a script from elsewhere": """
        const script = document.createElement("script");
        script.src = "http://localhost:9/x.js";
        document.body.append(script);""",
    "a script in the address": """
        const link = document.createElement("a");
        link.href = "javascript:window.ran = true";
        document.body.append(link);
        link.click();""",
    "a word with another server": """fetch("http://localhost:9/stolen").catch(() => {});""",
    "a picture from another server": """new Image().src = "http://localhost:9/stolen.png";""",
    "a form to another server": """
        const form = document.createElement("form");
        form.action = "http://localhost:9/"; form.method = "post";
        document.body.append(form);
        form.submit();""",
    "a frame": """
        const frame = document.createElement("iframe");
        frame.src = "http://localhost:9/";
        document.body.append(frame);""",
}
pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore::ResourceWarning")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("served"), "--demo") as running:
        yield running


@pytest.fixture
def page(server: Served, chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page(viewport={"width": 1440, "height": 900}, base_url=server.address)
    page.set_default_timeout(PATIENCE_MS)
    page.add_init_script(_WATCH)
    yield page
    page.close()


def blocked(page: Page) -> list[str]:
    return list(page.evaluate("window.blocked"))


def test_pages_viewer_and_upload_live_with_the_policy(page: Page, repository: Path) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto("/")
    samples = repository / "data" / "samples"
    page.locator(FILES).set_input_files(samples / "porosity_clusters.png")
    expect(page.locator(".bench[data-state=ready][data-ready='1']")).to_be_visible(timeout=PATIENCE_MS)
    row = page.locator(".panel tbody tr").first
    row.click()
    expect(row).to_have_attribute("aria-selected", "true")
    assert blocked(page) == []

    page.goto("/how-to-read")
    expect(page.get_by_role("heading", name="What you see")).to_be_visible(timeout=PATIENCE_MS)
    assert blocked(page) == []
    assert errors == []


@pytest.mark.parametrize("attack", _ATTACKS)
def test_what_somebody_injects_is_blocked(page: Page, attack: str) -> None:
    page.goto("/how-to-read")
    expect(page.get_by_role("heading", name="What you see")).to_be_visible(timeout=PATIENCE_MS)
    page.evaluate(f"() => {{ {_ATTACKS[attack]} }}")
    end = time.monotonic() + PATIENCE_MS / 1000
    while not blocked(page):  # the policy forbids what Playwright polls with in the page
        assert time.monotonic() < end, "nothing was blocked"
        page.wait_for_timeout(50)
    assert not page.evaluate("window.ran === true")


def test_the_page_cannot_be_framed(page: Page) -> None:
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    frame = '<iframe src="/how-to-read"></iframe>'
    page.route("**/framing", lambda route: route.fulfill(content_type="text/html", body=frame))
    with page.expect_event("requestfailed", timeout=PATIENCE_MS):
        page.goto("/framing")
    assert any("frame-ancestors" in text for text in refused)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/pixels/ab", {}, 403),
        ("/media/ab.png", {}, 403),
        ("/_stcore/metrics", {}, 404),
        ("/pixels/ab/cd", {"Cookie": "radikal_guest=made.up"}, 403),
        ("/api/nothing", {}, 404),
        ("/samples/a/b/c", {}, 404),
        ("/no-such-page", {"Accept": "text/html"}, 404),
        ("/", {"Host": "evil.example"}, 400),
    ],
)
def test_the_served_product_refuses(server: Served, path: str, headers: dict[str, str], status: int) -> None:
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(server.address + path, headers=headers), timeout=30)
    assert refused.value.code == status
    assert "frame-ancestors 'none'" in refused.value.headers["Content-Security-Policy"]
    refused.value.close()


def test_every_line_of_its_log_is_json_and_holds_no_cookie(page: Page, server: Served) -> None:
    page.goto("/how-to-read")
    expect(page.get_by_role("heading", name="What you see")).to_be_visible(timeout=PATIENCE_MS)
    (token,) = [cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "radikal_guest"]
    text = server.log.read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    assert any(line["message"].startswith("GET /how-to-read 200") for line in lines)
    assert token not in text
