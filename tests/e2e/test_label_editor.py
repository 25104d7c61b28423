"""The editor of labels in a real browser: shapes, several at once, steps, copies, questions."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from core.domain.indication import IndicationClass
from core.domain.own_classes import OwnClass
from tests.e2e.labelling_page import Editor, label, suggested
from tests.e2e.serving import PATIENCE_MS
from tests.e2e.viewer_page import Shown

pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore::ResourceWarning")]
NEAR = pytest.approx
FILM = Shown(np.random.default_rng(3).integers(9_000, 12_000, (300, 400)).astype(np.uint16))
SUGGESTIONS = [
    suggested(1, (20, 20, 60, 50), "porosity", 0.9),
    suggested(2, (100, 20, 140, 50), "crack", 0.8),
    suggested(3, (300, 200, 340, 230), "porosity", 0.7),
    suggested(4, (200, 20, 240, 50), "porosity", 0.2),  # below the threshold
]


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    errors: list[str] = []
    page = chromium.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(min(PATIENCE_MS, 30_000))
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.close()
    assert not errors


def near(box: list[float], expected: tuple[float, ...], within: float = 2.0) -> bool:
    return all(math.isclose(a, b, abs_tol=within) for a, b in zip(box, expected, strict=True))


def test_a_drag_inside_moves_and_keys_need_no_click_first(page: Page) -> None:
    editor = Editor(page, FILM, labels=[label("h1", (200, 100, 260, 140)), label("h2", (100, 100, 140, 130))])
    editor.open()
    editor.press("n")  # nothing was clicked before
    editor.drag((300, 200), (340, 240))
    editor.press("2")
    assert [one["class"] for one in editor.kept()] == ["porosity", "porosity", "crack"]
    editor.drag((320, 220), (340, 230))  # the one just drawn
    assert near(editor.kept()[2]["bbox"], (320, 210, 360, 250))
    editor.drag((230, 120), (250, 110))  # a label that was not selected
    assert near(editor.kept()[0]["bbox"], (220, 90, 280, 130))
    editor.drag((280, 130), (300, 150))  # its corner
    assert near(editor.kept()[0]["bbox"], (220, 90, 300, 150))
    zoom = page.locator(".zoom").inner_text()
    editor.drag((30, 250), (60, 270))  # beside all of them: the radiograph is moved
    assert page.locator(".zoom").inner_text() == zoom
    assert near(editor.kept()[0]["bbox"], (220, 90, 300, 150))


def test_several_are_moved_classed_and_deleted_in_one_step(page: Page) -> None:
    boxes = [(100.0 + 60 * n, 100.0, 130.0 + 60 * n, 130.0) for n in range(4)]
    editor = Editor(page, FILM, labels=[label(f"h{n}", box) for n, box in enumerate(boxes, 1)])
    editor.open()
    editor.click(115, 115)
    editor.click(175, 115, "Shift")
    expect(page.locator(".bulk strong")).to_have_text("2 selected")
    editor.press("2", "Control+ArrowDown")
    assert [one["class"] for one in editor.kept()] == ["crack", "crack", "porosity", "porosity"]
    assert [one["bbox"][1] for one in editor.kept()] == NEAR([101, 101, 100, 100])
    editor.drag((115, 115), (115, 145))
    assert [one["bbox"][1] for one in editor.kept()] == NEAR([131, 131, 100, 100], abs=2)
    editor.press("Escape", "q")
    editor.drag((200, 80), (300, 80))  # a loop of one line encloses nothing
    editor.press("q")
    page.mouse.move(*editor.place(200, 80))
    page.mouse.down()
    for x, y in ((360, 80), (360, 150), (205, 150)):
        page.mouse.move(*editor.place(x, y), steps=3)
    page.mouse.up()
    expect(page.locator(".bulk strong")).to_have_text("2 selected")
    editor.press("Delete")
    assert [one["id"] for one in editor.kept()] == ["h1", "h2"]
    assert editor.numbers() == ["1", "2"]
    editor.press("Control+z")
    assert [one["id"] for one in editor.kept()] == ["h1", "h2", "h3", "h4"]


def test_suggestions_are_numbered_without_gaps_and_accepted_by_name(page: Page) -> None:
    editor = Editor(page, FILM, suggestions=SUGGESTIONS, labels=[label("h7", (20, 200, 60, 230), "crack")])
    editor.open()
    assert editor.numbers() == ["1", "2", "3", "4"]
    expect(page.locator(".accept-all")).to_contain_text("Accept all 3: 2 porosity, 1 crack")
    editor.press("Delete")  # the first one
    expect(page.locator(".accept-all")).to_contain_text("Accept all 2: 1 crack, 1 porosity")
    editor.press("Control+Enter")
    expect(page.locator(".unanswered")).to_contain_text(
        "2 suggestions are neither accepted nor refused: 1 crack"
    )
    assert not [name for name, _ in page.evaluate("window.reports") if name == "submit"]
    page.get_by_role("button", name="Look at them").click()
    expect(page.locator(".unanswered")).to_be_hidden()
    editor.press("a")
    assert [one["class"] for one in editor.kept()] == ["crack", "crack", "porosity"]
    expect(page.locator(".accept-all")).to_have_text("Accept all a")


def test_a_box_is_turned_and_a_polygon_is_drawn_and_mended(page: Page) -> None:
    editor = Editor(page, FILM, labels=[label("h1", (100, 100, 180, 120), "crack")])
    editor.open()
    editor.click(110, 110)
    editor.press(*["g"] * 30)
    (turned,) = editor.kept()
    assert len(turned["polygon"]) == 4
    assert near(turned["bbox"], (100.4, 81.3, 179.6, 138.7), 0.2)
    (ax, ay), (bx, by) = turned["polygon"][:2]
    assert math.degrees(math.atan2(by - ay, bx - ax)) == NEAR(30, abs=0.1)
    assert math.hypot(bx - ax, by - ay) == NEAR(80, abs=0.1)
    editor.press(*["Shift+G"] * 30)
    assert "polygon" not in editor.kept()[0]  # along the image again
    assert near(editor.kept()[0]["bbox"], (100, 100, 180, 120), 0.05)

    editor.press("p")
    for corner in ((220, 200), (280, 190), (290, 240), (230, 250)):
        editor.click(*corner)
    editor.press("Backspace", "Enter")
    drawn = editor.kept()[-1]
    assert len(drawn["polygon"]) == 3
    assert near(drawn["bbox"], (220, 190, 290, 240))
    editor.drag((290, 240), (300, 260))  # a corner
    assert near(editor.kept()[-1]["polygon"][2], (300, 260))
    editor.drag((250, 195), (250, 180))  # a side becomes a corner
    assert len(editor.kept()[-1]["polygon"]) == 4
    page.mouse.dblclick(*editor.place(250, 180))
    assert len(editor.kept()[-1]["polygon"]) == 3
    editor.drag((270, 215), (260, 215))  # inside
    assert near(editor.kept()[-1]["bbox"], (210, 190, 290, 260), 3)


def test_steps_survive_a_reload(page: Page) -> None:
    editor = Editor(page, FILM)
    editor.open()
    editor.press("n")
    editor.drag((100, 100), (140, 140))
    editor.press("3", "Control+ArrowRight", "Control+z")
    editor.reload()
    assert [one["class"] for one in editor.kept()] == ["inclusion"]
    x = editor.kept()[0]["bbox"][0]
    editor.press("Control+y")
    assert editor.kept()[0]["bbox"][0] == NEAR(x + 1, abs=0.02)
    editor.press("Control+z", "Control+z")
    assert [one["class"] for one in editor.kept()] == ["unclassified"]


def test_labels_of_the_image_before_are_copied(page: Page) -> None:
    before = [
        label("h3", (50, 50, 90, 80), "crack"),
        label("h4", (380, 280, 450, 330)),
        label("h5", (500, 10, 520, 30)),
    ]
    editor = Editor(page, FILM, previous={"name": "film-1.png", "labels": before})
    editor.open()
    editor.press("c")
    expect(page.locator(".told")).to_have_text(
        "2 copied from film-1.png; 1 left out: there already, or outside of this image"
    )
    assert [(one["id"], one["class"], one["bbox"]) for one in editor.kept()] == [
        ("h1", "crack", [50, 50, 90, 80]),
        ("h2", "porosity", [380, 280, 400, 300]),
    ]
    expect(page.locator(".bulk strong")).to_have_text("2 selected")
    page.get_by_role("button", name="Copy the labels of the image before").click()
    assert len(editor.kept()) == 2  # no second time


def test_own_classes_have_keys_and_stand_in_the_list_of_kinds(page: Page) -> None:
    own = (
        OwnClass("TS", "tungsten splash", "#e0a040", IndicationClass.INCLUSION),
        OwnClass("77", "lead letter", "#40a0e0"),
        OwnClass("OLD", "retired one", "#ffffff", is_offered=False),
    )
    old = label("h1", (200, 100, 240, 140), "unclassified", own_class="OLD")
    editor = Editor(page, FILM, labels=[old], own_classes=own)
    editor.open()
    expect(page.locator("tr[data-n] td:nth-child(2)")).to_have_text(["retired one"])
    expect(page.locator("[data-own]")).to_have_count(2)
    editor.press("n")
    editor.drag((100, 100), (140, 140))
    editor.press("8")
    assert [editor.kept()[1][name] for name in ("class", "own_class")] == ["inclusion", "TS"]
    editor.press("e")
    page.keyboard.type("77")
    editor.press("Enter")
    assert [editor.kept()[1][name] for name in ("class", "own_class")] == ["unclassified", "77"]
    editor.press("2")
    assert editor.kept()[1]["class"] == "crack"
    assert "own_class" not in editor.kept()[1]
