"""The list of indications in a real browser: its order, its filters, several at once, class by number."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from app.shared.viewer_rows import claim_data, kinds_by_class, known_kinds, severity_ranks
from core.domain.flaw_group import FlawGroup, GroupClaim, TypeHint, is_reported
from core.domain.indication import IndicationClass
from core.domain.kinds import Family
from tests.e2e.viewer_page import Shown, detection, open_viewer, run_pure, show

pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore::ResourceWarning")]

SHA = "ab" * 32
#: class, number, box, call and the rule's verdict of the indications 1, 2, ...
FOUND = [
    ("porosity", None, (10, 10, 20, 20), "open", "acceptable"),
    ("crack", None, (30, 10, 60, 14), "open", "not acceptable"),
    ("porosity", "2014", (10, 40, 50, 44), "open", "not evaluable"),
    ("porosity", None, (70, 40, 95, 60), "open", "not acceptable"),
    ("lack of fusion", None, (10, 70, 60, 74), "open", "not evaluable"),
    ("crack", None, (70, 70, 95, 74), "dismissed", None),
]


@pytest.fixture
def page(chromium: Browser):
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    yield context.new_page()
    context.close()
    assert not errors


def reading(version: int = 0, **changes: Any) -> dict[str, Any]:
    """What Python tells of an open reading of `FOUND`."""
    indications = [
        {
            "id": f"m{n}", "bbox": list(box), "class": name, "source": "model", "call": call,
            "model_index": n - 1, "probability": 0.9 - n / 20, "iso6520": code, "note": "",
        }
        for n, (name, code, box, call, _) in enumerate(FOUND, 1)
    ]  # fmt: skip
    verdicts = {
        f"m{n}": {"verdict": verdict, "reasons": [], "clauses": []}
        for n, (*_, verdict) in enumerate(FOUND, 1)
        if verdict
    }
    return {
        "inspection_id": "i1", "owner": "u1", "is_open": True, "state": "open", "is_revision": False,
        "version": version, "saved_at": None, "author": "", "indications": indications,
        "decision": {"version": 1, "disposition": None, "note": "", "saved_at": None, "author": ""},
        "operating_probability": 0.5,
        "judgement": {
            "verdict": "not acceptable", "withheld": [], "notes": [], "summary": "", "table": "",
            "version": "", "caveat": "", "indications": verdicts,
        },
        "judged_for": "rule 1", "kinds": kinds_by_class(Family.WELD), "numbers": known_kinds(Family.WELD),
        "severity": severity_ranks(), "reshoot_reasons": [], "image_quality": None, "srb_mm": None,
        "signatures": [], "may_sign": True, "why_not_sign": "", "may_revise": False, "report_url": None,
        "refused": {}, "route": None,
        **changes,
    }  # fmt: skip


def film() -> Shown:
    """A grey film with the model's boxes of `FOUND`."""
    boxes = [detection(n, box, 0.9 - n / 20) for n, (_, _, box, _, _) in enumerate(FOUND, 1)]
    return Shown(np.full((100, 120), 2000, np.uint16), detections=boxes)


def opened(page: Page) -> None:
    shown = film()
    open_viewer(page, shown)
    show(page, shown.data(reading=reading()))
    expect(page.locator(".panel[data-reading=open]")).to_be_visible()


def listed(page: Page) -> list[int]:
    return [
        int(n or 0) for n in page.locator("tr[data-n]").evaluate_all("rows => rows.map((r) => r.dataset.n)")
    ]


def picked(page: Page) -> list[int]:
    return [
        int(n or 0)
        for n in page.locator("tr[aria-selected=true]").evaluate_all("rows => rows.map((r) => r.dataset.n)")
    ]


def saved(page: Page) -> list[dict[str, Any]]:
    """The indications once every change was sent and answered, as the server does."""
    while page.locator(".saved-line").get_attribute("data-state") != "saved":
        sent = page.evaluate("window.reports.filter(([name]) => name === 'reading').at(-1)[1]")
        show(page, film().data(reading=reading(sent["base"] + 1, indications=sent["content"])))
    return page.evaluate("window.reports.filter(([name]) => name === 'reading').at(-1)[1].content")


