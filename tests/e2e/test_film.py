"""Long films: the overview, walking along them, what was seen at 1:1 or more."""

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from core.domain.seen import seen_from
from core.domain.zone import Zone
from tests.e2e.test_listing import film, reading
from tests.e2e.viewer_page import Shown, detection, open_viewer, run_pure, show

pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore::ResourceWarning")]


@pytest.fixture
def page(chromium: Browser):
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    yield context.new_page()
    context.close()
    assert not errors


FILM = Shown(np.random.default_rng(3).integers(0, 255, (400, 3000), dtype=np.uint8))


def test_the_viewer_and_the_server_read_the_same_cells_and_the_same_share(page: Page) -> None:
    text, share = run_pure(
        page,
        ("radiograph_viewer/seen_grid.js",),
        """() => {
          const grid = new SeenGrid(3000, 400);
          grid.mark([100, 0, 1500, 300]);
          grid.mark([2000, 60, 3000, 400]);
          return [grid.text, grid.share];
        }""",
    )
    seen = seen_from(text, 3000, 400)
    assert seen.share() == pytest.approx(share)
    assert seen.cells[0, 2]  # 128 to 192 px lies within what was shown
    assert not seen.cells[0, 1]  # 64 to 128 px does not


@pytest.mark.parametrize("size", [[3000, 400], [400, 3000], [5000, 1300], [900, 600]])
def test_a_walk_shows_every_point_once_at_least_and_comes_back_the_same_way(
    page: Page, size: list[int]
) -> None:
    covered, there, back = run_pure(
        page,
        ("radiograph_viewer/walk.js",),
        """(image) => {
          const view = [980, 640];
          const seen = new Uint8Array(Math.ceil(image[0] / 10) * Math.ceil(image[1] / 10));
          const wide = Math.ceil(image[0] / 10);
          const there = [];
          for (let at = firstStop({ image, view }); at; at = nextStop({ image, view, at, by: 1 })) {
            there.push(at);
            for (let i = 0; i < seen.length; i += 1) {
              const [x, y] = [(i % wide) * 10 + 5, Math.floor(i / wide) * 10 + 5];
              if (Math.abs(x - at[0]) <= view[0] / 2 && Math.abs(y - at[1]) <= view[1] / 2) seen[i] = 1;
            }
          }
          const back = [];
          for (let at = there.at(-1); at; at = nextStop({ image, view, at, by: -1 })) back.push(at);
          return [seen.every(Boolean), there, back];
        }""",
        size,
    )
    assert covered
    assert back == there[::-1]


def test_page_down_walks_a_film_to_its_end_and_all_of_it_is_seen(page: Page) -> None:
    open_viewer(page, FILM)
    show(page, FILM.data(reading=reading(seen="")))
    assert page.locator(".overview").is_visible()
    for _ in range(5):
        page.keyboard.press("PageDown")
        page.wait_for_timeout(500)
    page.locator(".seen").filter(has_text="100 %").wait_for()
    assert "end of the film" in (page.locator(".told").text_content() or "")
    page.wait_for_timeout(4_200)  # changes are reported together
    report = page.evaluate("window.reports.findLast(([name]) => name === 'seen')[1]")
    assert report["inspection_id"] == reading()["inspection_id"]
    assert seen_from(report["cells"], 3000, 400).share() == 1


def test_a_picture_that_is_not_long_has_no_overview_and_arrows_stay_with_the_images(page: Page) -> None:
    open_viewer(page, Shown(np.zeros((300, 400), np.uint8), batch=("one", "two")))
    assert page.locator(".overview").is_hidden()
    page.keyboard.press("z")
    page.keyboard.press("ArrowRight")
    assert ["open", "two"] in page.evaluate("window.reports")


BAND = {
    "points": [[0, 5], [120, 5], [120, 60], [0, 60]],
    "is_band": True,
    "source": "found",
    "word": "weld",
}


