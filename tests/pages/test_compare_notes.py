"""Notes on a place: written on Compare, read wherever the image is shown."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.shared.resources import Resources
from core.domain.accounts import COMMAND_LINE, Identity, Role
from core.domain.radiograph import Polarity
from core.domain.reading import Setup
from tests.measured import add_second_version, add_set, measure
from tests.pages.browser import Browser, open_page, said
from tests.records import add_user, detection_result
from tests.workplace import radiograph_png

# AppTest's own event loop and sockets are closed by the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def write(page, text: str, kind: str | None = None):  # type: ignore[no-untyped-def]
    """The page after an entry was written in its form."""
    if kind is not None:
        box = next(one for one in page.selectbox if str(one.key).startswith("notes.kind"))
        box.set_value(next(one for one in box.proto.options if one.startswith(kind)))
    next(one for one in page.text_area if str(one.key).startswith("notes.text")).set_value(text)
    page = next(one for one in page.button if str(one.label) == "Write").click().run()
    assert not page.exception
    return page


def test_a_note_is_written_answered_and_withdrawn_beside_the_box(
    workplace: Resources, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    add_second_version(workplace, tmp_path)
    chosen = add_set(workplace, tmp_path)
    measure(workplace, chosen)
    browser = Browser(workplace, monkeypatch)
    address = {"set": chosen.set_id, "v": "1,2", "view": "boxes", "show": "error:0:missed", "at": "0"}
    browser.sign_in(browser.account("m.eng", Role.ML_ENGINEER))
    page = write(open_page("compare.py", **address), "root bead")
    assert "root bead" in said(page)
    assert "M.Eng, " in said(page)
    assert "weld v1, v2 · x " in said(page)
    browser.sign_in(browser.account("r.view", Role.REVIEWER))
    page = write(open_page("compare.py", **address), "no, a crack", kind="answer to: root bead")
    page = write(page, "wrong film", kind="withdraw: no, a crack")
    text = said(page)
    assert text.index("root bead") < text.index("no, a crack") < text.index("wrong film")
    assert "rk-withdrawn" in text
    page = open_page("compare.py", **address | {"at": "1"})
    assert "root bead" not in said(page), "another place"


def test_a_note_on_an_inspected_image_is_about_the_place_that_was_chosen(
    workplace: Resources, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    add_second_version(workplace, tmp_path)
    services = workplace.services
    data = radiograph_png(3, height=200, width=300)
    film = services.workspace.images.add(COMMAND_LINE, data, "plate.png", polarity=Polarity.FILM)
    result = services.detect.detect(film, "plate.png", model="weld", version=1)
    found = services.workspace.inspections.record(add_user(services.store, Role.INSPECTOR), result)
    browser = Browser(workplace, monkeypatch)
    browser.sign_in(browser.account("m.eng", Role.ML_ENGINEER))
    page = open_page("compare.py", model="weld", v="1,2", inspection=found.inspection_id)
    box = next(one for one in page.selectbox if str(one.key).startswith("notes.kind"))
    assert len(box.options) > 2, "places of both versions, and the image"
    assert "choose first what the note is about" in write(page, "a scratch").error[0].value
    page = write(page, "a scratch", kind=box.options[1])
    (thread,) = services.workspace.notes.of_images(COMMAND_LINE, [film.sha256]).threads[film.sha256]
    assert (thread.note.text, sorted(thread.note.versions)) == ("a scratch", [1, 2])
    assert thread.note.box is not None
    assert "a scratch" in said(page)
    write(page, "underexposed", kind="the image as a whole")
    newest, _ = services.workspace.notes.of_images(COMMAND_LINE, [film.sha256]).threads[film.sha256]
    assert (newest.note.text, newest.note.box) == ("underexposed", None)


def test_the_history_shows_the_notes_of_the_image(
    workplace: Resources, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    add_second_version(workplace, tmp_path)
    chosen = add_set(workplace, tmp_path)
    workspace = workplace.services.workspace
    content = workplace.services.evaluations.sets.content(chosen)
    path = content.folder / content.images[0].file_name
    film = workspace.images.add(COMMAND_LINE, path.read_bytes(), path.name)
    browser = Browser(workplace, monkeypatch)
    user = browser.account("a.film", Role.INSPECTOR)
    engineer = browser.account("m.eng", Role.ML_ENGINEER)
    acting = [Identity(one.user_id, one.shown_name, one.role) for one in (user, engineer)]
    result = replace(detection_result(film), name=path.name)
    inspection = workspace.inspections.record(acting[0], result, setup=Setup(part="7"))
    workspace.notes.write(
        acting[1], film.sha256, "root bead", box=(1, 2, 30, 12), model_name="weld", versions={2: "a"}
    )
    browser.sign_in(user)
    page = open_page("history.py", inspection=inspection.inspection_id)
    assert not page.exception
    assert "root bead" in said(page)
    assert "weld v2 · x 1 to 30, y 2 to 12 px" in said(page)
