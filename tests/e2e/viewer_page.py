"""The viewer alone in a real browser: its files under the page's policy, bytes as the server sends them."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from playwright.sync_api import Page, Route

from app.shared.components.scripts import scripts
from app.shared.payloads import Payload, heat_map_payload, pixel_payload, preview_payload, without_payload
from app.shared.policy import page_policy
from app.shared.viewer_rows import PREVIEW_ABOVE_PX
from core.domain.explanations import Fill, WithoutRegion
from core.domain.inspection import HeatMap
from core.domain.radiograph import Polarity, Radiograph
from tests.conftest import REPOSITORY

ORIGIN = "http://viewer.test"
COMPONENTS = REPOSITORY / "app" / "shared" / "components"
_DARK, _LIGHT = ("#e6e8ea", "#2c3136", "#1a1d20", "#111315"), ("#1a1d20", "#d4d8dc", "#f3f4f5", "#ffffff")
_STYLE = """
:root { --st-primary-color: #4fa3e0; --st-font: sans-serif; --st-text-color: %s; --st-border-color: %s;
  --st-secondary-background-color: %s; background: %s }
body { margin: 12px }
"""
_MOUNT = """
import mount from "%s";
const reports = [];
window.reports = reports;
window.update = (data) => mount({
  data, parentElement: document.querySelector("#parent"),
  setStateValue: (name, value) => reports.push([name, value]),
  setTriggerValue: (name, value) => reports.push([name, value]),
});
"""


def detection(n: int, box: tuple[float, float, float, float], probability: float) -> dict[str, Any]:
    """A box of the model as the viewer gets it."""
    return {
        "n": n,
        "box": list(box),
        "class": "crack",
        "iso6520": "101",
        "score": 0.5,
        "probability": probability,
    }


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One image in the viewer, and what the model said about it."""

    pixels: np.ndarray
    mm_per_px: float | None = None
    pitch_source: str | None = None
    polarity: Polarity = Polarity.DIGITAL
    srb_um: float | None = None
    sha256: str = "ab" * 32
    detections: list[dict[str, Any]] = field(default_factory=list)
    batch: tuple[str, ...] = ("one",)

    @property
    def radiograph(self) -> Radiograph:
        """The same as the server holds it."""
        depth = {"uint8": 8, "uint16": 16}.get(self.pixels.dtype.name, 32)
        return Radiograph(self.pixels, depth, self.polarity, None, self.sha256, "PNG")

    def data(self, **changes: Any) -> dict[str, Any]:
        """What Python would tell the viewer."""
        height, width = self.pixels.shape
        is_large = width * height > PREVIEW_ABOVE_PX
        image = {
            "name": "film.png",
            "sha256": self.sha256,
            "pixels_url": f"/pixels/{self.sha256}",
            "preview_url": f"/pixels/{self.sha256}/preview" if is_large else None,
            "width": width,
            "height": height,
            "bit_depth": self.radiograph.bit_depth,
            "file_format": "PNG",
            "polarity": self.polarity.value,
            "polarity_text": self.polarity.value,
            "mm_per_px": self.mm_per_px,
            "pitch_source": self.pitch_source,
            "srb_um": self.srb_um,
            "fields": {},
            "notes": [],
        }
        calibration = {"id": "c1", "words": "calibrated on films", "score_cut": 0.1}
        return {
            "image": image,
            "status": {"state": "ready", "message": "", "elapsed_ms": 60},
            "detections": self.detections,
            "result_id": self.sha256,
            "calibration": {**calibration, "operating_probability": 0.5},
            "model": {"title": "weld v1", "sha256": "cd" * 32, "data_notice": "simulated", "device": "cpu"},
            "threshold": 0.5,
            "threshold_rev": "weld-1",
            "links": {
                "map": "/results/map?model=weld",
                "without": "/results/without?m=w",
                "similar": "/results/similar?m=w",
                "faithfulness": "/results/faithfulness?m=w",
                "json": "/results/json",
                "png": "/results/png?a=b",
            },
            "batch": [
                {"key": k, "name": k, "state": "ready", "summary": "", "title": k, "thumbnail_url": None}
                for k in self.batch
            ],
            "current": "one",
            **changes,
        }


