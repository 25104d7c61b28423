"""Reading, deciding and signing in a real browser: every change is in the database, and nothing is lost."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.conftest import REPOSITORY
from tests.e2e.serving import FILES, PATIENCE_MS, Served, _wait_until_healthy, served
from tests.e2e.test_sign_in import PASSWORD, add_user, fill_in

pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore::ResourceWarning")]


@contextmanager
def inspector(chromium: Browser, server: Served, name: str) -> Iterator[BrowserContext]:
    """A browser in which an inspector of this name is signed in; any error of a script fails the test."""
    errors: list[str] = []
    add_user(server, name)
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, base_url=server.address)
    context.set_default_timeout(PATIENCE_MS)
    context.on("weberror", lambda error: errors.append(str(error.error)))
    page = context.new_page()
    page.goto("/")
    fill_in(page, name)
    page.locator(FILES).wait_for(state="attached")
    page.close()
    yield context
    context.close()
    assert not errors


@pytest.fixture
def sample(repository: Path) -> Path:
    return repository / "data" / "samples" / "lack_of_fusion.png"


def opened(context: BrowserContext, path: str = "/", upload: Path | None = None) -> Page:
    """A tab that shows an analysed image with its weak boxes."""
    page = context.new_page()
    page.goto(path)
    if upload is not None:
        page.locator(FILES).set_input_files(upload)
    ready(page)
    return page


def ready(page: Page) -> None:
    expect(page.locator(".bench[data-state=ready][data-ready='1']")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".panel[data-reading=open], .panel[data-reading=closed]")).to_be_visible()
    page.locator(".threshold").fill("0.1")


def select(page: Page, n: int) -> None:
    row = page.locator(f"tr[data-n='{n}']")
    if row.get_attribute("aria-selected") != "true":
        row.click()
    page.locator(".stage > canvas").focus()


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def classify(page: Page, number: str) -> None:
    """Say by keys which ISO 6520-1 number the selected indication has."""
    press(page, "e")
    page.keyboard.type(number)
    press(page, "Enter")


def saved(page: Page) -> None:
    expect(page.locator(".saved-line")).to_have_attribute("data-state", "saved", timeout=PATIENCE_MS)


def call_of(page: Page, n: int) -> str | None:
    return page.locator(f"tr[data-n='{n}']").get_attribute("data-call")


def kept(server: Served, name: str) -> dict[str, Any]:
    """The newest inspection of somebody with its newest reading, past the product."""
    path = server.environment["DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as database:
        inspection_id, disposition, note, state = database.execute(
            "SELECT i.inspection_id, i.disposition, i.note, i.state FROM inspections i"
            " JOIN people u ON u.user_id = i.inspector_id WHERE u.name = ? ORDER BY i.created_at DESC",
            (name,),
        ).fetchone()
        newest = database.execute(
            "SELECT boxes, version FROM annotations WHERE track = ? ORDER BY version DESC", (inspection_id,)
        ).fetchone()
    boxes = {box["id"]: box for box in json.loads(newest[0])} if newest else {}
    return {
        "id": inspection_id, "disposition": disposition, "note": note, "state": state,
        "boxes": boxes, "version": newest[1] if newest else 0,
    }  # fmt: skip


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag from one place to another, as fractions of the stage."""
    box = page.locator(".stage > canvas").bounding_box()
    assert box
    places = [(box["x"] + fx * box["width"], box["y"] + fy * box["height"]) for fx, fy in (start, end)]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=4)
    page.mouse.up()


def test_every_change_of_a_reading_is_saved_and_a_reload_comes_back_to_it(
    chromium: Browser, server: Served, sample: Path
) -> None:
    with inspector(chromium, server, "a.reader") as context:
        page = opened(context, upload=sample)
        select(page, 1)
        press(page, "y")
        saved(page)
        assert kept(server, "a.reader")["boxes"]["m1"]["call"] == "confirmed"

        select(page, 1)
        classify(page, "2011")
        saved(page)
        box = kept(server, "a.reader")["boxes"]["m1"]
        assert (box["class"], box["iso6520"]) == ("porosity", "2011")

        press(page, "b")
        drag(page, (0.4, 0.5), (0.5, 0.6))
        expect(page.locator(".picker")).to_be_visible()
        page.keyboard.type("1011")
        press(page, "Enter")
        saved(page)
        drawn = kept(server, "a.reader")["boxes"]["h1"]
        assert (drawn["class"], drawn["iso6520"], drawn["source"], drawn["call"]) == (
            "crack",
            "1011",
            "human",
            "confirmed",
        )
        before = drawn["bbox"]
        press(page, "Control+ArrowRight", "Control+Shift+ArrowDown")
        saved(page)
        after = kept(server, "a.reader")["boxes"]["h1"]["bbox"]
        moved = [round(new - old, 2) for new, old in zip(after, before, strict=True)]
        assert moved == [1, 0, 1, 1]

        n_drawn = int(page.locator("tr[aria-selected=true]").get_attribute("data-n") or 0)
        page.reload()
        ready(page)
        expect(page.locator("tr[aria-selected=true]")).to_have_attribute("data-n", str(n_drawn))
        select(page, n_drawn)
        press(page, "Delete")
        saved(page)
        assert "h1" not in kept(server, "a.reader")["boxes"]
        press(page, "Control+z")
        saved(page)
        assert kept(server, "a.reader")["boxes"]["h1"]["bbox"] == after

        page.locator("[data-disposition=refer]").click()
        page.locator(".decision-note").fill("ask for a second exposure")
        page.locator(".decision-note").press("Tab")
        saved(page)
        found = kept(server, "a.reader")
        assert (found["disposition"], found["note"]) == ("refer", "ask for a second exposure")


