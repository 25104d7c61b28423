"""The inspection page, run by Streamlit's own test runner on real services."""

import time
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.inspection.state import analyses
from app.shared.resources import Resources, resources
from app.shared.worklist import worklists
from core.domain.accounts import Identity, Role
from core.domain.errors import ModelArtefactError
from core.domain.radiograph import Polarity, PolarityGround
from core.domain.records import Inspection
from core.services.workspaces import Workspace
from core.store.inspection_history import HistoryFilter
from tests.artefacts import write_artefact, write_familiarity
from tests.services.exposures import exposure, jpeg, png
from tests.workplace import radiograph_png

MAIN = str(Path(__file__).resolve().parents[2] / "app" / "main.py")
# AppTest's own event loop and sockets are closed by the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture
def page(workplace: Resources) -> AppTest:
    return AppTest.from_file(MAIN, default_timeout=60)


def listed() -> list[object]:
    """Entries of every visitor."""
    return [entry for worklist in worklists()._worklists.values() for entry in worklist.entries()]


def until(page: AppTest, is_done: object) -> None:
    """Rerun until the condition holds."""
    end = time.monotonic() + 60
    while not is_done():
        assert time.monotonic() < end
        time.sleep(0.05)
        page.run()


def texts(page: AppTest) -> str:
    """What the page says, as one text."""
    elements = [*page.get("html"), *page.caption, *page.error]
    return " ".join(str(getattr(e, "value", None) or getattr(e.proto, "body", "")) for e in elements)


def viewers(page: AppTest) -> list[object]:
    return page.get("bidi_component")


def test_the_first_visit_invites_and_states_the_limits_once(page: AppTest) -> None:
    page.run()
    assert not page.exception
    said = texts(page)
    assert said.count("indications, not defects") == 1
    assert len([b for b in page.button if b.key.startswith("inspection.sample.")]) == 6
    assert "simulated" in said
    assert not viewers(page)


def test_a_sample_opens_in_the_viewer_with_its_boxes(page: AppTest) -> None:
    page.run()
    page.button(key="inspection.sample.gas_pores.png").click().run()
    until(page, lambda: viewers(page) and "image" in page.query_params)
    assert not page.exception
    assert "weld" in page.query_params["model"]


def test_an_upload_is_taken_once_and_the_chooser_emptied(page: AppTest) -> None:
    page.run()
    page.file_uploader[0].set_value(("part.png", radiograph_png(), "image/png")).run()
    until(page, lambda: viewers(page))
    page.run()
    assert [entry.name for entry in listed()] == ["part.png"]
    assert not page.exception


def test_a_broken_upload_is_told_in_one_line_and_the_page_still_invites(page: AppTest) -> None:
    page.run()
    page.file_uploader[0].set_value(("part.png", b"not a picture", "image/png")).run()
    until(page, lambda: page.error)
    assert "part.png" in page.error[0].value
    assert "Nothing was stored" in page.error[0].value
    assert page.file_uploader
    assert not page.exception


class NoDetector:
    """A detecting service whose weights are gone."""

    def detect(self, *_arguments: object, **_options: object) -> NoReturn:
        raise ModelArtefactError("the weights of weld v1 are missing")

    polarity_of = detect


def test_an_image_that_could_not_be_analysed_stays_on_show_with_the_reason(
    page: AppTest, workplace: Resources
) -> None:
    analyses()._detect = NoDetector()
    page.run()
    page.file_uploader[0].set_value(("part.png", radiograph_png(), "image/png")).run()
    until(page, lambda: viewers(page) and "weights of weld v1" in str(viewers(page)[0].proto))
    assert not page.exception
    assert not page.error


def read_by(held: Resources) -> list[tuple[str, int]]:
    """Image and version of every inspection of every guest, oldest first."""
    found = []
    for guest in worklists()._worklists:
        workspace = held.services.workspace_of(Identity(guest, "guest", Role.GUEST))
        with workspace.store.read() as work:
            found += [(one.image_name, one.model.version) for one in reversed(work.inspections.latest(20))]
    return found


def test_the_next_upload_is_read_by_the_new_champion_and_what_was_read_keeps_its_version(
    page: AppTest, workplace: Resources, tmp_path: Path
) -> None:
    registry = workplace.services.registry
    page.run()
    page.file_uploader[0].set_value(("old.png", radiograph_png(1), "image/png")).run()
    until(page, lambda: read_by(workplace) == [("old.png", 1)])
    registry.add(write_artefact(tmp_path / "weld-2", seed=5, score_spread=1.0))
    registry.set_alias("weld", "champion", 2)
    page.run()
    assert "Read by v1. The champion is v2 now" in texts(page)
    assert "<b>weld v1</b> (reads this image)" in texts(page)
    assert "(champion)" not in texts(page), "the header names the version that reads the image on show"
    page.file_uploader[0].set_value(("new.png", radiograph_png(2), "image/png")).run()
    until(page, lambda: len(read_by(workplace)) > 1)
    assert read_by(workplace) == [("old.png", 1), ("new.png", 2)]
    page.file_uploader[0].set_value(("old.png", radiograph_png(1), "image/png")).run()
    until(page, lambda: len(read_by(workplace)) > 2)
    assert read_by(workplace)[-1] == ("old.png", 2), "handed in again, it is read by the champion"
    assert not page.exception


