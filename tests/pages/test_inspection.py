"""The inspection page, run by Streamlit's own test runner on real services."""

import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.resources import Resources, resources
from tests.workplace import radiograph_png

MAIN = str(Path(__file__).resolve().parents[2] / "app" / "main.py")
# AppTest's own event loop and sockets are closed by the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture
def page(workplace: Resources) -> AppTest:
    return AppTest.from_file(MAIN, default_timeout=60)


def trays() -> list[object]:
    """Entries of every visitor."""
    return [entry for tray in resources().trays._trays.values() for entry in tray.entries()]


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
    assert [entry.name for entry in trays()] == ["part.png"]
    assert not page.exception


def test_a_broken_upload_is_told_in_one_line_and_the_page_still_invites(page: AppTest) -> None:
    page.run()
    page.file_uploader[0].set_value(("part.png", b"not a picture", "image/png")).run()
    until(page, lambda: page.error)
    assert "part.png" in page.error[0].value
    assert "Nothing was stored" in page.error[0].value
    assert page.file_uploader
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