def calls(page: Page) -> dict[str, str]:
    return {one["id"]: one["call"] for one in saved(page)}


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_what_the_rule_rejects_comes_first_then_planar_kinds_then_size(page: Page) -> None:
    opened(page)
    assert listed(page) == [2, 4, 5, 3, 1, 6]
    severity = page.locator("th[data-sort=severity]")
    expect(severity).to_have_attribute("aria-sort", "ascending")
    page.locator("th[data-sort=size] button").click()
    assert listed(page) == [5, 3, 2, 4, 6, 1]
    expect(page.locator("th[data-sort=size]")).to_have_attribute("aria-sort", "descending")
    expect(severity).to_have_attribute("aria-sort", "none")
    page.locator("th[data-sort=number] button").click()
    assert listed(page) == [1, 2, 3, 4, 5, 6]
    page.locator("th[data-sort=number] button").click()
    assert listed(page) == [6, 5, 4, 3, 2, 1]


def test_rows_stay_in_their_places_while_somebody_reads(page: Page) -> None:
    opened(page)
    press(page, ".", "n", "y")
    assert listed(page) == [2, 4, 5, 3, 1, 6]
    assert calls(page)["m2"] == "dismissed"
    expect(page.locator("tr[data-n='5']")).to_have_attribute("aria-selected", "true")
    show(page, film().data(reading=reading(9, indications=saved(page), judged_for="rule 2")))
    assert listed(page) == [4, 5, 3, 1, 2, 6]  # another rule: sorted anew, what was dismissed last


def test_filters_leave_rows_out_and_count_them(page: Page) -> None:
    opened(page)
    page.get_by_label("Filter by class").select_option("porosity")
    assert listed(page) == [4, 3, 1]
    expect(page.locator(".counts")).to_have_text("3 of 6 shown, 0 below, 3 not assessed")
    page.get_by_label("Filter by state").select_option("dismissed")
    assert listed(page) == []
    expect(page.locator(".empty")).to_have_text("Nothing passes the filters.")
    page.locator(".list-filters button").click()
    assert len(listed(page)) == 6
    expect(page.get_by_label("Filter by zone")).to_have_count(0)  # nobody said where the weld is


def test_y_and_n_go_on_to_the_next_that_is_not_assessed(page: Page) -> None:
    opened(page)
    press(page, "y")  # nothing is selected yet: the first one is
    assert picked(page) == [2]
    press(page, "y", "n", "y", "y", "y")
    assert {call: sum(c == call for c in calls(page).values()) for call in ("confirmed", "dismissed")} == {
        "confirmed": 4,
        "dismissed": 2,
    }
    assert calls(page)["m4"] == "dismissed"
    expect(page.locator(".told")).to_have_text("every indication on show is assessed")


def test_several_are_picked_and_called_in_one_step(page: Page) -> None:
    opened(page)
    page.locator("tr[data-n='4']").click()
    page.locator("tr[data-n='3']").click(modifiers=["Shift"])
    assert picked(page) == [4, 5, 3]
    page.locator("tr[data-n='5']").click(modifiers=["Control"])
    assert picked(page) == [4, 3]
    expect(page.locator(".bulk strong")).to_have_text("2 selected")
    press(page, "y")
    assert (calls(page)["m4"], calls(page)["m3"], calls(page)["m5"]) == ("confirmed", "confirmed", "open")
    press(page, "Control+z")
    assert set(calls(page).values()) == {"open", "dismissed"}
    press(page, "Control+a")
    assert len(picked(page)) == 6
    press(page, "n")
    assert set(calls(page).values()) == {"dismissed"}
    press(page, "Control+z")
    press(page, "Escape", ".", "Shift+Period", "Shift+Period")
    assert len(picked(page)) == 3