def test_the_header_names_the_model_that_reads_a_strange_casting(
    page: AppTest, workplace: Resources, tmp_path: Path
) -> None:
    registry, name = workplace.services.registry, "casting-any"
    taught = write_artefact(tmp_path / "taught", name="casting", polarity="digital", seed=5, score_spread=1.0)
    registry.add(write_familiarity(taught, limit=-1.0), alias="champion")
    registry.add(
        write_artefact(tmp_path / name, name=name, polarity="digital", score_spread=1.0), alias="champion"
    )
    page.run()
    page.get("button_group")[0].set_value("casting").run()
    assert "<b>casting v2</b> (champion)" in texts(page), "nothing is on show yet"
    page.file_uploader[0].set_value(("strange.png", radiograph_png(3), "image/png")).run()
    until(page, lambda: "<b>casting-any v1</b> (reads this image)" in texts(page))
    assert "(champion)" not in texts(page)
    assert "Read by casting-any: this part looks unlike those that taught casting" in texts(page)
    assert not page.exception


def test_casting_asks_the_casting_model(page: AppTest) -> None:
    page.run()
    page.get("button_group")[0].set_value("casting").run()
    assert "casting v1" in texts(page)


def test_without_a_model_the_page_says_what_is_safe(page: AppTest, workplace: Resources) -> None:
    workplace.services.registry.is_there = False
    page.run()
    assert not page.exception
    assert "No analysis is possible" in page.error[0].value
    assert "safe" in page.error[0].value


def test_how_to_read_separates_score_and_probability(page: AppTest) -> None:
    page.run()
    page.switch_page("../pages/how_to_read.py").run()
    assert not page.exception
    said = " ".join(m.value for m in page.markdown)
    assert "raw score" in said
    assert "not the chance that nothing was missed" in said


def setup_widget(page: AppTest, kind: str, end: str) -> object:
    """The widget of the setup form whose key ends so."""
    return next(one for one in getattr(page, kind) if one.key and one.key.endswith(end))


def apply_setup(page: AppTest, part: str) -> None:
    setup_widget(page, "selectbox", ".standard").set_value("iso-5817").run()
    setup_widget(page, "selectbox", ".level").set_value("C")
    setup_widget(page, "text_input", ".part").set_value(part)
    setup_widget(page, "number_input", ".t").set_value(10.0)
    setup_widget(page, "toggle", ".same").set_value(True)
    setup_widget(page, "text_input", ".name").set_value("flanges")
    setup_widget(page, "button", ".apply").click().run()


def guests_inspections() -> list[Inspection]:
    """Of the one guest there is."""
    ((guest, opened),) = resources().services.demo._open.items()
    return opened.workspace.inspections.latest(Identity(guest, "guest", Role.GUEST), 10)


def test_the_part_is_told_once_and_counts_for_what_comes_next(page: AppTest) -> None:
    page.run()
    apply_setup(page, "flange 7")
    assert not page.exception
    assert "Kept as template flanges" in page.toast[0].value
    page.file_uploader[0].set_value(("part.png", radiograph_png(), "image/png")).run()
    until(page, lambda: guests_inspections())
    (inspection,) = guests_inspections()
    assert (inspection.setup["part"], inspection.setup["thickness_mm"]) == ("flange 7", 10.0)
    assert inspection.setup["quality_level"] == "C"
    assert inspection.image_quality["checks"]


def test_the_part_of_the_inspection_on_show_is_changed_with_it(page: AppTest) -> None:
    page.run()
    page.file_uploader[0].set_value(("part.png", radiograph_png(), "image/png")).run()
    until(page, lambda: viewers(page) and guests_inspections())
    page.run()
    apply_setup(page, "flange 8")
    (inspection,) = guests_inspections()
    assert (inspection.setup["part"], inspection.standard, inspection.version) == ("flange 8", "iso-5817", 2)
    page.selectbox(key="setup.template").set_value("flanges").run()
    assert not page.exception


def guest_and_workspace() -> tuple[Identity, Workspace]:
    """The one guest there is, and what is stored for them."""
    ((guest, opened),) = resources().services.demo._open.items()
    return Identity(guest, "guest", Role.GUEST), opened.workspace