def test_the_viewer_and_the_server_agree_on_what_lies_in_a_zone(page: Page) -> None:
    rng = np.random.default_rng(4)
    corners = rng.uniform(0, 100, (300, 2))
    boxes = np.hstack([corners, corners + rng.uniform(1, 20, (300, 2))]).tolist()
    points = [[10.0, 10.0], [90.0, 30.0], [60.0, 50.0], [95.0, 90.0], [20.0, 80.0]]
    found = run_pure(
        page,
        ("radiograph/zone_layer.js",),
        "([points, boxes]) => boxes.map((box) => holds({ points }, box))",
        [points, boxes],
    )
    zone = Zone(tuple((x, y) for x, y in points))
    assert found == [zone.holds(box) for box in boxes]
    assert 0 < sum(found) < 300


def test_calls_outside_the_weld_stand_apart_and_go_in_one_step_that_can_be_taken_back(page: Page) -> None:
    shown = film()
    open_viewer(page, shown)
    show(page, shown.data(reading=reading(zone=BAND)))
    apart = page.locator("tbody.apart tr[data-n]")
    assert apart.evaluate_all("rows => rows.map((row) => row.dataset.n)") == ["5", "6"]
    assert "2 outside the weld" in (page.locator(".apart-head").text_content() or "")
    page.keyboard.press("Control+Delete")
    calls = saved_calls(page)
    assert (calls["m5"], calls["m4"]) == ("dismissed", "open")
    page.keyboard.press("Control+z")
    page.keyboard.press("ArrowDown")
    assert page.locator("tr[data-n='5']").get_attribute("data-call") == "open"


def test_an_edge_of_the_zone_is_dragged_and_no_zone_is_said_in_one_click(page: Page) -> None:
    shown = film()
    open_viewer(page, shown)
    show(page, shown.data(reading=reading(zone=BAND)))
    page.keyboard.press("0")
    frame = page.locator(".stage canvas").bounding_box()
    assert frame
    zoom = min((frame["width"] - 8) / 120, (frame["height"] - 8) / 100)
    x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2 + (60 - 50) * zoom
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y + 10 * zoom, steps=4)
    page.mouse.up()
    sent = page.evaluate("window.reports.findLast(([name]) => name === 'zone')[1]")
    assert sent["points"] == [[0, 5], [120, 5], [120, 70], [0, 70]]
    assert sent["is_band"]
    page.get_by_role("button", name="No zone").click()
    sent = page.evaluate("window.reports.findLast(([name]) => name === 'zone')[1]")
    assert sent["points"] == []
    assert page.locator("tbody.apart tr").count() == 0


def saved_calls(page: Page) -> dict[str, str]:
    content = page.evaluate("window.reports.findLast(([name]) => name === 'reading')[1].content")
    return {one["id"]: one["call"] for one in content}


STRIPS = """([image, screen, edges, isReversed]) => {
  const band = edges && { extentWithin: (from, to) => [edges[0] + from / 50, edges[1] + to / 50] };
  return wrapped({ image, screen, band, isReversed });
}"""


@pytest.mark.parametrize("is_reversed", [False, True])
def test_strips_hold_the_whole_length_overlap_and_keep_the_weld_within_their_rows(
    page: Page, is_reversed: bool
) -> None:
    found = run_pure(
        page, ("radiograph/strips.js",), STRIPS, [[4942, 1325], [1070, 674], [430, 1020], is_reversed]
    )
    strips = found["strips"][::-1] if is_reversed else found["strips"]
    assert len(strips) == 2
    assert found["zoom"] > 1.3 * 1062 / 4942
    assert strips[0]["from"] == 0
    assert strips[-1]["to"] == pytest.approx(4942)
    for one in strips:
        assert (one["to"] - one["from"]) * found["zoom"] <= 1070
        weld = (1020 + one["to"] / 50) - (430 + one["from"] / 50)
        assert weld * found["zoom"] <= one["bottom"] - one["top"] + 1e-6
    assert strips[0]["to"] > strips[1]["from"]


