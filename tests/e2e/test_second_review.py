"""The second person in a real browser: blind, side by side, signed; one's own is closed."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from core.domain.accounts import Identity, Role
from core.domain.records import Disposition
from core.services.inspections.inspection_record import InspectionRecord
from tests.e2e.inspected import PASSWORD, add_person, inspect, services_of, sign, signed_in
from tests.e2e.serving import Served, served

pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore::ResourceWarning")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The product with one reviewer and two signed inspections, one of them the reviewer's own."""
    with served(tmp_path_factory.mktemp("served")) as running:
        with services_of(running) as services:
            reviewer = add_person(services, "r.view", Role.REVIEWER)
            for number, who in enumerate((add_person(services, "a.film", Role.INSPECTOR), reviewer)):
                sign(services, who, inspect(services, who, number, f"vessel-{number}"))
        yield running


def record(server: Served, inspection_id: str) -> InspectionRecord:
    with services_of(server) as services:
        anybody = Identity("u-0", "anybody", Role.INSPECTOR)
        return services.workspace.records.get(anybody, inspection_id)


def draw_box(page: Page) -> None:
    """One indication in the middle of the radiograph, a crack."""
    canvas = page.locator(".stage > canvas")
    canvas.focus()
    page.keyboard.press("b")
    place = canvas.bounding_box()
    assert place is not None
    x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 90, y + 50, steps=4)
    page.mouse.up()
    expect(page.locator(".picker")).to_be_visible()
    page.keyboard.type("crack")
    page.keyboard.press("Enter")
    expect(page.locator(".picker")).to_be_hidden()


def test_blind_then_both_then_signed(chromium: Browser, server: Served) -> None:
    with signed_in(chromium, server, "r.view", "/second-review") as page:
        rows = page.locator(".records tbody tr")
        expect(rows).to_have_count(1)
        expect(rows.first).to_contain_text("vessel-0")
        expect(rows.first).not_to_contain_text("reject")
        rows.first.locator("a").focus()
        page.keyboard.press("Enter")
        expect(page.locator(".bench[data-ready='1']")).to_be_visible()
        expect(page.locator(".empty")).to_contain_text("Nothing drawn yet")
        expect(page.locator(".threshold-row")).to_be_hidden()
        expect(page.locator(".sign")).to_have_text("Compare")
        expect(page.locator(".sign")).to_be_disabled()

        draw_box(page)
        page.locator("[data-disposition=accept]").click()
        expect(page.locator(".sign")).to_be_enabled()
        page.reload()
        expect(page.locator(".panel[data-shown='1']")).to_be_visible()
        expect(page.locator("[data-disposition=accept]")).to_have_attribute("aria-pressed", "true")

        page.locator(".sign").click()
        both = page.locator(".pair[data-ready='1']")
        expect(both).to_be_visible()
        expect(page.locator(".place")).to_have_count(2)
        expect(page.locator(".place[aria-selected=true]")).to_contain_text("1 crack")
        zoom = page.locator(".pair .zoom")
        before = zoom.inner_text()
        page.locator(".place").nth(1).click()
        expect(page.locator(".side[data-side=second] .note")).to_have_text("nothing reported at this place")
        expect(page.locator(".side[data-side=first] .note")).to_be_hidden()
        expect(zoom).not_to_have_text(before)
        page.reload()
        expect(both).to_be_visible()

        page.get_by_role("button", name="Conclude and sign").click()
        expect(page.get_by_text("You cannot concur")).to_be_visible()
        expect(page.get_by_text("Concur with the first result")).to_have_count(0)
        page.get_by_role("button", name="Conclude and sign").click()
        page.get_by_role("button", name="Change my reading").click()
        page.get_by_label("Why do you change").fill("I looked at the wrong weld")
        page.get_by_role("button", name="Open my reading again").click()
        expect(page.get_by_text("Opened again: I looked at the wrong weld")).to_be_visible()
        page.locator("[data-disposition=repair]").click()
        expect(page.locator("[data-disposition=repair]")).to_have_attribute("aria-pressed", "true")
        page.locator(".sign").click()
        expect(both).to_be_visible()
        expect(page.get_by_text("(blind: accept)").first).to_be_visible()
        page.get_by_role("button", name="Conclude and sign").click()
        page.get_by_text("Return it to its inspector").click()
        page.get_by_label("Note; say why").fill("look at the middle again")
        page.get_by_label("Your password").fill("three cracks in 2 welds")
        page.get_by_role("button", name="Sign as reviewer").click()
        expect(page.get_by_text("Nothing was signed")).to_be_visible()
        page.get_by_label("Your password").fill(PASSWORD)
        inspection_id = page.url.partition("inspection=")[2]
        page.get_by_role("button", name="Sign as reviewer").click()
        expect(page.get_by_text("it is returned to its inspector")).to_be_visible()
        expect(page.get_by_text("Nothing waits for a second person")).to_be_visible()
    kept = record(server, inspection_id)
    assert [one.meaning for one in kept.signatures] == ["inspected", "reviewed"]
    assert [one.note for one in kept.reviews] == ["look at the middle again"]
    (review,) = kept.reviews
    assert (review.own_disposition, review.changed_disposition) == (Disposition.ACCEPT, Disposition.REPAIR)
    with signed_in(chromium, server, "a.film", f"/history?inspection={inspection_id}") as page:
        expect(page.get_by_text("look at the middle again")).to_be_visible()
        expect(page.get_by_text("own disposition accept blind, changed to repair")).to_be_visible()