def history() -> list[str]:
    """Names of the images in the guest's history, sorted."""
    who, workspace = guest_and_workspace()
    return sorted(one.image_name for one in workspace.history.search(who, HistoryFilter()).entries)


def hand_in(page: AppTest, n_images: int) -> None:
    """Hand in images at once and wait until all are analysed."""
    files = [(f"{n}.png", radiograph_png(n), "image/png") for n in range(n_images)]
    page.file_uploader[0].set_value(files).run()
    until(page, lambda: viewers(page) and len(guests_inspections()) == n_images)


def test_the_switch_counts_for_what_is_handed_in_next_and_reads_nothing_again(page: AppTest) -> None:
    page.run()
    hand_in(page, 2)
    page.get("button_group")[0].set_value("casting").run()
    page.file_uploader[0].set_value(("part.png", radiograph_png(9), "image/png")).run()
    until(page, lambda: len(guests_inspections()) == 3)
    page.run()
    assert {(one.image_name, one.model.name) for one in guests_inspections()} == {
        ("0.png", "weld"), ("1.png", "weld"), ("part.png", "casting"),
    }  # fmt: skip
    assert [entry.model for entry in listed()] == ["weld", "weld", "casting"]
    assert history() == [], "nobody opened any of them"
    assert not page.exception


def test_reading_as_the_other_kind_is_one_image_and_lasts(page: AppTest) -> None:
    page.run()
    hand_in(page, 2)
    first = listed()[0].name
    page.session_state["inspection.shown"] = listed()[0].key
    page.run()
    button = page.button(key="inspection.read_as")
    assert button.label == "Read as casting"
    button.click().run()
    until(page, lambda: len(guests_inspections()) == 3)
    until(page, lambda: history() == [first])
    newest = next(one for one in guests_inspections() if one.model.name == "casting")
    assert (newest.image_name, newest.opened_at is not None) == (first, True)
    who, _ = guest_and_workspace()
    worklists().forget(who.user_id)
    assert [entry.model for entry in worklists().of(who).entries()] == ["casting", "weld"]
    assert page.get("button_group")[0].value == "weld", "the switch stays where it was"


def test_history_lists_what_was_opened_not_what_shows_by_itself(page: AppTest) -> None:
    page.run()
    hand_in(page, 3)
    page.run()
    assert history() == []
    opened = listed()[1]
    page.session_state["inspection"].opened = page.session_state["inspection.shown"] = opened.key
    page.run()
    assert history() == [opened.name]
    page.run()
    assert not page.exception


def test_the_setup_of_all_images_leaves_each_its_own_numbers_and_opens_none(page: AppTest) -> None:
    page.run()
    hand_in(page, 3)
    page.run()
    setup_widget(page, "text_input", ".weld").set_value("W-1")
    setup_widget(page, "button", ".apply").click().run()
    assert len(history()) == 1, "whoever numbers an image opens it"
    page.get("button_group")[1].set_value("All images on the worklist").run()
    assert not [one for one in page.text_input if one.key.startswith("setup.") and one.key.endswith(".weld")]
    setup_widget(page, "selectbox", ".standard").set_value("iso-5817").run()
    setup_widget(page, "selectbox", ".level").set_value("C")
    setup_widget(page, "text_input", ".part").set_value("flange 9")
    setup_widget(page, "button", ".apply").click().run()
    assert page.toast[0].value.startswith("Saved for 3 images on the worklist")
    assert {(one.setup.part, one.setup.standard) for one in listed()} == {("flange 9", "iso-5817")}
    assert sorted(one.setup.weld_number for one in listed()) == ["", "", "W-1"]
    (opened,) = [one for one in guests_inspections() if one.opened_at]
    assert (opened.setup["part"], opened.setup["weld_number"]) == ("flange 9", "W-1")
    other = next(one for one in listed() if not one.setup.weld_number)
    page.session_state["inspection"].opened = page.session_state["inspection.shown"] = other.key
    page.run()
    late = next(one for one in guests_inspections() if one.image_name == other.name)
    assert (late.setup["part"], late.standard, late.opened_at is not None) == ("flange 9", "iso-5817", True)
    who, workspace = guest_and_workspace()
    rules = {one.standard for one in workspace.history.search(who, HistoryFilter()).entries}
    assert rules == {"iso-5817"}


