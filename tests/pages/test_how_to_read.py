"""The help page: what is on the page in short, every key, and the manual with its pictures."""

import re
from pathlib import Path

import pytest

from app.shared.resources import Resources
from core.domain.accounts import Role
from tests.pages.browser import Browser, open_page

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
MOST_BYTES = 250_000


def test_the_manual_stands_beside_what_is_said_in_short(
    workplace: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = Browser(workplace, monkeypatch)
    browser.sign_in(browser.account("reader", Role.INSPECTOR))
    page = open_page("how_to_read.py")
    assert not page.exception
    told = " ".join(element.value for element in page.markdown)
    assert "Keys of the viewer" in told
    assert "A Level II signs, never the model" in told
    assert ".md)" not in told  # a link to a file leads nowhere here
    assert len(page.get("image")) == len(pictures_of_manual())


def test_every_picture_of_the_manual_is_there_and_small(repository: Path) -> None:
    found = [repository / "docs" / path for path in pictures_of_manual()]
    assert len(found) >= 4
    assert sum(path.stat().st_size for path in found) < MOST_BYTES


def pictures_of_manual() -> list[str]:
    manual = Path(__file__).parents[2] / "docs" / "reading.md"
    return re.findall(r"^!\[.+\]\((.+)\)$", manual.read_text(encoding="utf-8"), re.M)