def test_what_was_judged_before_stays_when_all_are_confirmed_at_once(page: Page) -> None:
    opened(page)
    page.locator("tr[data-n='4']").click()
    press(page, "n")
    before = [name for name, call in calls(page).items() if call == "dismissed"]
    assert "m4" in before
    press(page, "Control+a", "y")
    after = calls(page)
    assert [name for name, call in after.items() if call == "dismissed"] == before
    assert set(after.values()) == {"dismissed", "confirmed"}
    expect(page.locator(".told")).to_contain_text(f"assessed before, left as they are: {len(before)}")
    press(page, "Control+a", "n")  # all are assessed: now all are meant
    assert set(calls(page).values()) == {"dismissed"}


def test_a_lasso_picks_what_it_encloses(page: Page) -> None:
    opened(page)
    place = page.locator(".stage > canvas").bounding_box()
    assert place
    left, right = place["x"] + 4, place["x"] + place["width"] - 4
    middle, bottom = place["y"] + place["height"] * 0.56, place["y"] + place["height"] - 4
    page.keyboard.down("Shift")
    page.mouse.move(left, middle)
    page.mouse.down()
    for x, y in ((right, middle), (right, bottom), (left, bottom)):
        page.mouse.move(x, y, steps=6)
    page.mouse.up()
    page.keyboard.up("Shift")
    assert sorted(picked(page)) == [5, 6]


def test_pores_are_grouped_as_one_and_stand_alone_again(page: Page) -> None:
    opened(page)
    page.locator("tr[data-n='4']").click()
    for n in (3, 1):
        page.locator(f"tr[data-n='{n}']").click(modifiers=["Control"])
    press(page, "j")
    expect(page.get_by_role("group", name="Group as")).to_be_visible()
    page.keyboard.type("2013")
    group = saved(page)[-1]
    assert (group["id"], group["class"], group["iso6520"], group["bbox"]) == (
        "h1", "porosity", "2013", [10, 10, 95, 60],
    )  # fmt: skip
    assert [one["id"] for one in saved(page) if one.get("group") == "h1"] == ["m1", "m3", "m4"]
    assert listed(page) == [2, 5, 7, 6]
    expect(page.locator("tr[data-n='7'] td:nth-child(2)")).to_have_text("porosity 2013 · 3 together")
    expect(page.locator(".preset")).to_have_value("1")  # no digit reached the window
    assert picked(page) == [7]
    press(page, "j")
    assert len(saved(page)) == 6
    assert not [one for one in saved(page) if one.get("group")]
    press(page, "Control+z")
    assert len(saved(page)) == 7


def test_a_crack_is_not_grouped_away_with_the_pores_around_it(page: Page) -> None:
    opened(page)
    press(page, "Control+a", "j")
    page.keyboard.type("2014")
    assert [one["id"] for one in saved(page) if one.get("group")] == ["m1", "m3", "m4"]
    assert calls(page)["m2"] == "open"
    expect(page.locator(".told")).to_have_text("left out of the group: 3 dismissed or of another kind")


def test_a_typed_number_is_the_class_and_reaches_nothing_else(page: Page) -> None:
    opened(page)
    press(page, ".", "e")
    picker = page.locator(".picker")
    page.keyboard.type("4021")
    expect(picker.get_by_role("option")).to_have_count(1)
    press(page, "Enter")
    expect(picker).to_be_hidden()
    changed = next(one for one in saved(page) if one["id"] == "m2")
    assert (changed["class"], changed["iso6520"], changed["call"]) == (
        "lack of penetration",
        "4021",
        "confirmed",
    )
    expect(page.locator(".preset")).to_have_value("1")

    press(page, "e")
    page.keyboard.type("20")
    press(page, "Enter")  # the beginning of a number is no number
    expect(picker.locator(".wrong")).to_have_text(
        "ISO 6520-1 no. 20 is not known here: choose from the list, or Esc."
    )
    page.keyboard.press("Control+a")
    page.keyboard.type("tung")
    press(page, "Enter")
    assert next(one for one in saved(page) if one["id"] == "m2")["iso6520"] == "3041"
    press(page, "e")
    row, box, dispositions = (
        page.locator(query).bounding_box() for query in ("tr[data-n='2']", ".picker", ".dispositions")
    )
    assert row
    assert box
    assert dispositions
    assert box["x"] + box["width"] <= row["x"]
    assert abs(box["y"] - row["y"]) < 2