def test_images_are_numbered_by_a_counter_where_somebody_asks_for_it(page: AppTest) -> None:
    page.run()
    hand_in(page, 2)
    page.run()
    page.get("button_group")[1].set_value("All images on the worklist").run()

    def numbering(kind: str, end: str) -> object:
        return next(
            one
            for one in getattr(page, kind)
            if (one.key or "").startswith("numbering.") and one.key.endswith(end)
        )

    numbering("text_input", ".weld").set_value("W-{n:03}")
    numbering("number_input", ".first").set_value(12)
    numbering("toggle", ".worklist").set_value(True)
    numbering("button", ".apply").click().run()
    assert page.toast[0].value.startswith("Numbered 2 images on the worklist")
    assert [one.setup.weld_number for one in listed()] == ["W-012", "W-013"]
    page.file_uploader[0].set_value(("next.png", radiograph_png(9), "image/png")).run()
    until(page, lambda: len(guests_inspections()) == 3)
    assert listed()[2].setup.weld_number == "W-014"
    assert history() == []
    assert not page.exception


def test_the_exposure_is_kept_with_the_image_and_told_where_it_cannot_be(page: AppTest) -> None:
    page.run()
    hand_in(page, 1)
    page.run()
    setup_widget(page, "number_input", ".x.tube_kv").set_value(180.0)
    setup_widget(page, "number_input", ".x.sfd_mm").set_value(700.0)
    setup_widget(page, "selectbox", ".x.testing_class").set_value("B")
    setup_widget(page, "button", ".apply").click().run()
    assert not page.exception
    (inspection,) = guests_inspections()
    assert inspection.setup["exposure"] == {"tube_kv": 180.0, "sfd_mm": 700.0, "testing_class": "B"}
    setup_widget(page, "number_input", ".x.f_mm").set_value(800.0)
    setup_widget(page, "button", ".apply").click().run()
    assert "Not saved: SFD: expected at least f and b" in page.error[0].value


def test_a_part_that_cannot_be_is_told_plainly(page: AppTest) -> None:
    page.run()
    apply_setup(page, "x" * 200)
    assert "Not saved: part: expected at most 128 characters" in page.error[0].value
    assert not page.exception


def test_the_wire_indicator_of_the_inspection_on_show_makes_its_gate_again(page: AppTest) -> None:
    page.run()
    page.file_uploader[0].set_value(("part.png", radiograph_png(), "image/png")).run()
    until(page, lambda: viewers(page) and guests_inspections())
    page.run()
    setup_widget(page, "selectbox", ".wire_set").set_value("W10 FE")
    setup_widget(page, "selectbox", ".wire").set_value(13)
    setup_widget(page, "number_input", ".srb").set_value(0.1)
    setup_widget(page, "button", ".apply").click().run()
    assert not page.exception
    (inspection,) = guests_inspections()
    assert (inspection.setup["wire_set"], inspection.version) == ("W10 FE", 2)
    basis = inspection.image_quality["basis"]
    assert (basis["wire_set"], basis["required_wire"], basis["srb_mm"]) == ("W10 FE", 13, 0.1)


def test_a_required_wire_that_is_not_in_the_set_is_told_plainly(page: AppTest) -> None:
    page.run()
    setup_widget(page, "selectbox", ".wire_set").set_value("W10 FE")
    setup_widget(page, "selectbox", ".wire").set_value(9)
    setup_widget(page, "button", ".apply").click().run()
    assert "Not saved: required wire: W9 is not in the set W10 FE" in page.error[0].value
    assert not page.exception


def test_a_second_file_of_the_same_exposure_is_told_with_the_name_of_the_first(page: AppTest) -> None:
    page.run()
    setup_widget(page, "selectbox", ".polarity").set_value("film")  # the picture does not tell it
    setup_widget(page, "button", ".apply").click().run()
    page.file_uploader[0].set_value(("weld 7.png", png(exposure(1)), "image/png")).run()
    until(page, lambda: viewers(page) and guests_inspections())
    page.file_uploader[0].set_value(("copy.jpg", jpeg(exposure(1)), "image/jpeg")).run()
    until(page, lambda: len(guests_inspections()) == 2)
    copy = next(one for one in guests_inspections() if one.image_name == "copy.jpg")
    check = next(one for one in copy.image_quality["checks"] if one["kind"] == "duplicate")
    assert check["state"] == "failed"
    assert "The same exposure as weld 7.png, handed in on" in check["message"]
    assert (copy.polarity, copy.polarity_ground) == (Polarity.FILM, PolarityGround.PERSON)


def test_a_picture_that_does_not_tell_its_polarity_is_asked_about_before_it_is_read(page: AppTest) -> None:
    page.run()
    page.file_uploader[0].set_value(("flat.png", png(np.full((120, 120), 700, np.uint16)), "image/png")).run()
    until(page, lambda: viewers(page) and "The image does not tell clearly" in str(viewers(page)[0].proto))
    assert guests_inspections() == []
    assert not page.exception
