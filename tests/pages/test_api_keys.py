"""The page of API keys, run by Streamlit's own test runner as an admin who is signed in."""

import pytest
from streamlit.testing.v1 import AppTest

from app.shared.resources import Resources
from core.domain.accounts import COMMAND_LINE, Role
from core.domain.api_keys import Scope
from tests.pages.browser import Browser, open_page

# AppTest's own event loop and sockets are closed by the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture
def browser(workplace: Resources, monkeypatch: pytest.MonkeyPatch) -> Browser:
    """The browser of an admin."""
    browser = Browser(workplace, monkeypatch)
    browser.sign_in(browser.account("head", Role.ADMIN))
    browser.account("station", Role.INSPECTOR)
    return browser


def open_keys(**query: str) -> AppTest:
    page = open_page("api_keys.py", **query)
    assert not page.exception
    return page


def button(page: AppTest, label: str) -> AppTest:
    return next(one for one in page.button if one.label == label).click().run()


def test_a_key_is_added_shown_once_and_acts(browser: Browser) -> None:
    page = open_keys()
    page.text_input[0].set_value("line 3")
    page.selectbox[0].set_value("station")
    page.multiselect[0].set_value(["detect", "read"])
    page = button(page, "Add")
    assert not page.exception
    (token,) = [one.value for one in page.code]
    identity = browser.services.api_keys.who(token)
    assert identity is not None
    assert (identity.name, identity.scopes) == ("station", {Scope.DETECT, Scope.READ})
    page = button(page, "Copied")
    assert not page.code
    (row,) = page.dataframe[0].value.to_dict("records")
    assert (row["Name"], row["Account"], row["State"]) == ("line 3", "station", "active")
    assert row["Last use"] != "never"


def test_a_key_is_revoked(browser: Browser) -> None:
    issued = browser.services.api_keys.add(COMMAND_LINE, "station", "line 3", [Scope.READ], days=1)
    page = button(open_keys(key=issued.key.key_id), "Revoke it")
    assert not page.exception
    assert browser.services.api_keys.who(issued.token) is None
    assert list(page.dataframe[0].value["State"]) == ["revoked"]


def test_what_cannot_be_a_key_is_told_and_nothing_is_added(browser: Browser) -> None:
    page = open_keys()
    page.selectbox[0].set_value("station")
    page = button(page, "Add")
    assert not browser.services.api_keys.all(COMMAND_LINE).keys
