"""Comparing versions in a real browser: measured by one click, judged by parts, closed to others."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from core.domain.accounts import COMMAND_LINE, Role
from core.engine.detector import Detector
from tests.artefacts import write_artefact
from tests.e2e.inspected import add_person, services_of, signed_in
from tests.e2e.serving import FILES, PATIENCE_MS, Served, served
from tests.recorded import write_recorded

pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore::ResourceWarning")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The product with two weld versions and a set of six frames that neither was measured on."""
    folder = tmp_path_factory.mktemp("served")
    with served(folder) as running:
        with services_of(running) as services:
            add_person(services, "m.eng", Role.ML_ENGINEER)
            other = write_artefact(folder / "other", seed=1, score_spread=1.0)
            services.registry.register(other, alias="challenger")
            coco = write_recorded(
                folder / "recorded", Detector.load(folder / "weld" / "weights.safetensors"), size=(220, 420)
            )
            services.evaluations.sets.add_files(COMMAND_LINE, "six frames", "weld", coco, coco.parent)
        yield running


#: Violet pixels, as noted boxes are, of each radiograph.
NOTED = """() => {
  const found = (root) => [...root.querySelectorAll("*")].flatMap((one) =>
    [...(one.matches("figure canvas") ? [one] : []), ...(one.shadowRoot ? found(one.shadowRoot) : [])]);
  return found(document).map((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let n = 0;
    for (let i = 0; i < data.length; i += 4)
      n += data[i] - data[i + 1] > 40 && data[i + 2] - data[i + 1] > 60;
    return n;
  });
}"""


def test_from_nothing_measured_to_the_boxes_behind_an_error(chromium: Browser, server: Served) -> None:
    with signed_in(chromium, server, "m.eng", "/compare") as page:
        page.get_by_role("button", name="Measure v1 and v2 on six frames").click()
        expect(page.get_by_role("progressbar", name="Measuring weld v1, v2")).to_be_visible()
        expect(page.locator(".rk-figures tbody tr").first).to_be_visible(timeout=PATIENCE_MS)
        expect(page.locator(".rk-findings")).to_contain_text("3 independent parts; 6 are the least")
        for view in ("Curves", "Class and size", "Calibration", "Errors"):  # both versions stay chosen
            page.get_by_role("radio", name=view).click()
            expect(page).to_have_url(re.compile("v=1%2C2.*view=" + view[:3].lower().replace("cla", "gro")))
            expect(page.locator(".js-plotly-plot").first).to_be_visible()
        bar = page.locator(".js-plotly-plot .barlayer .point path").first
        n_missed = int((page.locator(".barlayer .bartext").first.text_content() or "").replace(",", ""))
        place = bar.bounding_box()
        assert place
        page.mouse.click(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
        expect(page).to_have_url(re.compile("show=error%3A0%3Amissed"))
        expect(
            page.get_by_text(f"v1: missed: recorded, not reported. {n_missed:,} in 6 images")
        ).to_be_visible()


def test_a_place_is_noted_kept_as_a_view_and_sent_to_labelling(chromium: Browser, server: Served) -> None:
    with services_of(server) as services:
        chosen = services.evaluations.archive.sets_of("weld")[0]
        is_measured = services.evaluations.measured_on(COMMAND_LINE, chosen) >= {1, 2}
    address = f"/compare?model=weld&v=1%2C2&set={chosen.set_id}&view=boxes&show=error%3A0%3Amissed"
    with signed_in(chromium, server, "m.eng", f"{address}&at=0") as page:
        if not is_measured:
            page.get_by_role("button", name="Measure v1 and v2 on six frames").click()
        page.get_by_role("button", name="Note", exact=True).click()
        page.get_by_label("Text").fill("the edge of the root bead")
        page.get_by_role("button", name="Write").click()
        expect(page.locator(".rk-notes")).to_contain_text("the edge of the root bead")
        shown = page.get_by_role("button", name="Notes", exact=True)
        expect(shown).to_have_attribute("aria-pressed", "true")
        page.wait_for_function(f"() => ({NOTED})().every((n) => n > 50)")  # on both radiographs
        shown.click()
        page.wait_for_function(f"() => ({NOTED})().every((n) => n === 0)")
        page.get_by_role("button", name="Views", exact=True).click()
        page.get_by_label("Name of what is on show").fill("first miss")
        page.get_by_role("button", name="Save view").click()
        expect(page.get_by_text("saved view first miss")).to_be_visible()
        page.get_by_role("button", name="All", exact=True).click()
        page.locator(".gallery .ticked input").first.check()
        page.get_by_role("button", name="Send to labelling (1)").click()
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_text("1 image sent to labelling; 1 image handed in")).to_be_visible()
        page.get_by_role("radio", name="Curves").click()
        expect(page).to_have_url(re.compile("view=curves"))
        page.get_by_role("button", name="Views (1)").click()
        page.get_by_role("button", name="first miss", exact=True).click()
        expect(page).to_have_url(re.compile("at=0"))
        expect(page.locator(".rk-notes")).to_contain_text("the edge of the root bead")


def test_an_archive_becomes_a_set_also_after_a_refusal(
    chromium: Browser, server: Served, tmp_path: Path
) -> None:
    weights = Path(server.environment["DATA_DIR"]) / "weld" / "weights.safetensors"
    coco = write_recorded(tmp_path / "more", Detector.load(weights), size=(200, 400))
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        for path in sorted(coco.parent.iterdir()):
            archive.write(path, path.name)
    with signed_in(chromium, server, "m.eng", "/compare?model=weld") as page:
        page.get_by_role("button", name="New set").click()
        page.get_by_role("tab", name="From a COCO file").click()
        form = page.get_by_role("tabpanel", name="From a COCO file")
        form.locator(FILES).set_input_files(tmp_path / "more.zip")
        expect(form.get_by_text("more.zip")).to_be_visible()
        form.get_by_role("button", name="Make the set").click()
        expect(page.get_by_text("expected 1 to 128 characters")).to_be_visible()
        page.get_by_label("Name", exact=True).fill("out of a ZIP")
        form.get_by_role("button", name="Make the set").click()
        expect(page.get_by_text(re.compile("out of a ZIP: 6 images, .* boxes"))).to_be_visible()
    with services_of(server) as services:
        names = {one.name for one in services.evaluations.archive.sets_of("weld")}
        assert "out of a ZIP" in names


def test_the_images_are_not_there_for_others(chromium: Browser, server: Served) -> None:
    with services_of(server) as services:
        chosen = services.evaluations.archive.sets_of("weld")[0]
        sha256 = services.evaluations.sets.content(chosen).digests[0]
    context = chromium.new_context(base_url=server.address)
    answer = context.request.get(f"/evaluated/{chosen.set_id}/{sha256}/pixels")
    assert answer.status in (401, 404)
    context.close()