def open_viewer(page: Page, *shown: Shown, theme: str = "dark") -> None:
    """Open a page that holds the viewer alone, the first image on show, and wait for its full depth."""
    serve_viewer(page, *shown, theme=theme)
    page.goto(f"{ORIGIN}/")
    show(page, shown[0].data())
    page.locator(".bench[data-ready='1']").wait_for()


def show(page: Page, data: Mapping[str, Any]) -> None:
    """Tell the viewer what Python would tell it."""
    page.evaluate("data => { window.update(data); }", dict(data))


def serve_viewer(page: Page, *shown: Shown, theme: str = "dark") -> None:
    """Answer the browser in the place of the server."""
    answers: dict[str, Payload] = {}
    for image in shown:
        answers[f"/pixels/{image.sha256}"] = pixel_payload(image.radiograph)
        answers[f"/pixels/{image.sha256}/preview"] = preview_payload(image.radiograph)
    hill = np.exp(-((np.mgrid[-20:20, -20:20] / 9.0) ** 2).sum(0)).astype(np.float32)
    answers["/results/map"] = heat_map_payload(HeatMap(hill, 10, 10, 0.7))

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(ORIGIN).split("?")[0]
        if path.startswith(address_of("")):
            body = gzip.decompress(scripts().bodies[path.removeprefix(address_of(""))])
            route.fulfill(body=body, content_type="text/javascript")
        elif path == "/results/faithfulness":
            route.fulfill(json={"belief": "weak", "words": "weak: insertion minus deletion 0.31"})
        elif path == "/results/map" and "method=integrated" in route.request.url:
            payload = heat_map_payload(HeatMap(hill - np.float32(0.5), 10, 10, 0.7, is_signed=True))
            route.fulfill(body=gzip.decompress(payload.body), headers=payload.headers)
        elif path == "/results/similar":
            words = "of the 10 most similar, 8 confirmed, 2 dismissed (31 compared)"
            route.fulfill(json={"words": words, "n": 10})
        elif path == "/results/without":
            found = WithoutRegion(0.93, {Fill.SURFACE: 0.05, Fill.MEMBRANE: 0.07, Fill.THIN_PLATE: 0.2})
            route.fulfill(json=without_payload(found))
        elif path in answers:
            payload = answers[path]
            route.fulfill(body=gzip.decompress(payload.body), headers=payload.headers)
        elif path == "/":
            policy = {"Content-Security-Policy": page_policy()}
            route.fulfill(body=page_html(theme), content_type="text/html; charset=utf-8", headers=policy)
        elif path == "/empty":
            route.fulfill(body="", content_type="text/html; charset=utf-8")
        elif path == "/page.js":
            route.fulfill(body=page_script(), content_type="text/javascript; charset=utf-8")
        else:
            route.fulfill(status=404, body="")

    page.route(f"{ORIGIN}/**", answer)


def address_of(module: str) -> str:
    """Where the page finds a module of the components."""
    return scripts().address_of(module)


def page_script() -> str:
    """The JavaScript of that page; its `update(data)` tells the viewer."""
    return _MOUNT % address_of("radiograph_viewer/radiograph_viewer.js")


def page_html(theme: str) -> str:
    """The HTML of a page that holds the viewer alone."""
    html, css, shared_css = (
        (COMPONENTS / path).read_text(encoding="utf-8")
        for path in (
            "radiograph_viewer/radiograph_viewer.html",
            "radiograph_viewer/radiograph_viewer.css",
            "radiograph/radiograph.css",
        )
    )
    style = _STYLE % (_LIGHT if theme == "light" else _DARK) + shared_css + css
    body = f"<div id='parent'>{html}</div><script type='module' src='/page.js'></script>"
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><style>{style}</style><body>{body}</body></html>"
    )


def run_pure(page: Page, modules: tuple[str, ...], expression: str, argument: object = None) -> Any:
    """The JSON-able value of a JavaScript function of `argument`, the exports of these modules at hand."""
    serve_viewer(page)
    page.goto(f"{ORIGIN}/empty")
    for module in modules:
        page.evaluate(
            "async (address) => { Object.assign(window, await import(address)); }", address_of(module)
        )
    return page.evaluate(expression, argument)