def test_boxes_go_away_while_the_key_is_held_and_with_a_press(page: Page) -> None:
    opened(page)
    note = page.locator(".boxes-hidden")
    press(page, "o")
    expect(note).to_have_text("boxes hidden (o)")
    press(page, "o")
    expect(note).to_be_hidden()
    page.keyboard.down("o")
    expect(note).to_be_visible()
    page.wait_for_timeout(450)
    page.keyboard.up("o")
    expect(note).to_be_hidden()


def test_keys_work_wherever_the_focus_is_but_not_in_text(page: Page) -> None:
    opened(page)
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<button id=far>far</button><input id=text>')"
    )
    for place in ("#far", ".threshold", ".preset", "[role=tab][data-tab=verdict]"):
        page.locator(place).focus()
        press(page, "o")
        expect(page.locator(".boxes-hidden")).to_be_visible()
        press(page, "o")
        expect(page.locator(".boxes-hidden")).to_be_hidden()
    for place in ("#text", ".decision-note"):
        page.locator(place).focus()
        press(page, "o", "2")
        expect(page.locator(".boxes-hidden")).to_be_hidden()
    expect(page.locator(".preset")).to_have_value("1")


def test_a_selected_row_stays_in_sight_when_its_details_open(page: Page) -> None:
    page.set_viewport_size({"width": 1440, "height": 560})
    opened(page)
    page.locator("tr[data-n='6']").click()
    row, scroll = (
        page.locator(q).bounding_box() for q in ("tr[data-n='6']", "[data-tab=indications] .scroll")
    )
    assert row
    assert scroll
    assert scroll["y"] <= row["y"]
    assert row["y"] + row["height"] <= scroll["y"] + scroll["height"] + 1


@pytest.mark.parametrize(
    ("typed", "first"),
    [("402", "402"), ("2011", "2011"), ("cra", None), ("slag", "3011"), ("porosity linear", "2014")],
)
def test_what_is_typed_narrows_the_list(page: Page, typed: str, first: str | None) -> None:
    found = run_pure(
        page,
        ("radiograph_viewer/kind_picker.js",),
        "([kinds, text]) => matching(kindLines(kinds), text).map(({ code, group }) => code ?? group ?? null)",
        [kinds_by_class(Family.WELD), typed],
    )
    assert found[0] == (first or "100")


def claimed(n: int, claim: GroupClaim, probability: float, name: str = "unclassified") -> dict[str, Any]:
    """A box with a claim, as the viewer gets it."""
    found = {"class": name, "probability": probability, "claim": claim.to_dict()}
    box = (10.0 * n, 10.0, 10.0 * n + 8, 14.0)
    return detection(n, box, probability) | {"class": name, "iso6520": None, "claim": claim_data(found)}


def hint(name: IndicationClass, reliability: float) -> TypeHint:
    return TypeHint(name, reliability)


CLAIMS = [
    claimed(1, GroupClaim(FlawGroup.ROUNDED, 0.95, (hint(IndicationClass.POROSITY, 0.9),)), 0.9, "porosity"),
    claimed(2, GroupClaim(None, 0.4), 0.6),
    claimed(
        3,
        GroupClaim(
            FlawGroup.LINEAR,
            0.9,
            (hint(IndicationClass.CRACK, 0.45), hint(IndicationClass.LACK_OF_FUSION, 0.3)),
            0.5,
        ),
        0.3,
    ),
    claimed(4, GroupClaim(FlawGroup.LINEAR, 0.9, (hint(IndicationClass.CRACK, 0.7),)), 0.8, "crack"),
]


def claims_reading(claims: Sequence[dict[str, Any]] = CLAIMS, **changes: Any) -> dict[str, Any]:
    indications = [
        {
            "id": f"m{one['n']}", "bbox": one["box"], "class": one["class"], "source": "model",
            "call": "open", "model_index": one["n"] - 1, "probability": one["probability"],
            "iso6520": None, "note": "",
        }
        for one in claims
    ]  # fmt: skip
    nothing = {
        "verdict": "not assessed", "withheld": [], "notes": [], "summary": "", "table": "", "version": "",
        "caveat": "", "indications": {},
    }  # fmt: skip
    return reading(indications=indications, judgement=nothing, **changes)


