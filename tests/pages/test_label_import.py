"""The import of labels on the label page, run by Streamlit's own test runner."""

import io
import json
import zipfile

import pytest

from app.shared.resources import Resources
from core.domain.accounts import COMMAND_LINE, Role
from tests.pages.browser import Browser, said
from tests.pages.test_label import acting, label_page
from tests.workplace import radiograph_png

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture
def browser(workplace: Resources, monkeypatch: pytest.MonkeyPatch) -> Browser:
    return Browser(workplace, monkeypatch)


def archive() -> bytes:
    """Labels of CVAT for a stored image, with one that comes along, and a class that is not known here."""
    shapes = (
        '<box label="shrinkage" xtl="1" ytl="2" xbr="11" ybr="22"/>',
        '<points label="crack" points="1,1"/>',
    )
    images = "".join(
        f'<image id="{n}" name="{name}" width="128" height="96">{"".join(shapes)}</image>'
        for n, name in enumerate(("film.png", "new.png", "nowhere.png"))
    )
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as held:
        held.writestr("annotations.xml", f"<annotations><version>1.1</version>{images}</annotations>")
        held.writestr("images/new.png", radiograph_png(3))
    return target.getvalue()


def test_a_file_is_shown_its_class_is_mapped_and_all_of_it_is_stored(browser: Browser) -> None:
    workspace = browser.services.workspace
    film = workspace.images.add(COMMAND_LINE, radiograph_png(1), "film.png").sha256
    page = label_page(browser, Role.ANNOTATOR, **{"import": "1"})
    assert "Take over labels of another tool" in said(page)
    page.file_uploader[0].set_value(("cvat.zip", archive(), "application/zip")).run()
    assert not page.exception
    assert "CVAT for images 1.1: 3 images" in said(page)
    assert page.button(key="label_import.go").disabled
    page.selectbox(key="label_import.map.shrinkage").select("shrinkage-cavity").run()
    assert "2 get their first labels · 1 left out · 2 boxes" in said(page)
    (table,) = [json.loads(one.proto.json) for one in page.get("bidi_component")]
    first = [cell["text"] for cell in table["rows"][0]["cells"]]
    assert first == ["nowhere.png", "left out", "-", "-", "no such image is here"]
    assert table["rows"][1]["cells"][4]["text"].startswith("points 2: only boxes, polygons and masks")
    annotator = acting(browser.account("b.label", Role.ANNOTATOR))
    assert workspace.labels.open(annotator, film).version == 0
    page.button(key="label_import.go").click().run()
    assert not page.exception
    assert "2 images changed, 0 unchanged, 2 boxes, 1 new image, 1 left out" in " ".join(
        one.value for one in page.success
    )
    label = workspace.labels.open(annotator, film).labels[0]
    assert (label.bbox, label.kind) == ((1, 2, 11, 22), "shrinkage-cavity")


def test_a_file_that_is_not_understood_is_told_and_another_can_be_chosen(browser: Browser) -> None:
    page = label_page(browser, Role.ANNOTATOR, **{"import": "1"})
    page.file_uploader[0].set_value(("notes.json", b"{}", "application/json")).run()
    (told,) = [one.value for one in page.error]
    assert "not a file of labels" in told
    assert told.endswith("Nothing was stored.")
    page.button(key="label_import.forget").click().run()
    assert "Take over labels of another tool" in said(page)


def test_the_page_leads_to_the_import_and_back(browser: Browser) -> None:
    page = label_page(browser, Role.ANNOTATOR)
    page.button(key="label_import.show").click().run()
    assert "Take over labels of another tool" in said(page)
    page.file_uploader[0].set_value(("notes.json", b"{}", "application/json")).run()
    assert "not a file of labels" in page.error[0].value  # still on show after the next run
    page.button(key="label_import.leave").click().run()
    assert "Nothing waits to be labelled" in said(page)
