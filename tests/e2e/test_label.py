"""Labelling in a real browser: by keyboard, saved with every edit, past a killed server, two at once."""

import json
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from core.domain.accounts import Role
from core.domain.records import Disposition
from core.services.inspections.inspecting import Decision
from tests.e2e.inspected import PASSWORD, add_person, inspect, services_of, signed_in
from tests.e2e.serving import PATIENCE_MS, Served, served
from tests.e2e.test_reading import drag, kill, press, restarted, saved
from tests.records import MINE

pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore::ResourceWarning")]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    """The product with two annotators and two images on which an inspector disagreed with the model."""
    with served(tmp_path) as running:
        with services_of(running) as services:
            for name in ("l.one", "l.two"):
                add_person(services, name, Role.ANNOTATOR)
            inspector = add_person(services, "i.film", Role.INSPECTOR)
            workspace = services.workspace
            for seed in (1, 2):
                inspection_id = inspect(services, inspector, seed, f"vessel-{seed}")
                workspace.readings.save(inspector, inspection_id, _said(services, inspector, inspection_id),
                                        expected_version=0)  # fmt: skip
                reject = Decision(Disposition.REJECT)
                workspace.inspections.decide(inspector, inspection_id, reject, expected_version=1)
                workspace.signing_off.sign(inspector, inspection_id, PASSWORD, expected_version=2,
                                           expected_reading=1, address="127.0.0.1")  # fmt: skip
        yield running


def _said(services: Any, inspector: Any, inspection_id: str) -> list[Any]:
    return [*services.workspace.open_readings.open(inspector, inspection_id).reading.indications, MINE]


def kept(server: Served) -> list[dict[str, Any]]:
    """Every version of labels that is stored, past the product, oldest first."""
    path = server.environment["DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute(
            "SELECT a.image_sha256, a.version, a.boxes, a.note, p.name FROM annotations a"
            " JOIN people p ON p.user_id = a.author_id WHERE a.track = 'labels' ORDER BY a.created_at"
        ).fetchall()
    names = ("image", "version", "boxes", "note", "author")
    found = [dict(zip(names, row, strict=True)) for row in rows]
    return [{**one, "boxes": json.loads(one["boxes"])} for one in found]


def states(server: Served) -> list[str]:
    path = server.environment["DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as database:
        return sorted(row[0] for row in database.execute("SELECT state FROM queue_items"))


def ready(page: Page) -> None:
    """Keys work without a click on the radiograph first."""
    expect(page.locator(".bench[data-state=ready][data-ready='1']")).to_be_visible(timeout=PATIENCE_MS)


def image_of(page: Page) -> str:
    return page.url.partition("image=")[2].partition("&")[0]


def test_an_image_is_labelled_by_keyboard_and_the_next_one_comes(chromium: Browser, server: Served) -> None:
    with signed_in(chromium, server, "l.one", "/disagreements") as page:
        rows = page.locator(".records tbody tr")
        expect(rows).to_have_count(4)
        expect(rows.first).to_contain_text("the inspector added what the model missed")
        page.get_by_role("link", name="Label the next").click()
        ready(page)
        expect(page.locator(".why")).to_contain_text("The inspector added what the model missed")
        first = image_of(page)
        # the inspector's box and the model's crack are suggested; one key each accepts them
        press(page, "y", "y")
        saved(page)
        assert [one["origin"] for one in kept(server)[-1]["boxes"]] == ["inspector", "model"]
        assert kept(server)[-1]["boxes"][0]["class"] == "inclusion"
        press(page, "Control+z", "Control+z")
        saved(page)
        assert kept(server)[-1]["boxes"] == []
        press(page, "a")
        saved(page)
        assert len(kept(server)[-1]["boxes"]) == 2

        press(page, "n")
        drag(page, (0.5, 0.5), (0.6, 0.62))
        press(page, "2")
        saved(page)
        drawn = kept(server)[-1]["boxes"][-1]
        assert (drawn["id"], drawn["class"], drawn["origin"]) == ("h1", "crack", "annotator")
        press(page, "e")
        page.keyboard.type("1011")
        press(page, "Enter")
        saved(page)
        assert kept(server)[-1]["boxes"][-1]["iso6520"] == "1011"
        press(page, "Control+d", "Control+ArrowRight", "Control+Shift+ArrowDown")
        saved(page)
        copy = kept(server)[-1]["boxes"][-1]
        shift = [round(new - old, 2) for new, old in zip(copy["bbox"], drawn["bbox"], strict=True)]
        assert (copy["class"], copy["iso6520"], shift) == ("crack", "1011", [9, 8, 9, 9])
        press(page, "Delete")
        saved(page)
        assert [one["id"] for one in kept(server)[-1]["boxes"]][-1] == "h1"
        page.locator(".decision-note").fill("dust in the corner")
        press(page, "Control+Enter")

        expect(page).not_to_have_url(f"{server.address}/label?image={first}")
        ready(page)
        assert kept(server)[-1]["note"] == "dust in the corner"
        assert states(server) == ["done", "done", "open", "open"]
        expect(page.locator(".saved-line")).to_have_text("nothing to save yet")
        press(page, "s", "2")
        expect(page.get_by_text("Nothing more waits")).to_be_visible()
        assert states(server) == ["done", "done", "skipped", "skipped"]
    assert all(one["author"] == "l.one" for one in kept(server))


def test_a_killed_server_loses_nothing_but_the_stroke_in_progress(chromium: Browser, server: Served) -> None:
    port = urlsplit(server.address).port
    with signed_in(chromium, server, "l.one", "/label") as page:
        ready(page)
        press(page, "y")
        saved(page)
        kill(port)
        press(page, "n")
        drag(page, (0.5, 0.5), (0.6, 0.62))
        press(page, "3")
        expect(page.locator(".saved-line")).to_have_attribute("data-state", "late", timeout=60_000)
        assert len(kept(server)[-1]["boxes"]) == 1
        with restarted(server, port):
            saved(page)
            assert [one["class"] for one in kept(server)[-1]["boxes"]] == ["inclusion", "inclusion"]
            page.reload()
            ready(page)
            expect(page.locator("tr[data-call=confirmed]")).to_have_count(2)


def test_two_people_on_one_image_see_each_other_and_nobody_overwrites(
    chromium: Browser, server: Served
) -> None:
    with signed_in(chromium, server, "l.one", "/label") as first:
        ready(first)
        address = f"/label?image={image_of(first)}"
        with signed_in(chromium, server, "l.two", address) as second:
            ready(second)
            expect(second.get_by_text("Also here now: L.One")).to_be_visible()
            expect(first.get_by_text("Also here now: L.Two")).to_be_visible()
            press(first, "y")
            saved(first)
            # without anything of one's own at stake, the other's labels simply appear
            expect(second.locator("tr[data-call=confirmed]")).to_have_count(1)
            first.context.set_offline(True)
            press(first, "2")
            press(second, "1")
            saved(second)
            first.context.set_offline(False)
            conflict = first.locator(".conflict")
            expect(conflict).to_be_visible(timeout=60_000)
            expect(conflict).to_contain_text("L.Two")
            assert [one["author"] for one in kept(server)] == ["l.one", "l.two"]
            conflict.get_by_role("button", name="Save mine on top").click()
            saved(first)
            assert kept(server)[-1]["author"] == "l.one"


def test_whoever_comes_second_is_given_the_next_image(chromium: Browser, server: Served) -> None:
    with signed_in(chromium, server, "l.one", "/label") as first:
        ready(first)
        with signed_in(chromium, server, "l.two", "/label") as second:
            ready(second)
            assert image_of(first) != image_of(second)


def test_labels_go_out_as_a_file_and_come_back_the_same(
    chromium: Browser, server: Served, tmp_path: Path
) -> None:
    with signed_in(chromium, server, "l.one", "/label") as page:
        ready(page)
        press(page, "a")
        saved(page)
        before = kept(server)
        page.goto("/disagreements")
        page.get_by_role("button", name="Files").click()
        with page.expect_download() as download:
            page.get_by_role("link", name="labels", exact=True).first.click()
        archive = tmp_path / download.value.suggested_filename
        download.value.save_as(archive)
        with zipfile.ZipFile(archive) as files:
            (name,) = [one for one in files.namelist() if one.endswith(".json")]
            content = json.loads(files.read(name))
        assert len(content["annotations"]) == len(before[-1]["boxes"]) == 2
        page.get_by_role("link", name="Import labels").click()
        page.locator("input[type=file]").set_input_files(archive)
        expect(page.get_by_text("COCO: 1 image · 1 stay the same · 2 boxes")).to_be_visible()
        page.get_by_role("button", name="Import", exact=True).click()
        expect(page.get_by_text("0 images changed, 1 unchanged, 2 boxes")).to_be_visible()
        assert kept(server) == before
