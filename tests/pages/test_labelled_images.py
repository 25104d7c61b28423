"""The pages of all images and of own classes, run by Streamlit's own test runner."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.shared.resources import Resources
from core.domain.accounts import COMMAND_LINE, Identity, Role, User
from core.domain.indication import IndicationClass
from core.domain.labels import Label
from core.domain.own_classes import OwnClass
from tests.e2e.inspected import inspect
from tests.pages.browser import Browser, open_page, said
from tests.workplace import radiograph_png

# AppTest's own event loop and sockets are closed by the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture
def browser(workplace: Resources, monkeypatch: pytest.MonkeyPatch) -> Browser:
    return Browser(workplace, monkeypatch)


def acting(user: User) -> Identity:
    return Identity(user.user_id, user.shown_name, user.role)


def pictures(page: AppTest) -> list[dict[str, Any]]:
    assert not page.exception
    (gallery,) = page.get("bidi_component")
    items: list[dict[str, Any]] = json.loads(gallery.proto.json)["items"]
    return items


def test_images_are_found_by_what_their_labels_say(browser: Browser) -> None:
    inspector = acting(browser.account("i.film", Role.INSPECTOR))
    annotator = browser.account("a.label", Role.ANNOTATOR)
    services = browser.services
    ids = [inspect(services, inspector, seed, f"vessel-{seed}") for seed in (1, 2)]
    first, second = (services.workspace.inspections.get(inspector, one).image_sha256 for one in ids)
    crack = Label("h1", (1, 2, 30, 40), IndicationClass.CRACK)
    services.workspace.labels.save(acting(annotator), first, [crack], expected_version=0)
    browser.sign_in(annotator)
    items = pictures(open_page("labelled_images.py"))
    assert {one["key"] for one in items} == {first, second}
    (item,) = pictures(open_page("labelled_images.py", **{"class": "crack"}))
    assert (item["key"], item["caption"]) == (first, "vessel-1.png · vessel-1")
    assert item["more"].startswith("1 crack · ")
    assert item["boxes"] == [{"box": [1, 2, 30, 40], "kind": "recorded"}]
    (item,) = pictures(open_page("labelled_images.py", part="vessel-2"))
    assert (item["key"], item["more"]) == (second, "not labelled")
    assert "No image is like this" in said(open_page("labelled_images.py", q="no such name"))


def test_a_reload_of_the_label_page_goes_on_along_the_images_that_were_browsed(browser: Browser) -> None:
    images = browser.services.workspace.images
    films = [
        images.add(COMMAND_LINE, radiograph_png(n), f"{name}.png").sha256
        for n, name in enumerate(("other", "weld-1", "weld-2"))
    ]
    browser.sign_in(browser.account("a.label", Role.ANNOTATOR))
    page = open_page("label.py", image=films[1], walk="q=weld")
    assert not page.exception
    assert "weld-1.png · 2 of 2" in said(page)
    assert "other.png" not in said(open_page("label.py", image=films[1], walk="state=no such state"))
    # the filter does not let the image on show through any more
    assert "other.png · 1 of 3" in said(open_page("label.py", image=films[0], walk="q=weld"))


def test_an_admin_adds_a_class_and_retires_it(browser: Browser) -> None:
    head = browser.account("head", Role.ADMIN)
    browser.sign_in(head)
    page = open_page("label_classes.py")
    code, name = page.text_input
    code.input("ts")
    name.input("tungsten splash")
    page.selectbox[0].select("inclusion")
    page.button[0].click().run()
    assert not page.exception
    assert "tungsten splash (TS) was added" in said(page)
    classes, admin = browser.services.workspace.own_classes, acting(head)
    assert classes.all(admin) == [OwnClass("TS", "tungsten splash", "#e0a040", IndicationClass.INCLUSION)]
    page = open_page("label_classes.py", **{"class": "TS"})
    page.checkbox[0].uncheck()
    page.button[0].click().run()
    assert not classes.all(admin)[0].is_offered