def test_a_film_that_strips_make_hardly_larger_stays_in_one_piece(page: Page) -> None:
    whole, long = (
        run_pure(page, ("radiograph/strips.js",), STRIPS, [image, [1070, 674], None, False])
        for image in ([4942, 1325], [5000, 500])
    )
    assert whole is None
    assert len(long["strips"]) == 2


@pytest.mark.parametrize("turned", [{}, {"flipH": True}, {"flipV": True}, {"turns": 2}])
def test_every_point_of_the_screen_is_the_point_of_the_image_that_is_shown_there(
    page: Page, turned: dict
) -> None:
    errors, order = run_pure(
        page,
        ("radiograph/viewport.js",),
        """(turned) => {
          const viewport = new Viewport(() => {});
          Object.assign(viewport, { size: [1070, 674], image: [5000, 500], mayWrap: true });
          viewport.state = { ...Viewport.start(), ...turned };
          viewport.fit();
          const errors = [];
          viewport.inEachPane(([left, top, right, bottom]) => {
            const middle = [(left + right) / 2, (top + bottom) / 2];
            for (const [x, y] of [[left + 9, top + 9], [right - 9, bottom - 9], middle]) {
              const [px, py] = viewport.pointToScreen(viewport.toImage(x, y));
              errors.push(Math.hypot(px - x, py - y));
            }
          });
          const middles = viewport.panes.map(([, top, , bottom]) => (top + bottom) / 2);
          return [errors, middles.map((y) => viewport.toImage(500, y)[0])];
        }""",
        turned,
    )
    assert len(errors) == 6
    assert max(errors) < 1e-3
    runs_back = turned in ({"flipH": True}, {"turns": 2})
    assert order == sorted(order, reverse=runs_back)


def test_a_box_in_the_second_strip_is_selected_where_it_is_seen_and_one_more_fit_shows_one_piece(
    page: Page,
) -> None:
    boxes = [detection(1, (200, 100, 240, 130), 0.9), detection(2, (2700, 200, 2740, 240), 0.8)]
    long = Shown(np.full((300, 3000), 90, np.uint8), detections=boxes)
    open_viewer(page, long)
    note = page.locator(".shown-as")
    assert "in 2 strips" in (note.text_content() or "") or "in 3 strips" in (note.text_content() or "")
    frame = page.locator(".stage canvas").bounding_box()
    assert frame
    found = False
    for y in range(int(frame["y"] + frame["height"] * 0.5), int(frame["y"] + frame["height"]), 8):
        page.mouse.move(frame["x"] + frame["width"] * 0.75, y)
        at = (page.locator(".at").text_content() or "").split()
        if len(at) > 3 and 205 <= int(at[3]) <= 235:
            found = True
            scale = (2720 - int(at[1])) * float((page.locator(".zoom").text_content() or "").split()[0]) / 100
            page.mouse.click(frame["x"] + frame["width"] * 0.75 + scale, y)
            break
    assert found
    assert page.locator("tr[data-n='2']").get_attribute("aria-selected") == "true"
    page.keyboard.press("=")
    page.locator(".shown-as").wait_for(state="hidden")
    page.keyboard.press("=")
    note.filter(has_text="strips").wait_for()


def test_points_are_known_while_the_next_film_is_loading(page: Page) -> None:
    is_cut = run_pure(
        page,
        ("radiograph/viewport.js",),
        """() => {
          const viewport = new Viewport(() => {});
          Object.assign(viewport, { size: [1070, 674], image: [5000, 500], mayWrap: true });
          viewport.state = Viewport.start();
          viewport.fit();
          const before = Boolean(viewport.strips);
          viewport.image = null;  // as `Stage.hide` leaves it
          viewport.isOnShow([10, 10, 20, 20]);
          return [before, Boolean(viewport.strips)];
        }""",
    )
    assert is_cut == [True, False]
