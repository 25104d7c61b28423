"""The first look without the model, typed pixel pitches and kept measures, in the viewer alone."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from core.domain.errors import BadInputError
from core.domain.scale import typed_pitch_mm
from tests.e2e.test_listing import reading
from tests.e2e.viewer_page import Shown, open_viewer, run_pure, show

FILM = Shown(np.random.default_rng(3).integers(0, 255, (400, 600), dtype=np.uint8))
TYPED = [
    "50 µm",
    "50um",
    "0,05 mm",
    "600 dpi",
    " 1200 DPI ",
    ".1 mm",
    "",
    "50",
    "-5 µm",
    "0 dpi",
    "10 mm",
    "5 µm 2",
]
LENGTH = {"id": "L1", "kind": "length", "a": [10, 20], "b": [40, 60], "bandPx": 1, "is_background": False}


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    yield context.new_page()
    context.close()
    assert not errors


def reported(page: Page, name: str) -> list[Any]:
    return [value for event, value in page.evaluate("window.reports") if event == name]


def test_the_viewer_and_the_server_read_the_same_pitch(page: Page) -> None:
    read = run_pure(
        page,
        ("radiograph_viewer/pixel_pitch.js",),
        "(texts) => texts.map((text) => typedPitchMm(text))",
        TYPED,
    )
    for text, mm in zip(TYPED, read, strict=True):
        if mm is None:
            with pytest.raises(BadInputError):
                typed_pitch_mm(text)
        else:
            assert typed_pitch_mm(text) == pytest.approx(mm)


def test_a_pitch_is_typed_for_all_that_were_handed_in_together(page: Page) -> None:
    open_viewer(page, FILM)
    data = FILM.data(reading=reading())
    show(page, data | {"image": data["image"] | {"n_together": 3}})
    page.keyboard.press("Shift+K")
    page.get_by_label("Pixel pitch", exact=True).fill("600 dpi")
    page.get_by_label("for all 3 handed in together").check()
    page.get_by_role("button", name="Use").click()
    assert reported(page, "scale") == [{"sha256": FILM.sha256, "typed": "600 dpi", "is_batch": True}]


def test_measures_come_back_and_a_change_is_saved(page: Page) -> None:
    open_viewer(page, FILM)
    show(page, FILM.data(reading=reading(measures=[LENGTH])))
    page.get_by_role("tab", name="Measure").click()
    page.locator(".measure-title", has_text="L1 · length 50.0 px").wait_for()
    assert reported(page, "measures") == []
    page.get_by_role("button", name="Delete L1").click()
    page.wait_for_timeout(800)
    assert reported(page, "measures") == [{"inspection_id": "i1", "content": []}]
    page.keyboard.press("Control+z")
    page.wait_for_timeout(800)
    assert reported(page, "measures")[1]["content"] == [LENGTH]


def test_a_signed_reading_shows_its_measures_and_saves_none(page: Page) -> None:
    open_viewer(page, FILM)
    show(page, FILM.data(reading=reading(measures=[LENGTH], is_open=False)))
    page.get_by_role("tab", name="Measure").click()
    page.get_by_role("button", name="Delete L1").click()
    page.wait_for_timeout(600)
    assert reported(page, "measures") == []


def test_the_model_is_shown_by_one_key_after_the_first_look(page: Page) -> None:
    open_viewer(page, FILM)
    veiled = reading(indications=[], is_blind=True, is_first_look=True)
    show(page, FILM.data(reading=veiled))
    assert page.locator(".veiled").is_visible()
    assert not page.locator(".threshold-row").is_visible()
    assert not page.locator(".dispositions").is_visible()
    assert not page.locator(".sign").is_visible()
    page.keyboard.press("Control+Enter")
    assert reported(page, "unveil") == [{"inspection_id": "i1", "version": 0}]
    show(
        page, FILM.data(reading=reading(indications=[], first_look="1 indication marked"), result_id="after")
    )
    assert not page.locator(".veiled").is_visible()
    page.keyboard.press("Control+Enter")
    assert len(reported(page, "unveil")) == 1
    page.get_by_role("tab", name="Verdict").click()
    assert page.locator(".first-look").text_content() == "First look: 1 indication marked"