def test_a_change_made_in_another_tab_is_shown_beside_ones_own_and_nothing_is_overwritten_silently(
    chromium: Browser, server: Served, sample: Path
) -> None:
    with inspector(chromium, server, "b.reader") as context:
        first = opened(context, upload=sample)
        second = opened(context, urlsplit(first.url)._replace(scheme="", netloc="").geturl())
        select(first, 1)
        press(first, "y")
        select(first, 1)
        classify(first, "2011")
        saved(first)
        select(second, 1)
        classify(second, "1011")
        conflict = second.locator(".conflict")
        expect(conflict).to_be_visible()
        expect(conflict).to_contain_text("crack 1011")
        expect(conflict).to_contain_text("porosity 2011")
        expect(conflict).to_contain_text("B.Reader")
        assert kept(server, "b.reader")["boxes"]["m1"]["iso6520"] == "2011"
        conflict.get_by_role("button", name="Save mine on top").click()
        saved(second)
        assert kept(server, "b.reader")["boxes"]["m1"]["iso6520"] == "1011"

        select(first, 1)
        classify(first, "2012")
        expect(first.locator(".conflict")).to_be_visible()
        first.locator(".conflict").get_by_role("button", name="Take the stored one").click()
        saved(first)
        expect(first.locator("tr[data-n='1'] td:nth-child(2)")).to_have_text("crack 1011")
        assert kept(server, "b.reader")["boxes"]["m1"]["iso6520"] == "1011"


def _click_until(button: Locator, shown: Locator) -> None:
    """A page that is drawn anew just then takes a click; nothing has happened, so it is made again."""
    for _ in range(4):
        button.click()
        try:
            expect(shown).to_be_visible(timeout=PATIENCE_MS / 4)
            return
        except AssertionError:
            continue
    expect(shown).to_be_visible()


def test_signing_asks_for_the_password_and_what_is_signed_is_corrected_by_a_revision(
    chromium: Browser, server: Served, sample: Path
) -> None:
    with inspector(chromium, server, "c.reader") as context:
        page = opened(context, upload=sample)
        expect(page.locator(".sign")).to_be_disabled()
        select(page, 1)
        press(page, "y")
        page.locator("[data-disposition=reject]").click()
        saved(page)
        signed = kept(server, "c.reader")
        page.locator(".sign").click()
        dialog = page.get_by_test_id("stDialog")
        expect(dialog).to_contain_text("C.Reader (c.reader)")
        expect(dialog).to_contain_text("inspected")
        sign = dialog.get_by_test_id("stFormSubmitButton").get_by_role("button")
        expect(dialog.get_by_label("Your password")).to_be_focused()
        dialog.get_by_label("Your password").fill("not this one")
        _click_until(sign, dialog.get_by_text("Nothing was signed"))
        assert kept(server, "c.reader")["state"] == "open"
        dialog.get_by_label("Your password").fill(PASSWORD)
        _click_until(sign, page.locator(".signed"))
        expect(page.locator(".signed")).to_contain_text("Signed by C.Reader")
        expect(dialog).to_be_hidden()
        assert kept(server, "c.reader")["state"] == "signed"

        select(page, 1)
        press(page, "Delete", "y", "n")
        expect(page.locator(".calls")).to_be_hidden()
        expect(page.locator("[data-disposition=accept]")).to_be_disabled()
        assert kept(server, "c.reader") == {**signed, "state": "signed"}

        page.locator(".revise").click()
        expect(page.locator(".panel")).to_have_attribute("data-reading", "open")
        select(page, 1)
        classify(page, "5011")
        saved(page)
        revision = kept(server, "c.reader")
        assert revision["id"] != signed["id"]
        assert (revision["state"], revision["boxes"]["m1"]["iso6520"]) == ("open", "5011")
        page.reload()
        ready(page)
        assert page.locator(".panel").get_attribute("data-reading") == "open"


def test_a_killed_server_loses_nothing(chromium: Browser, tmp_path: Path, sample: Path) -> None:
    with served(tmp_path) as first:
        port = urlsplit(first.address).port
        with inspector(chromium, first, "d.reader") as context:
            page = opened(context, upload=sample)
            select(page, 1)
            press(page, "y")
            saved(page)
            kill(port)
            select(page, 1)
            classify(page, "2011")
            expect(page.locator(".saved-line")).to_have_attribute("data-state", "late", timeout=60_000)
            assert kept(first, "d.reader")["boxes"]["m1"]["iso6520"] is None
            with restarted(first, port):
                saved(page)
                box = kept(first, "d.reader")["boxes"]["m1"]
                assert (box["call"], box["iso6520"]) == ("confirmed", "2011")
                page.reload()
                ready(page)
                expect(page.locator("tr[data-n='1'] td:nth-child(2)")).to_have_text("porosity 2011")
                expect(page.locator("tr[data-n='1']")).to_have_attribute("aria-selected", "true")


def kill(port: int | None) -> None:
    """End the server that listens here, without a chance to tidy up."""
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"app.web.server" in words and str(port).encode() in words:
            os.kill(int(process.name), signal.SIGKILL)


@contextmanager
def restarted(server: Served, port: int | None) -> Iterator[None]:
    """The server again, on the same data and at the same address."""
    command = [sys.executable, "-m", "app.web.server", "--port", str(port)]
    with server.log.open("a", encoding="utf-8") as stderr:
        process = subprocess.Popen(
            command, cwd=REPOSITORY, env={**os.environ, **server.environment}, stderr=stderr
        )
        try:
            _wait_until_healthy(server.address, process, server.log)
            yield
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)