#: Of each filter, how much wider its widest words are than its box.
CUT = """() => [...document.querySelectorAll(".list-filters select")].map((select) => {
  const box = select.offsetWidth;
  select.style.cssText = "flex: none; width: max-content";
  const words = select.offsetWidth;
  select.style.cssText = "";
  return Math.max(0, words - box);
})"""


@pytest.mark.parametrize("size", [(1440, 900), (1280, 800)], ids=["1440", "1280"])
def test_the_words_of_four_filters_are_whole(page: Page, size: tuple[int, int]) -> None:
    names = ("porosity", "lack of penetration", "lack of fusion", "inclusion", "crack", "undercut")
    groups = (FlawGroup.ROUNDED, FlawGroup.LINEAR, FlawGroup.DENSE, FlawGroup.EDGE, None, None)
    found = [
        claimed(n, GroupClaim(group, 0.9 if group else 0.4), 0.9, name)
        for n, (name, group) in enumerate(zip(names, groups, strict=True), 1)
    ]
    shown = Shown(np.full((100, 120), 2000, np.uint16), detections=found)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    open_viewer(page, shown)
    points = [[0, 5], [120, 5], [120, 40], [0, 40]]
    zone = {"word": "weld", "source": "found", "points": points, "is_band": True}
    show(page, shown.data(reading=claims_reading(found, zone=zone)))
    expect(page.locator(".list-filters select")).to_have_count(4)
    assert page.evaluate(CUT) == [0, 0, 0, 0]
    page.get_by_label("Filter by class").select_option("lack of penetration")
    expect(page.locator(".list-filters button")).to_be_visible()
    assert page.evaluate(CUT) == [0, 0, 0, 0], "beside the button that clears"
    bar = page.locator(".list-filters").bounding_box()
    assert bar
    assert bar["height"] <= 70, "no more than two lines"


def test_claimed_groups_stand_planar_first_in_the_words_of_the_field(page: Page) -> None:
    shown = Shown(np.full((100, 120), 2000, np.uint16), detections=CLAIMS)
    open_viewer(page, shown)
    show(page, shown.data(reading=claims_reading()))
    expect(page.locator(".panel[data-reading=open]")).to_be_visible()
    assert listed(page) == [3, 4, 2, 1], "linear first; alike in size, by number"
    words = [page.locator(f"tr[data-n='{n}'] td").nth(1) for n in (1, 2, 3, 4)]
    for cell, text in zip(
        words, ("rounded: porosity", "unclassified", "linear: crack?", "linear: crack"), strict=True
    ):
        expect(cell).to_have_text(text)
    expect(words[2]).to_have_attribute(
        "title",
        "Claimed by the model: linear: perhaps crack, perhaps lack of fusion. Of such claims of linear, "
        "90 in 100 are right; type, in 100: crack 45, lack of fusion 30.",
    )
    page.locator("tr[data-n='3']").click()
    expect(page.locator(".details-title")).to_have_text("3 · linear: perhaps crack, perhaps lack of fusion")
    page.keyboard.press("y")
    expect(words[2]).to_have_text("linear, type not specified")


def test_a_linear_one_is_reported_below_the_threshold_of_the_others(page: Page) -> None:
    shown = Shown(np.full((100, 120), 2000, np.uint16), detections=CLAIMS)
    open_viewer(page, shown)
    show(page, shown.data(threshold=0.6))
    assert sorted(listed(page)) == [1, 2, 3, 4]  # number 3 at 0.3, half of the threshold
    page.locator(".threshold").fill("0.62")
    assert sorted(listed(page)) == [1, 4]
    for threshold in (0.2, 0.6, 0.61, 0.9):
        found = run_pure(
            page,
            ("radiograph_viewer/kinds.js",),
            "([entries, threshold]) => entries.filter((one) => isReported(one, threshold)).map(({ n }) => n)",
            [CLAIMS, threshold],
        )
        assert found == [one["n"] for one in CLAIMS if is_reported(one, threshold)]
