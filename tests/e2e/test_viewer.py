"""The viewer in a real browser: figures against NumPy, OpenCV and the core; tools and keys by hand."""

import base64
import re
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from core.domain.radiograph import Polarity, Radiograph
from core.imaging.quality.noise import signal_to_noise
from tests.e2e.viewer_page import (
    ORIGIN,
    Shown,
    address_of,
    detection,
    open_viewer,
    run_pure,
    serve_viewer,
    show,
)
from tests.imaging.measuring import (
    calibrate_scale,
    contrast_to_noise,
    line_profile,
    measure_length,
    region_statistics,
)

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
PATIENCE_MS = 60_000  # for a busy machine
pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore::ResourceWarning")]

#: Turns base64 into samples, and runs a generator to its end.
PRELUDE = """
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const samples = ({ data, bits }) => bits === 8 ? bytes(data) : new Uint16Array(bytes(data).buffer);
  const run = (work) => { let step; do step = work.next(); while (!step.done); return step.value; };
"""
BOXES = [
    detection(1, (10, 10, 40, 40), 0.93),
    detection(2, (60, 20, 90, 50), 0.55),
    detection(3, (100, 60, 130, 90), 0.31),
]


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page that fails the test on any script error and on anything that the content policy stops."""
    errors: list[str] = []
    page = chromium.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(PATIENCE_MS)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console", lambda message: errors.append(message.text) if "Content Security" in message.text else None
    )
    yield page
    page.close()
    assert not errors


def film(height: int = 200, width: int = 300, dtype: type = np.uint16) -> np.ndarray:
    """A noisy ramp with a darker spot."""
    y, x = np.mgrid[:height, :width]
    ramp = 1000 + 6 * x + 3 * y - 700 * np.exp(-((x - 150) ** 2 + (y - 100) ** 2) / 200)
    noisy = ramp + np.random.default_rng(3).normal(0, 25, ramp.shape)
    return (noisy / 16 if dtype is np.uint8 else noisy).clip(0).astype(dtype)


def sent(pixels: np.ndarray) -> dict[str, object]:
    """Pixels as an argument of a JavaScript function."""
    data = base64.b64encode(np.ascontiguousarray(pixels).tobytes()).decode()
    return {
        "data": data,
        "bits": pixels.dtype.itemsize * 8,
        "width": pixels.shape[1],
        "height": pixels.shape[0],
    }


def radiograph(pixels: np.ndarray, polarity: Polarity = Polarity.DIGITAL) -> Radiograph:
    return Radiograph(pixels, 8 * pixels.dtype.itemsize, polarity, None, "ab" * 32, "PNG")


# --- what it computes ---------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_percentiles_are_those_of_numpy(page: Page, dtype: type) -> None:
    pixels, fractions = film(dtype=dtype), [0, 0.005, 0.1, 0.5, 0.995, 1]
    found = run_pure(
        page,
        ("radiograph/statistics.js",),
        f"({{ pixels, fractions }}) => {{ {PRELUDE} const counts = run(histogramOf(samples(pixels), 65536));"
        "return fractions.map((f) => percentileOf(counts, f)); }",
        {"pixels": sent(pixels), "fractions": fractions},
    )
    assert found == np.quantile(pixels, fractions, method="inverted_cdf").tolist()


@pytest.mark.parametrize(
    "box", [(10.0, 20.0, 90.0, 100.0), (0.4, 0.6, 1.4, 1.6), (-30.0, 150.0, 80.0, 900.0)]
)
def test_a_region_reads_the_same_as_in_the_core(page: Page, box: tuple[float, float, float, float]) -> None:
    pixels = film()
    found = run_pure(
        page,
        ("radiograph/statistics.js",),
        f"({{ pixels, box }}) => {{ {PRELUDE} const {{ width, height }} = pixels;"
        "const region = regionOf([box[2], box[1]], [box[0], box[3]], width, height);"
        "return regionStatistics(samples(pixels), width, region, { offset: 0, slope: 1 }); }",
        {"pixels": sent(pixels), "box": box},
    )
    expected = region_statistics(radiograph(pixels), box)
    assert found["n"] == expected.n_px
    assert found["mean"] == pytest.approx(expected.mean, rel=1e-12)
    assert found["sd"] == pytest.approx(expected.standard_deviation, rel=1e-9, abs=1e-9)
    assert (found["min"], found["max"]) == (expected.minimum, expected.maximum)


def test_a_region_without_a_pixel_centre_is_none(page: Page) -> None:
    assert (
        run_pure(page, ("radiograph/statistics.js",), "() => regionOf([5.6, 5.6], [6.4, 6.4], 50, 50)")
        is None
    )


@pytest.mark.parametrize("polarity", list(Polarity))
def test_noise_figures_are_those_of_the_core(page: Page, polarity: Polarity) -> None:
    pixels, one, other = film(), (10.0, 10.0, 95.0, 60.0), (180.0, 120.0, 260.0, 170.0)
    found = run_pure(
        page,
        ("radiograph/statistics.js", "radiograph/noise.js"),
        f"({{ pixels, boxes, polarity }}) => {{ {PRELUDE} const {{ width, height }} = pixels;"
        "const values = samples(pixels);"
        "const [one, other] = boxes.map((b) => levelAndNoise(values, width,"
        " regionOf([b[0], b[1]], [b[2], b[3]], width, height), { offset: 0, slope: 1, isFloat: false }));"
        "return { ...signalToNoise(one, { polarity, top: 65535, srbUm: 100, isFloat: false }),"
        " cnr: contrastToNoise(one, other) }; }",
        {"pixels": sent(pixels), "boxes": [one, other], "polarity": polarity.value},
    )
    expected = signal_to_noise(radiograph(pixels, polarity), one, srb_um=100.0)
    assert found["snr"] == pytest.approx(expected.snr, rel=1e-9)
    assert found["snrN"] == pytest.approx(expected.snr_n, rel=1e-9)
    assert found["cnr"] == pytest.approx(contrast_to_noise(radiograph(pixels), one, other), rel=1e-9)
    assert set(expected.remarks) <= set(found["remarks"])


@pytest.mark.parametrize("width_px", [1, 4, 15])
@pytest.mark.parametrize(
    "ends", [((20.3, 30.2), (250.1, 160.9)), ((50.0, 80.0), (50.0, 20.0)), ((-9.0, 5.0), (40.0, 5.0))]
)
def test_a_line_profile_is_that_of_the_core(
    page: Page, ends: tuple[tuple[float, float], tuple[float, float]], width_px: int
) -> None:
    pixels = film()
    found = run_pure(
        page,
        ("radiograph/statistics.js",),
        f"({{ pixels, a, b, bandPx }}) => {{ {PRELUDE} const {{ width, height }} = pixels;"
        "const p = sampleProfile(samples(pixels), width, height, { a, b, bandPx }, { offset: 0, slope: 1 });"
        "return { step: p.stepPx, values: [...p.samples].map((v) => Number.isFinite(v) ? v : null) }; }",
        {"pixels": sent(pixels), "a": ends[0], "b": ends[1], "bandPx": width_px},
    )
    positions, expected = line_profile(radiograph(pixels), *ends, width_px=width_px)
    values = np.array([np.nan if value is None else value for value in found["values"]])
    assert found["step"] == pytest.approx(positions[1])
    np.testing.assert_allclose(values, expected, rtol=1e-9)


def test_a_profile_reads_its_dip_like_a_duplex_wire(page: Page) -> None:
    read = "(values) => profileReading(Float64Array.from(values, (v) => v ?? NaN))"
    assert run_pure(page, ("radiograph/statistics.js",), read, [None, 60, 100, 40, 80, 50]) == {
        "low": 3,
        "high": 2,
        "dip": pytest.approx(100 / 180),
    }
    assert run_pure(page, ("radiograph/statistics.js",), read, [10, 60, 100])["dip"] is None
    assert run_pure(page, ("radiograph/statistics.js",), read, [None, None]) is None


@pytest.mark.parametrize(
    ("shape", "tiles"),
    [((200, 304), (8, 8)), ((199, 301), (8, 8)), ((200, 301), (5, 3)), ((64, 300), (7, 4))],
)
def test_clahe_is_that_of_opencv(page: Page, shape: tuple[int, int], tiles: tuple[int, int]) -> None:
    pixels = film(*shape, dtype=np.uint8)
    found = run_pure(
        page,
        ("radiograph/filters.js",),
        f"({{ pixels, tiles }}) => {{ {PRELUDE} const {{ width, height }} = pixels;"
        "return [...run(clahe(samples(pixels), width, height, { levels: 256, tilesX: tiles[0],"
        "tilesY: tiles[1], clip: 3, top: 255 }))]; }",
        {"pixels": sent(pixels), "tiles": tiles},
    )
    expected = cv2.createCLAHE(3.0, tiles).apply(pixels).astype(int)
    assert np.abs(np.array(found).reshape(shape) - expected).max() <= 1


def test_clahe_of_16_bits_is_that_of_opencv(page: Page) -> None:
    pixels = film()
    found = run_pure(
        page,
        ("radiograph/filters.js",),
        f"(pixels) => {{ {PRELUDE} return [...run(clahe(samples(pixels), pixels.width, pixels.height,"
        "{ levels: 65536, tilesX: 2, tilesY: 2, clip: 40, top: 65535 }))]; }",
        sent(pixels),
    )
    expected = cv2.createCLAHE(40.0, (2, 2)).apply(pixels).astype(int)
    assert np.abs(np.array(found).reshape(pixels.shape) - expected).max() <= 1


@pytest.mark.parametrize("side", [3, 31, 501])
def test_high_pass_takes_the_local_mean_away(page: Page, side: int) -> None:
    pixels = film()
    found = run_pure(
        page,
        ("radiograph/filters.js",),
        f"({{ pixels, side }}) => {{ {PRELUDE} const {{ width, height }} = pixels;"
        "return [...run(highPass(samples(pixels), width, height, { side, gain: 2 }))]; }",
        {"pixels": sent(pixels), "side": side},
    )
    sums, counts = (
        cv2.boxFilter(a, cv2.CV_64F, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT)
        for a in (pixels.astype(float), np.ones(pixels.shape))
    )
    expected = ((pixels - sums / counts) * 2 + 32768).clip(0, 65535)
    assert np.abs(np.array(found).reshape(pixels.shape) - expected).max() <= 0.5 + 1e-6


# --- its tools, by hand -------------------------------------------------------------------------


def drag(page: Page, start: tuple[float, float], end: tuple[float, float], *, button: str = "left") -> None:
    """Drag from one place to another, as fractions of the stage."""
    box = page.locator(".stage > canvas").bounding_box()
    assert box
    places = [(box["x"] + fx * box["width"], box["y"] + fy * box["height"]) for fx, fy in (start, end)]
    page.mouse.move(*places[0])
    page.mouse.down(button=button)  # type: ignore[arg-type]
    page.mouse.move(*places[1], steps=4)
    page.mouse.up(button=button)  # type: ignore[arg-type]


def press(page: Page, *keys: str) -> None:
    page.locator(".stage > canvas").focus()
    for key in keys:
        page.keyboard.press(key)


def row(page: Page, measure: str, name: str) -> str:
    """What a measure reads under a name."""
    return page.locator(f"[data-measure={measure}] dt", has_text=name).locator("+ dd").inner_text()


def test_a_length_is_told_in_px_until_a_scale_is_entered_and_then_in_mm_with_its_source(page: Page) -> None:
    open_viewer(page, Shown(film()))
    press(page, "d")
    drag(page, (0.3, 0.4), (0.6, 0.4))
    assert row(page, "L1", "scale") == "unknown: in px"
    length_px = float(page.locator("[data-measure=L1] .measure-title").inner_text().split()[-2])

    press(page, "k")
    drag(page, (0.3, 0.4), (0.6, 0.4))
    page.keyboard.type("25")
    expect(page.locator(".scale-result")).to_contain_text("entered by the user")
    page.keyboard.press("Enter")
    expect(page.locator("[data-measure=L1] .measure-title")).to_contain_text("25.00 mm")
    assert "entered by the user: 25 mm" in row(page, "L1", "scale")
    pitch, _ = calibrate_scale((0, 0), (length_px, 0), 25.0)
    expected = measure_length((0, 0), (length_px, 0), pitch=pitch)
    assert f"± {expected.uncertainty_mm:.2f} mm" in row(page, "L1", "within")
    ((name, event),) = page.evaluate("window.reports")
    assert name == "scale"
    assert event["mm_per_px"] == pytest.approx(25 / length_px, rel=1e-3)

    page.locator(".tabs [data-tab=measure]").click()
    page.locator(".scale-forget").click()
    assert row(page, "L1", "scale") == "unknown: in px"
    assert page.evaluate("window.reports").pop()[1]["mm_per_px"] is None


def test_measures_read_the_recorded_values_whatever_is_on_show(page: Page) -> None:
    open_viewer(
        page, Shown(film(), mm_per_px=0.05, pitch_source="object plane, calibrated (DICOM 0028,0030)")
    )
    press(page, "a")
    drag(page, (0.3, 0.2), (0.45, 0.5))
    drag(page, (0.6, 0.2), (0.75, 0.5))
    press(page, "x")
    drag(page, (0.3, 0.6), (0.7, 0.7))
    before = page.locator(".measures").inner_text()
    assert "to R1" in row(page, "R2", "CNR")
    assert row(page, "R2", "SNRn") == "not normalised: SRb unknown"
    assert "object plane" in row(page, "R2", "size")
    assert page.locator("[data-measure=P1] .profile-plot").is_visible()
    press(page, "f")
    expect(page.locator(".shown-as")).to_have_text("CLAHE")
    press(page, "i", "h", "r")  # to the right after the flip is to the left before it
    expect(page.locator(".shown-as")).to_have_text("CLAHE · inverted · rotated 270° · flipped h")
    assert page.locator(".measures").inner_text() == before
    press(page, "f")
    expect(page.locator(".shown-as")).to_contain_text("high-pass 31 px")
    press(page, "Space")
    expect(page.locator(".shown-as")).to_be_hidden()


def test_an_snr_is_normalised_only_when_the_spatial_resolution_is_known(page: Page) -> None:
    open_viewer(page, Shown(film(), srb_um=100.0))
    press(page, "a")
    drag(page, (0.3, 0.2), (0.45, 0.5))
    assert "(SRb 100 µm)" in row(page, "R1", "SNRn")


def test_measures_can_be_moved_deleted_and_brought_back(page: Page) -> None:
    open_viewer(page, Shown(film()))
    press(page, "d")
    drag(page, (0.4, 0.4), (0.5, 0.4))
    press(page, "Escape")
    drag(page, (0.5, 0.4), (0.6, 0.4))
    title = page.locator("[data-measure=L1] .measure-title")
    longer = title.inner_text()
    press(page, "Control+z")
    assert float(longer.split()[-2]) == pytest.approx(2 * float(title.inner_text().split()[-2]), rel=0.02)
    press(page, "Control+y")
    expect(title).to_have_text(longer)
    press(page, "Delete")
    expect(page.locator(".measure")).to_have_count(0)
    press(page, "Control+z")
    expect(title).to_have_text(longer)


def test_a_length_can_be_drawn_without_a_mouse(page: Page) -> None:
    open_viewer(page, Shown(film()))
    press(page, "d", "ArrowRight", "Enter", "Shift+ArrowRight", "Shift+ArrowRight", "ArrowRight", "Enter")
    expect(page.locator("[data-measure=L1] .measure-title")).to_have_text("L1 · length 21.0 px")
    assert "L1 21.0 px" in page.locator(".said").inner_text()


def test_view_window_and_measures_survive_a_reload(page: Page) -> None:
    shown = Shown(film())
    open_viewer(page, shown)
    press(page, "a")
    drag(page, (0.3, 0.2), (0.45, 0.5))
    press(page, "w")
    drag(page, (0.45, 0.4), (0.55, 0.6))
    press(page, "+")
    kept = [page.locator(css).inner_text() for css in (".wl", ".zoom", ".measures")]
    expect(page.locator(".preset")).to_have_value("own")
    page.wait_for_timeout(300)
    page.reload()
    show(page, shown.data())
    page.locator(".bench[data-ready='1']").wait_for()
    assert [page.locator(css).inner_text() for css in (".wl", ".zoom")] == kept[:2]
    page.locator(".tabs [data-tab=measure]").click()
    assert page.locator(".measures").inner_text() == kept[2]


def test_a_window_from_a_region_holds_its_percentiles(page: Page) -> None:
    pixels = np.full((100, 100), 500, np.uint16)
    pixels[:, 50:] = np.linspace(1000, 2000, 50, dtype=np.uint16)
    open_viewer(page, Shown(pixels))
    press(page, "w")
    drag(page, (0.52, 0.1), (0.99, 0.9))
    low, high = np.quantile(pixels[:, 55:], 0, method="inverted_cdf"), 2000
    words = page.locator(".wl").inner_text().split()
    assert float(words[1]) <= high - 1000
    assert low - 150 < float(words[3]) < high


def test_the_edges_of_the_histogram_move_the_window_by_keys_and_by_hand(page: Page) -> None:
    open_viewer(page, Shown(film()))
    press(page, "t")
    lower = page.get_by_role("slider", name="Lower edge of the window")
    before = float(lower.get_attribute("aria-valuenow") or "nan")
    lower.focus()
    page.keyboard.press("Shift+ArrowRight")
    assert float(lower.get_attribute("aria-valuenow") or "nan") > before
    upper = page.get_by_role("slider", name="Upper edge of the window")
    spot = upper.bounding_box()
    assert spot
    was = page.locator(".wl").inner_text()
    page.mouse.move(spot["x"] + 6, spot["y"] + 40)
    page.mouse.down()
    page.mouse.move(spot["x"] - 60, spot["y"] + 40, steps=3)
    page.mouse.up()
    assert page.locator(".wl").inner_text() != was


def test_what_is_below_the_threshold_is_listed_apart_and_only_when_asked_for(page: Page) -> None:
    open_viewer(page, Shown(film(), detections=BOXES))
    expect(page.locator("tr[data-n]")).to_have_count(2)
    press(page, "u")
    expect(page.locator("tbody.shown tr[data-n]")).to_have_count(2)
    expect(page.locator("tbody.below tr[data-n]")).to_have_count(1)
    expect(page.locator(".below-head")).to_have_text("below 0.50: not reported")
    expect(page.locator(".shown-as")).to_have_text("1 below the threshold shown")
    assert page.locator(".counts").inner_text() == "2 shown, 1 below"
    assert page.locator(".panel").get_attribute("data-shown") == "2"
    press(page, ",")
    expect(page.locator("tr[data-n='3']")).to_have_attribute("aria-selected", "true")
    press(page, "u")
    expect(page.locator("tr[data-n]")).to_have_count(2)
    expect(page.locator(".details")).to_be_hidden()


def test_indications_have_words_for_those_who_do_not_see_them(page: Page) -> None:
    open_viewer(page, Shown(film(), mm_per_px=0.1, pitch_source="detector plane", detections=BOXES))
    words = "indication 1, crack, probability 0.93, 3.0 mm, at x 25 y 25"
    expect(page.locator("tr[data-n='1']")).to_have_attribute("aria-label", words)
    press(page, ".")
    expect(page.locator(".said")).to_have_text(words)


def test_a_map_is_shown_for_the_selected_box_as_colours_or_contours(page: Page) -> None:
    open_viewer(page, Shown(film(), detections=BOXES))
    press(page, ".", "g")
    expect(page.locator(".map-note")).to_contain_text("map of 1")
    expect(page.locator(".bench")).to_have_attribute("data-map", "1")
    expect(page.locator(".contour")).to_have_attribute("aria-pressed", "true")  # the box is small
    press(page, "c")
    expect(page.locator(".contour")).to_have_attribute("aria-pressed", "false")
    press(page, "g")
    expect(page.locator(".map-look")).to_be_hidden()


def test_a_map_may_be_made_otherwise_and_says_how_far_to_believe_it(page: Page) -> None:
    open_viewer(page, Shown(film(), detections=BOXES))
    press(page, ".", "g")
    belief = page.locator(".belief")
    expect(belief).to_have_text("believe it?")
    belief.click()
    expect(belief).to_have_text("weak")
    press(page, "Shift+c")
    expect(page.locator(".map-method")).to_have_value("integrated")
    expect(page.locator(".map-note")).to_contain_text("orange raised its score, blue lowered it")
    expect(belief).to_have_text("believe it?")
    page.locator(".map-method").select_option("gradcam")
    expect(belief).to_have_text("weak")


def test_the_first_map_is_that_of_the_version_and_a_choice_is_kept_until_it_changes(page: Page) -> None:
    image = Shown(film(), detections=BOXES)
    open_viewer(page, image)
    method, other = page.locator(".map-method"), ["integrated", "gradcam", "perturbed", "pooled"]
    maps = {"order": other, "standing": "", "passed": None, "trust": ""}
    show(page, image.data(maps=maps, result_id="measured"))
    press(page, ".", "g")
    expect(method).to_have_value("integrated")
    expect(page.locator(".map-note")).to_contain_text("orange raised its score")
    expect(page.locator(".get-map-png")).to_have_attribute("href", re.compile("method=integrated"))
    press(page, "Shift+c")
    expect(method).to_have_value("gradcam")
    expect(page.locator(".get-map-png")).to_have_attribute("href", re.compile("method=gradcam"))
    show(page, image.data(maps=maps, result_id="again"))
    expect(method).to_have_value("gradcam")
    show(page, image.data(maps={**maps, "order": sorted(other)}, result_id="another version"))
    show(page, image.data(maps=maps, result_id="and back"))
    expect(method).to_have_value("integrated")


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        ([], "no method passes for this version"),
        (["integrated"], "this method does not pass for this version"),
    ],
)
def test_a_map_of_a_version_that_did_not_pass_says_so(page: Page, passed: list[str], said: str) -> None:
    image = Shown(film(), detections=BOXES)
    open_viewer(page, image)
    maps = {"standing": "measured on 300 boxes", "passed": passed, "trust": ""}
    show(page, image.data(maps=maps, result_id="measured"))
    press(page, ".", "g")
    expect(page.locator(".map-note")).to_contain_text(said)
    if passed:
        press(page, "Shift+c")
        expect(page.locator(".map-note")).not_to_contain_text("does not pass")


def test_the_selected_box_says_what_becomes_of_it_without_its_region_when_asked(page: Page) -> None:
    open_viewer(page, Shown(film(), detections=BOXES))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/without" in request.url else None)
    press(page, ".")
    words = page.locator(".without-words")
    expect(page.locator(".without")).to_be_visible()
    expect(words).to_have_text("")
    press(page, "Shift+g")
    expect(words.locator("span").first).to_have_text(
        "without this region the probability falls from 0.93 to 0.07"
    )
    expect(words).to_contain_text("of the 10 most similar, 8 confirmed")
    press(page, ".")
    expect(words).to_have_text("")
    press(page, ",")
    expect(words).to_contain_text("0.07")
    assert len(asked) == 1


def test_the_tool_strip_is_one_tab_stop_and_arrows_move_within_it(page: Page) -> None:
    open_viewer(page, Shown(film()))
    stops = page.locator(".tools button, .tools select")
    assert page.locator(".tools [tabindex='0']").count() == 1
    page.locator(".tools [tabindex='0']").focus()
    for i in range(stops.count()):
        expect(stops.nth(i)).to_be_focused()
        name = stops.nth(i).get_attribute("aria-label") or stops.nth(i).inner_text()
        assert name.strip()
        page.keyboard.press("ArrowRight")
    expect(stops.first).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(page.locator(".keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".keys")).to_be_hidden()


def test_the_key_list_is_the_key_table_and_every_key_does_something(page: Page) -> None:
    open_viewer(page, Shown(film(), detections=BOXES, batch=("zero", "one", "two")))
    press(page, "?")
    listed = [text.strip() for text in page.locator(".keys dt, .keys dd").all_inner_texts()]
    press(page, "?")
    table, actions = page.evaluate(
        "async (address) => { const keys = (await import(address)).KEYS.filter((k) => !k.isLabelling);"
        " return [keys.flatMap(({ shows, does }) => [shows, does]),"
        " keys.flatMap((k) => Object.values(k.keys))]; }",
        address_of("radiograph_viewer/keys.js"),
    )
    assert listed == table
    tools = page.locator("[data-tool]").evaluate_all("list => list.map((b) => `tool:${b.dataset.tool}`)")
    known = {*tools, "point", "delete", "undo", "redo", *(f"preset{n}" for n in range(1, 6))}
    source = page.evaluate(
        "async (address) => (await import(address)).actionsOf.toString()",
        address_of("radiograph_viewer/actions.js"),
    )
    assert [
        name
        for name in actions
        if name not in known and f"{name}:" not in source and f"{name}," not in source
    ] == []


@pytest.mark.parametrize(
    ("key", "where", "says"),
    [
        ("h", ".shown-as", "flipped h"), ("v", ".shown-as", "flipped v"), ("r", ".shown-as", "rotated 90°"),
        ("l", ".shown-as", "rotated 270°"), ("i", ".shown-as", "inverted"), ("z", ".zoom", "100 %"),
    ],
)  # fmt: skip
def test_a_key_changes_the_view_and_space_brings_it_back(page: Page, key: str, where: str, says: str) -> None:
    open_viewer(page, Shown(film(60, 60)))
    before = page.locator(where).inner_text()
    press(page, key)
    expect(page.locator(where)).to_have_text(says)
    press(page, "Space")
    expect(page.locator(where)).to_have_text(before)


@pytest.mark.parametrize(("key", "to"), [("ArrowRight", "two"), ("ArrowLeft", "zero")])
def test_arrows_ask_for_the_next_image(page: Page, key: str, to: str) -> None:
    open_viewer(page, Shown(film(), batch=("zero", "one", "two")))
    press(page, key)
    assert page.evaluate("window.reports") == [["open", to]]


def test_the_magnifier_is_there_while_its_key_is_held(page: Page) -> None:
    open_viewer(page, Shown(film()))
    canvas = page.locator(".stage > canvas")
    canvas.hover()
    canvas.focus()
    page.wait_for_timeout(100)
    plain = canvas.screenshot()
    page.keyboard.down("m")
    page.wait_for_timeout(100)
    assert canvas.screenshot() != plain
    page.keyboard.up("m")
    page.wait_for_timeout(100)
    assert canvas.screenshot() == plain


def test_a_large_film_shows_a_preview_first_and_says_so(page: Page) -> None:
    shown = Shown(np.tile(film(500, 1000), (2, 2)))
    open_viewer(page, Shown(film(), sha256="cd" * 32), shown)
    page.evaluate(
        """() => {
          const bench = document.querySelector(".bench");
          const words = bench.querySelector(".shown-as");
          const note = () => window.seen.push([bench.dataset.ready, words.textContent]);
          window.seen = [];
          new MutationObserver(note).observe(bench, { attributes: true, subtree: true, childList: true });
        }"""
    )
    show(page, shown.data())
    page.locator(".bench[data-ready='preview'], .bench[data-ready='1']").wait_for()
    page.locator(".bench[data-ready='1']").wait_for()
    seen = page.evaluate("window.seen")
    assert ["preview", "preview, full depth is loading"] in seen
    assert seen[-1] == ["1", ""]


def test_float_radiographs_read_in_their_own_values(page: Page) -> None:
    pixels = np.linspace(-1.0, 1.0, 40_000, dtype=np.float32).reshape(200, 200)
    open_viewer(page, Shown(pixels))
    press(page, "a")
    drag(page, (0.2, 0.01), (0.8, 0.99))
    assert abs(float(row(page, "R1", "mean").split(",")[0])) < 0.02


def test_what_was_chosen_on_the_preview_stays_when_full_depth_comes(page: Page) -> None:
    shown = Shown(np.tile(film(500, 1000), (2, 2)))
    serve_viewer(page, shown)
    held: list[Route] = []
    page.route(f"**/pixels/{shown.sha256}", lambda route: held.append(route))
    page.goto(f"{ORIGIN}/")
    show(page, shown.data())
    page.locator(".bench[data-ready=preview]").wait_for()
    drag(page, (0.4, 0.5), (0.5, 0.5))
    assert "=" not in page.locator(".at").inner_text()
    press(page, "i", "t")
    page.get_by_role("slider", name="Lower edge of the window").press("ArrowRight")
    kept = page.locator(".wl").inner_text()
    while not held:
        page.wait_for_timeout(20)
    held[0].fallback()
    page.locator(".bench[data-ready='1']").wait_for()
    assert page.locator(".wl").inner_text() == kept
    expect(page.locator(".preset")).to_have_value("own")
    expect(page.locator(".shown-as")).to_have_text("inverted")


def _labelled(shown: Shown, note: str = "") -> dict[str, object]:
    """An image in the label editor, as Python tells it."""
    return shown.data(
        reading={
            "inspection_id": f"labels-{shown.sha256}",
            "is_labelling": True,
            "owner": "u-1",
            "is_open": True,
            "version": 3,
            "saved_at": None,
            "author": "",
            "content": {"labels": [], "refused": [], "note": note},
            "kinds": {},
            "items": [],
            "others": [],
            "has_next": True,
            "refused": {},
        }
    )


def test_what_is_typed_belongs_to_the_image_it_was_typed_for(page: Page) -> None:
    first, second = Shown(film()), Shown(film(), sha256="ba" * 32)
    serve_viewer(page, first, second)
    page.goto(f"{ORIGIN}/")
    show(page, _labelled(first))
    page.locator(".bench[data-ready='1']").wait_for()
    note = page.locator(".decision-note")
    note.press_sequentially("dust in the corner")
    show(page, _labelled(second, "clean"))
    expect(page.locator(".stage > canvas")).to_be_focused()  # keys mean the image on show
    expect(note).to_have_value("clean")
    page.wait_for_timeout(1500)  # longer than a note waits for the next letter
    saved = [said for name, said in page.evaluate("reports") if name == "reading"]
    assert [(one["inspection_id"], one["content"]["note"]) for one in saved] == [
        (f"labels-{first.sha256}", "dust in the corner")
    ]
