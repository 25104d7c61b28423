"""How fast the viewer shows and moves large films, in a headless Chromium. Writes benchmarks/viewer.json.

A server process of its own reads a stored film of 5000 x 1300 px at 16 bit, makes the preview and the full
payload anew for every request (nothing is cached), and sends them over HTTP; the viewer alone is on the page.
Times run from telling the viewer of a film to a painted frame. Not in them: Streamlit's round trip, and the
detector, which uses the same processor while it analyses. Then frames are counted while the film is panned
(80 px a frame) and while its window changes in every frame.
"""

import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from playwright.sync_api import Page, sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from app.shared.components import scripts
from app.shared.payloads import Payload, pixel_payload, preview_payload
from core.imaging.encode import encode_png
from core.imaging.read import read_radiograph
from core.simulate.config import SimulationConfig
from core.simulate.render import simulate_weld

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # tests are not installed
from tests.e2e.viewer_page import Shown, page_html, page_script, show

RESULT = Path(__file__).with_name("viewer.json")
HEIGHT_PX, WIDTH_PX = 1300, 5000
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
PATIENCE_MS = 60_000
FRAMES = 150
REPEATS = 7

#: Notes when the canvas first shows the image, and when full depth is there, both after the key.
WATCH = """(bench) => {
  const canvas = bench.querySelector(".stage > canvas");
  const before = canvas.dataset.painted;
  const seen = { start: performance.now(), first: null, full: null, longTasks: [] };
  const note = (list) => seen.longTasks.push(...list.getEntries().map((e) => e.duration));
  const observer = new PerformanceObserver(note);
  observer.observe({ type: "longtask" });
  const look = () => {
    const now = performance.now() - seen.start;
    if (seen.first === null && canvas.dataset.painted !== before) seen.first = now;
    if (seen.first === null || bench.dataset.ready !== "1") return requestAnimationFrame(look);
    seen.full = now;
    observer.disconnect();
  };
  look();
  bench.seen = seen;
}"""

#: Time between frames while a key goes down before each of them.
FRAMES_WHILE = """async (node, { keys, frames, shift }) => {
  const times = [];
  let last = await new Promise(requestAnimationFrame);
  for (let i = 0; i < frames; i += 1) {
    const key = keys[Math.floor((i * keys.length) / frames)];
    node.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey: shift, bubbles: true }));
    const now = await new Promise(requestAnimationFrame);
    times.push(now - last);
    last = now;
  }
  return times;
}"""

#: Durations of tasks over 50 ms while a filter is computed, and how long it took.
FILTER = """async (bench) => {
  const long = [];
  const observer = new PerformanceObserver((list) => long.push(...list.getEntries().map((e) => e.duration)));
  observer.observe({ type: "longtask" });
  const start = performance.now();
  const canvas = bench.querySelector(".stage > canvas");
  canvas.dispatchEvent(new KeyboardEvent("keydown", { key: "f", bubbles: true, cancelable: true }));
  const words = (part) => bench.querySelector(part).textContent;
  while (!/CLAHE|high-pass/.test(words(".shown-as")) || words(".veil"))
    await new Promise(requestAnimationFrame);
  observer.disconnect();
  return { took: performance.now() - start, long };
}"""


def film_app(path: Path) -> Starlette:
    """Serves the viewer's page and, under any name, the film stored at `path`."""

    def compressed(payload: Payload) -> Response:
        return Response(payload.body, headers={**payload.headers, "Content-Encoding": "gzip"})

    def pixels(request: Request) -> Response:
        return compressed(pixel_payload(read_radiograph(path.read_bytes(), path.name)))

    def preview(request: Request) -> Response:
        return compressed(preview_payload(read_radiograph(path.read_bytes(), path.name)))

    def script(request: Request) -> Response:
        return Response(page_script(), media_type="text/javascript")

    def page(request: Request) -> Response:
        return HTMLResponse(page_html("dark"))

    return Starlette(
        routes=[
            Route("/", page),
            Route("/page.js", script),
            *scripts.routes(),
            Route("/pixels/{name}", pixels),
            Route("/pixels/{name}/preview", preview),
        ]
    )


