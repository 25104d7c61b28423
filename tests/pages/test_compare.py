"""The page Compare in Streamlit's own test runner."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.models.compare.export import report_of
from app.models.compare.pair import pair_data
from app.models.compare.places import (
    _of_boxes,
    _of_truths,
    _overlap,
    _probability,
    _size,
    caption_of,
    ordered,
    pair_of,
)
from app.shared.resources import Resources
from core.domain.accounts import COMMAND_LINE, Role
from core.domain.exposure import Exposure
from core.domain.indication import IndicationClass
from core.domain.labels import Label
from core.domain.radiograph import Polarity
from core.domain.reading import Setup
from core.reports.comparison_report import comparison_html, comparison_pdf
from core.services.evaluation.evaluations import BUILT_IN_NAME
from tests.e2e.inspected import add_person, inspect, sign
from tests.measured import add_second_version, add_set, measure
from tests.pages.browser import Browser, open_page, said
from tests.records import add_user, detection_result
from tests.workplace import radiograph_png


@pytest.fixture
def engineer(workplace: Resources, monkeypatch: pytest.MonkeyPatch) -> Browser:
    browser = Browser(workplace, monkeypatch)
    browser.sign_in(browser.account("m.eng", Role.ML_ENGINEER))
    return browser


def test_the_first_visit_offers_the_simulated_set_and_says_how_to_add_others(engineer: Browser) -> None:
    page = open_page("compare.py")
    assert not page.exception
    assert "No evaluation set yet" in said(page)
    assert [one.label for one in page.button if one.key == "compare.simulate"] == [
        f"Make {BUILT_IN_NAME} and measure the chosen versions"
    ]
    assert "radikal evaluation-sets add" in page.code[0].value


def test_a_reviewer_is_not_offered_to_measure(
    workplace: Resources, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    add_set(workplace, tmp_path)
    browser = Browser(workplace, monkeypatch)
    browser.sign_in(browser.account("r.view", Role.REVIEWER))
    page = open_page("compare.py")
    assert not page.exception
    assert "an ML engineer starts that" in said(page)
    assert not [one for one in page.button if one.key == "compare.measure"]


def test_missing_evaluations_start_with_one_click(
    workplace: Resources, engineer: Browser, tmp_path: Path
) -> None:
    add_second_version(workplace, tmp_path)
    add_set(workplace, tmp_path)
    page = open_page("compare.py")
    button = next(one for one in page.button if one.key == "compare.measure")
    assert button.label == "Measure v1 and v2 on six frames"
    button.click().run()
    with workplace.services.store.read() as work:
        job = work.jobs.latest(["evaluate"])[0]
    assert job.payload["versions"] == [1, 2]
    assert "Measuring weld v1, v2" in said(page)


def test_measured_versions_are_compared_and_the_address_keeps_the_place(
    workplace: Resources, engineer: Browser, tmp_path: Path
) -> None:
    add_second_version(workplace, tmp_path)
    chosen = add_set(workplace, tmp_path)
    measure(workplace, chosen)
    page = open_page("compare.py", set=chosen.set_id, v="2,1", p="0.40", view="findings")
    assert not page.exception
    text = said(page)
    assert "Nothing is judged here: 3 independent parts; 6 are the least that can tell" in text
    assert "trained on none of the images" in text
    assert "False calls an image" in text
    assert "AP50, class right too" in text
    assert "the recorded boxes bear no class that it was taught" in text
    assert [one.proto.label for one in page.get("download_button")] == ["Export HTML", "Export PDF"]
    assert page.query_params["v"] == "2,1"
    assert page.query_params["p"] == "0.40"
    for view in ("curves", "groups", "errors", "calibration", "pod", "map", "boxes"):
        page = open_page("compare.py", set=chosen.set_id, view=view)
        assert not page.exception, view
    page = open_page("compare.py", set=chosen.set_id, view="boxes", show="error:0:missed", at="0")
    assert not page.exception
    assert "v1: missed: recorded, not reported." in said(page)
    assert page.query_params["at"] == "0"
    assert "Lies in its set only" in said(page)
    service = workplace.services.evaluations.sets
    for path in service.content(chosen).folder.glob("*.png"):
        workplace.services.workspace.images.add(COMMAND_LINE, path.read_bytes(), path.name)
    page = open_page("compare.py", set=chosen.set_id, view="boxes", show="error:0:missed", at="0")
    (link,) = [one for one in page.get("page_link") if one.proto.label == "Label this image"]
    assert "image=" in link.proto.query_string
    (link,) = [one for one in page.get("page_link") if one.proto.label == "Explain in both versions"]
    assert "v=1%2C2" in link.proto.query_string


def test_a_disagreement_is_opened_as_its_image_in_both_versions(
    workplace: Resources, engineer: Browser, tmp_path: Path
) -> None:
    add_second_version(workplace, tmp_path)
    services = workplace.services
    data = radiograph_png(3, height=200, width=300)
    film = services.workspace.images.add(COMMAND_LINE, data, "plate.png", polarity=Polarity.FILM)
    result = services.detect.detect(film, "plate.png", model="weld", version=1)
    inspector = add_user(services.store, Role.INSPECTOR)
    found = services.workspace.inspections.record(inspector, result)
    page = open_page("compare.py", model="weld", v="1,2", inspection=found.inspection_id)
    assert not page.exception
    assert not page.error
    assert "plate.png" in said(page)
    assert not [one for one in page.selectbox if one.label == "Evaluation set"]
    page.button(key="compare.leave_one").click().run()
    assert not page.exception
    assert "inspection" not in page.query_params
    missing = open_page("compare.py", model="weld", v="1,2", inspection="nothing")
    assert not missing.exception
    assert [one.value for one in missing.error]


def test_the_filter_of_boxes_stands_in_the_address_and_says_when_nothing_is_left(
    workplace: Resources, engineer: Browser, tmp_path: Path
) -> None:
    add_second_version(workplace, tmp_path)
    chosen = add_set(workplace, tmp_path)
    measure(workplace, chosen)
    asked = {"set": chosen.set_id, "v": "1,2", "view": "boxes", "show": "every:0"}
    page = open_page("compare.py", **asked)
    n_all = int(re.findall(r"([\d,]+) in [\d,]+ images", said(page))[-1].replace(",", ""))
    page.button_group(key="compare.filter.outcomes").set_value(["true"]).run()
    assert not page.exception
    assert page.query_params["outcome"] == "true"
    n_true, of_all = re.findall(r"([\d,]+) of ([\d,]+) in [\d,]+ images", said(page))[-1]
    assert 0 < int(n_true.replace(",", "")) < n_all
    assert of_all == f"{n_all:,}"
    shared = open_page("compare.py", **asked, outcome="true")
    assert f"{n_true} of {of_all} in" in said(shared)
    none = open_page("compare.py", **asked, **{"from": "100000", "class": "no such"})
    assert not none.exception
    assert f"None of the {n_all:,} is like this: no such; from 100000 px." in said(none)
    swapped = open_page("compare.py", **asked, **{"from": "2", "to": "1"})
    assert "From 2 to 1 px lets nothing through: the lower bound is above the upper one" in said(swapped)
    none.button(key="compare.filter.clear").click().run()
    assert "from" not in none.query_params
    assert f"{n_all:,} in" in said(none)
    odd = open_page("compare.py", **asked, **{"from": "nan", "to": "x", "outcome": "odd", "unit": "inch"})
    assert not odd.exception
    assert f"{n_all:,} in" in said(odd)


def test_boxes_are_filtered_by_the_equipment_that_inspections_name(
    workplace: Resources, engineer: Browser, tmp_path: Path
) -> None:
    add_second_version(workplace, tmp_path)
    chosen = add_set(workplace, tmp_path)
    measure(workplace, chosen)
    services = workplace.services
    inspector = add_user(services.store, Role.INSPECTOR)
    images = sorted(services.evaluations.sets.content(chosen).folder.glob("*.png"))
    for path, tube in zip(images[:3], ("tube A", "tube A", "tube B"), strict=True):
        film = services.workspace.images.add(inspector, path.read_bytes(), path.name, polarity=Polarity.FILM)
        setup = Setup(exposure=Exposure(source=tube))
        result = replace(detection_result(film), name=path.name)
        services.workspace.inspections.record(inspector, result, setup=setup)
    assert sorted(services.evaluations.equipment(COMMAND_LINE, chosen).values()) == [
        "tube A",
        "tube A",
        "tube B",
    ]
    page = open_page(
        "compare.py", set=chosen.set_id, v="1,2", view="boxes", show="every:0", equipment="tube A"
    )
    assert not page.exception
    assert page.selectbox(key="compare.filter.equipment").options == ["tube A", "tube B"]
    assert " in 2 images" in said(page)


def test_the_map_of_boxes_leads_to_each(workplace: Resources, engineer: Browser, tmp_path: Path) -> None:
    add_second_version(workplace, tmp_path)
    chosen = add_set(workplace, tmp_path)
    measure(workplace, chosen)
    assert "evaluation-sets map" in open_page("compare.py", set=chosen.set_id, view="map").code[0].value
    made = workplace.services.box_maps.make(COMMAND_LINE, chosen, 1, most=12)
    kept = workplace.services.box_maps.of(COMMAND_LINE, chosen, 1)
    assert kept is not None
    assert (kept.positions == made.positions).all()
    assert 0 < len(made.box) <= 12
    assert ((made.box >= 0) == (made.outcome != 2)).all()
    page = open_page("compare.py", set=chosen.set_id, v="1,2", view="map")
    assert not page.exception
    lead = f"one:0:{made.box[0]}:{made.truth[0]}"
    assert "from the map" in said(
        open_page("compare.py", set=chosen.set_id, v="1,2", view="boxes", show=lead)
    )


def test_what_is_exported_bears_the_digests_of_set_and_weights(
    workplace: Resources, engineer: Browser, tmp_path: Path
) -> None:
    add_second_version(workplace, tmp_path)
    chosen = add_set(workplace, tmp_path)
    measure(workplace, chosen)
    service = workplace.services.evaluations
    found = service.open(COMMAND_LINE, chosen, (1, 2))
    comparison = service.compare(COMMAND_LINE, found[0], found[1], None)
    report = report_of(COMMAND_LINE, chosen, found, [comparison], [None, None], 0.6)
    page = comparison_html(report).decode()
    assert "probability 0.60 for every version" in page
    assert "Intervals: 95 %, by resampling the 3 independent parts" in page
    (line,) = [one for one in report.tables[0].rows if one[0] == "Recall"]
    assert re.fullmatch(r"0\.\d{3} \(0\.\d{3} to \d\.\d{3}\)", line[1])
    own = report_of(COMMAND_LINE, chosen, found, [comparison], [None, None], None)
    assert "each version at its own: v1 " in dict(own.facts)["Operating point"]
    assert own.sha256() != report.sha256()
    for said_there in (chosen.digest, *(one.version.sha256 for one in found), COMMAND_LINE.name):
        assert said_there in page
    assert comparison_pdf(report).startswith(b"%PDF")


def test_a_place_tells_the_class_that_each_version_claims(
    workplace: Resources, engineer: Browser, tmp_path: Path
) -> None:
    add_second_version(workplace, tmp_path)
    chosen = add_set(workplace, tmp_path)
    measure(workplace, chosen)
    found = workplace.services.evaluations.open(COMMAND_LINE, chosen, (1, 2))
    pair = pair_of(found[0], found[1], 0.0)
    first, second = pair.tables
    both = np.flatnonzero((first.box_of_truth(0.0) >= 0) & (second.box_of_truth(0.0) >= 0))[:1]
    a, b = int(first.box_of_truth(0.0)[both[0]]), int(second.box_of_truth(0.0)[both[0]])
    recorded, claimed = caption_of(pair, _of_truths(pair, both), 0)
    assert recorded == "defect"
    assert claimed == (
        f"v1 {first.probabilities[a]:.2f} {first.class_name(first.box_class[a])}",
        f"v2 {second.probabilities[b]:.2f} {second.class_name(second.box_class[b])}",
    )


def test_an_open_place_names_its_own_recorded_box(
    workplace: Resources, engineer: Browser, tmp_path: Path
) -> None:
    chosen = add_set(workplace, tmp_path)
    add_second_version(workplace, tmp_path)
    measure(workplace, chosen)
    service = workplace.services.evaluations
    found = service.open(COMMAND_LINE, chosen, (1, 2))
    pair, content = pair_of(found[0], found[1], None), service.content(COMMAND_LINE, chosen)
    places = _of_truths(pair, np.arange(len(pair.tables[0].truth)))
    for at in range(len(places)):
        data = pair_data(pair, places, at, chosen, content, "")
        assert data["open"] == int(places.truth[at])
        assert [one["n"] for one in data["recorded"]].count(data["open"]) == 1
    reported = _of_boxes(pair, 0, np.flatnonzero(pair.tables[0].matched < 0)[:1])
    assert pair_data(pair, reported, 0, chosen, content, "")["open"] is None


@pytest.mark.parametrize("order", ["probability", "iou", "size"])
def test_places_stand_in_the_order_that_is_asked_for(
    workplace: Resources, engineer: Browser, tmp_path: Path, order: str
) -> None:
    add_second_version(workplace, tmp_path)
    chosen = add_set(workplace, tmp_path)
    measure(workplace, chosen)
    found = workplace.services.evaluations.open(COMMAND_LINE, chosen, (1, 2))
    pair = pair_of(found[0], found[1], 0.0)
    places = ordered(pair, _of_boxes(pair, 0, np.arange(len(pair.tables[0].boxes))), order)
    values = {"probability": _probability, "iou": _overlap, "size": _size}[order](pair, places)
    assert (np.diff(values) <= 0).all()
    assert sorted(places.first.tolist()) == list(range(len(pair.tables[0].boxes)))


def test_the_images_that_no_version_saw_are_one_click_away(
    workplace: Resources, engineer: Browser, tmp_path: Path
) -> None:
    add_second_version(workplace, tmp_path)
    chosen = add_set(workplace, tmp_path)
    seen = workplace.services.evaluations.sets.content(chosen).digests[0]
    manifest = tmp_path / "weld-other" / "manifest.json"
    manifest.write_text(json.dumps({"images": [{"sha256": seen, "file_name": "a.png"}]}))
    measure(workplace, chosen)
    page = open_page("compare.py", set=chosen.set_id, v="1,2")
    assert "1 of the 6 images were seen by one of them" in said(page)
    assert "trained on 1 of the 6 images" in said(page)
    button = next(one for one in page.button if one.key == "compare.clean")
    assert button.label == "Judge on the 5 clean images only"
    button.click().run()
    assert not page.exception
    assert page.query_params["set"] != chosen.set_id
    assert "six frames, unseen by v1, v2: 5 images" in said(page)
    assert not [one for one in page.button if one.key == "compare.clean"]


@pytest.mark.parametrize("show", ["nonsense", "error:7:missed", "bin:0:x:y", "confusion:0:a:b", "diff:"])
def test_an_address_that_names_nothing_shows_the_default(
    workplace: Resources, engineer: Browser, tmp_path: Path, show: str
) -> None:
    add_second_version(workplace, tmp_path)
    chosen = add_set(workplace, tmp_path)
    measure(workplace, chosen)
    page = open_page("compare.py", set=chosen.set_id, view="boxes", show=show, at="99999")
    assert not page.exception
    assert "found only by v2" in said(page)


def test_the_form_of_a_new_set_closes_and_is_empty_once_the_set_is_made(
    workplace: Resources, engineer: Browser
) -> None:
    services = workplace.services
    film = services.workspace.images.add(
        COMMAND_LINE, radiograph_png(3, height=200, width=300), "plate.png", polarity=Polarity.FILM
    )
    pore = Label("h1", (40.0, 50.0, 90.0, 80.0), IndicationClass.POROSITY)
    annotator = add_user(services.store, Role.ANNOTATOR)
    services.workspace.labels.save(annotator, film.sha256, [pore], expected_version=0)
    services.workspace.labels.submit(annotator, film.sha256, expected_version=1)
    page = open_page("compare.py")
    page.button(key="compare.new_set.labels").click().run()
    assert [one.value for form in page.get("popover") for one in form.get("error")] == [
        "An evaluation set needs a name: expected 1 to 128 characters."
    ]
    page.text_input(key="compare.new_set.name").set_value("labelled here").run()
    assert not page.error
    page.button(key="compare.new_set.labels").click().run()
    assert not page.exception
    assert "labelled here: 1 image, 1 box" in said(page)
    assert page.text_input(key="compare.new_set.name").value == ""
    assert page.session_state["compare.n_made"] == 1


def test_a_set_of_signed_inspections_is_made_with_one_click(workplace: Resources, engineer: Browser) -> None:
    services = workplace.services
    inspector = add_person(services, "a.insp", Role.INSPECTOR)
    for seed in (1, 2):
        sign(services, inspector, inspect(services, inspector, seed, f"ring {seed}"))
    inspect(services, inspector, 3, "ring 3")
    page = open_page("compare.py")
    text = said(page)
    assert re.search(r"2 signed images \(0 of them clean\) with \d boxes", text)
    assert "Left out: 1 not signed." in text
    assert "this favours v2" in text
    page.text_input(key="compare.history.part").set_value("ring 2").run()
    assert "1 signed images" in said(page)
    page.text_input(key="compare.history.part").set_value("nowhere").run()
    assert page.button(key="compare.new_set.history").disabled
    page.text_input(key="compare.history.part").set_value("").run()
    page.text_input(key="compare.new_set.name").set_value("signed here").run()
    page.button(key="compare.new_set.history").click().run()
    assert not page.exception
    assert re.search(r"signed here: 2 images, \d boxes", said(page))
    (made,) = services.evaluations.sets.all(COMMAND_LINE, "weld")
    assert page.query_params["set"] == made.set_id
    assert made.source["read_by"] == [2]
