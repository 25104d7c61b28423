"""The editor of labels alone in a real browser, without a server."""

import re
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page

from app.label.rows import own_class_data
from app.shared.viewer_rows import kinds_by_class, known_kinds
from core.domain.kinds import Family
from core.domain.own_classes import OwnClass
from tests.e2e.viewer_page import ORIGIN, Shown, serve_viewer, show

Box = tuple[float, float, float, float]


def label(label_id: str, box: Box, name: str = "porosity", **more: Any) -> dict[str, Any]:
    """A stored label."""
    return {"id": label_id, "bbox": list(box), "class": name, "origin": "annotator", "iso6520": None,
            "probability": None, "note": "", **more}  # fmt: skip


def suggested(n: int, box: Box, name: str, probability: float, **more: Any) -> dict[str, Any]:
    """A suggestion of the model."""
    return {"n": n, "key": f"s-{n}", "box": list(box), "class": name, "iso6520": None, "score": None,
            "probability": probability, "origin": "model", "remark": "", "isAdded": False,
            **more}  # fmt: skip


@dataclass
class Editor:
    """The editor of one image on a page.

    Attributes:
        labels: that are stored.
        suggestions: that wait.
        previous: labels of the image before, None where none was.
        own_classes: that an admin added.
    """

    page: Page
    shown: Shown
    labels: list[dict[str, Any]] = field(default_factory=list)
    suggestions: list[dict[str, Any]] = field(default_factory=list)
    previous: dict[str, Any] | None = None
    own_classes: tuple[OwnClass, ...] = ()

    def open(self) -> None:
        """Open the page; no key or click follows."""
        serve_viewer(self.page, self.shown)
        self.reload()

    def reload(self) -> None:
        """Load the page anew, as a browser does; what it kept stays."""
        self.page.goto(f"{ORIGIN}/")
        self.tell()
        self.page.locator(".bench[data-ready='1']").wait_for()

    def tell(self) -> None:
        """Tell the editor what Python would tell it."""
        reading = {
            "inspection_id": f"labels-{self.shown.sha256}", "is_labelling": True, "owner": "u-1",
            "is_open": True, "version": 1 if self.labels else 0, "saved_at": None, "author": "",
            "content": {"labels": self.labels, "refused": [], "note": ""},
            "kinds": kinds_by_class(Family.WELD, is_label=True), "numbers": known_kinds(Family.WELD),
            "items": [], "others": [], "has_next": False, "refused": {}, "previous": self.previous,
            "own_classes": [own_class_data(one) for one in self.own_classes],
        }  # fmt: skip
        data = self.shown.data(detections=self.suggestions, reading=reading, links=None)
        show(self.page, data)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the image is on the screen; its edges must be on show."""
        canvas = self.page.locator(".stage > canvas").bounding_box()
        assert canvas
        height, width = self.shown.pixels.shape
        zoom = float(re.sub(r"[^\d.]", "", self.page.locator(".zoom").inner_text())) / 100
        return (
            canvas["x"] + canvas["width"] / 2 + (x - width / 2) * zoom,
            canvas["y"] + canvas["height"] / 2 + (y - height / 2) * zoom,
        )

    def drag(self, start: tuple[float, float], end: tuple[float, float], *held: str) -> None:
        """Drag from one point of the image to another, keys held."""
        for key in held:
            self.page.keyboard.down(key)
        self.page.mouse.move(*self.place(*start))
        self.page.mouse.down()
        self.page.mouse.move(*self.place(*end), steps=4)
        self.page.mouse.up()
        for key in held:
            self.page.keyboard.up(key)

    def click(self, x: float, y: float, *held: str) -> None:
        """Click a point of the image, keys held."""
        for key in held:
            self.page.keyboard.down(key)
        self.page.mouse.click(*self.place(x, y))
        for key in held:
            self.page.keyboard.up(key)

    def press(self, *keys: str) -> None:
        """Press keys where the focus is."""
        for key in keys:
            self.page.keyboard.press(key)

    def numbers(self) -> list[str]:
        """The numbers that the list shows."""
        return self.page.locator("tr[data-n] td:first-child").all_inner_texts()

    def kept(self) -> list[dict[str, Any]]:
        """The labels as this browser keeps them until they are stored."""
        place = f"radikal.unsaved.labels.u-1.labels-{self.shown.sha256}"
        content = self.page.evaluate(f"JSON.parse(sessionStorage.getItem({place!r}))")
        labels: list[dict[str, Any]] = content["content"]["labels"] if content else self.labels
        return labels