@contextmanager
def served(path: Path) -> Iterator[str]:
    """The address of a process that serves the film.

    Raises:
        TimeoutError: it does not answer within two minutes.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    server = subprocess.Popen([sys.executable, __file__, "--serve", str(path), str(port)])
    address, end = f"http://127.0.0.1:{port}", time.monotonic() + 120
    try:
        while True:
            try:
                urllib.request.urlopen(f"{address}/", timeout=5).close()
                break
            except OSError:
                if time.monotonic() > end:
                    raise TimeoutError(f"nobody answers at {address}") from None
                time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=60)


def opened(page: Page, film: Shown) -> dict[str, float]:
    """Times from telling the viewer to the film's first pixels and to its full depth, ms."""
    bench = page.locator(".bench")
    bench.evaluate(WATCH)
    show(page, film.data())
    while (seen := bench.evaluate("(bench) => bench.seen"))["full"] is None:
        page.wait_for_timeout(50)
    longest = max(seen["longTasks"], default=0.0)
    return {"first_pixels_ms": seen["first"], "full_depth_ms": seen["full"], "longest_task_ms": longest}


def frame_figures(times: list[float]) -> dict[str, float]:
    """Median, 95th percentile and share of frames that came later than two screen refreshes."""
    late = sum(t > 2.1 * 1000 / 60 for t in times)
    return {
        "median_ms": round(statistics.median(times), 1),
        "p95_ms": round(float(np.quantile(times, 0.95)), 1),
        "late_frames_percent": round(100 * late / len(times), 1),
    }


def measure(page: Page) -> dict[str, Any]:
    """Everything, for one page."""
    blank = np.broadcast_to(np.uint16(0), (HEIGHT_PX, WIDTH_PX))
    times = [opened(page, Shown(blank, sha256=f"{number:02x}" * 32)) for number in range(REPEATS)]
    page.wait_for_timeout(1000)
    canvas, bench = page.locator(".stage > canvas"), page.locator(".bench")
    result: dict[str, Any] = {
        name: {"median": round(statistics.median(values)), "all": [round(v) for v in values]}
        for name in times[0]
        for values in [[one[name] for one in times]]
    }
    pan = {"keys": ["ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"], "frames": FRAMES, "shift": True}
    for name, keys in (("pan_one_to_one", ["z"]), ("pan_zoomed_in", ["+"] * 4), ("pan_fitted", ["="])):
        for key in keys:
            canvas.press(key)
        page.wait_for_timeout(300)
        result[name] = frame_figures(canvas.evaluate(FRAMES_WHILE, pan))
    canvas.press("=")
    canvas.press("t")
    edge = page.get_by_role("slider", name="Upper edge of the window")
    window = {"keys": ["ArrowLeft", "ArrowRight"], "frames": FRAMES, "shift": False}
    result["window_fitted"] = frame_figures(edge.evaluate(FRAMES_WHILE, window))
    canvas.press("z")
    result["window_one_to_one"] = frame_figures(edge.evaluate(FRAMES_WHILE, window))
    for name in ("clahe", "high_pass"):
        found = bench.evaluate(FILTER)
        result[name] = {
            "took_ms": round(found["took"]),
            "longest_task_ms": round(max(found["long"], default=0.0)),
        }
    return result


def main() -> None:
    """Measure, print and write the result."""
    if sys.argv[1:2] == ["--serve"]:
        uvicorn.run(film_app(Path(sys.argv[2])), port=int(sys.argv[3]), log_level="warning")
        return
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        film = Path(folder) / "film.png"
        film.write_bytes(
            encode_png(simulate_weld(7, SimulationConfig(height_px=HEIGHT_PX, width_px=WIDTH_PX)).pixels)
        )
        executable = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        load_before = os.getloadavg()[0]
        with served(film) as address:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(PATIENCE_MS)
            page.goto(address)
            measured = measure(page)
        result = {
            "date": datetime.now(UTC).date().isoformat(),
            "machine": f"{platform.machine()}, {os.cpu_count()} threads, no GPU",
            "load_average_before_and_after": [round(load_before, 1), round(os.getloadavg()[0], 1)],
            "niceness": os.nice(0),
            "film": f"{WIDTH_PX} x {HEIGHT_PX} px, 16 bit, PNG",
            "versions": {"chromium": browser.version, "numpy": np.__version__},
            **measured,
        }
        browser.close()
    text = json.dumps(result, indent=1) + "\n"
    RESULT.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
