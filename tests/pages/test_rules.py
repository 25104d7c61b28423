"""The page of acceptance tables, run by Streamlit's own test runner."""

import pytest
from streamlit.testing.v1 import AppTest

from app.shared.resources import Resources
from core.domain.accounts import Identity, Role, User
from core.standards.shipped import SHIPPED, shipped_rule_set
from tests.pages.browser import Browser, open_page, said

# AppTest's own event loop and sockets are closed by the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
ISO = "iso-5817"
ILLUSTRATIVE = "Illustrative: verify against a purchased edition"


@pytest.fixture
def browser(workplace: Resources, monkeypatch: pytest.MonkeyPatch) -> Browser:
    return Browser(workplace, monkeypatch)


@pytest.fixture
def admin(browser: Browser) -> User:
    """Who looks at the page."""
    user = browser.account("head", Role.ADMIN)
    browser.sign_in(user)
    return user


def open_rules(**address: str) -> AppTest:
    page = open_page("rules.py", **address)
    assert not page.exception
    return page


def changed(version: str = "2") -> str:
    text = shipped_rule_set(ISO).text.replace("title: ISO 5817\n", "title: ISO 5817, ours\n", 1)
    return text.replace('version: "1"', f'version: "{version}"', 1)


def save_elsewhere(browser: Browser, user: User, version: str, n: int) -> None:
    somebody = Identity(user.user_id, user.shown_name, user.role)
    browser.services.workspace.rules.save(somebody, ISO, changed(version), expected_version=n)


def versions(browser: Browser, user: User) -> list[int]:
    somebody = Identity(user.user_id, user.shown_name, user.role)
    return [one.number for one in browser.services.workspace.rules.history(somebody, ISO)]


@pytest.mark.parametrize("role", [Role.INSPECTOR, Role.REVIEWER])
def test_people_who_judge_read_the_tables_and_change_nothing(browser: Browser, role: Role) -> None:
    browser.sign_in(browser.account("somebody", role))
    page = open_rules()
    assert page.radio(key="rules.choice").options == [shipped_rule_set(one).title for one in SHIPPED]
    words = said(page)
    assert "gas pore, single" in words
    assert "d &lt;= 0.2 s, at most 3 mm" in words
    assert ILLUSTRATIVE in words
    assert not page.text_area
    assert not page.button
    assert not open_rules(view="edit").text_area


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize("table", SHIPPED)
def test_every_aspect_of_a_table_says_that_it_is_illustrative(table: str) -> None:
    for aspect in ("table", "edit", "versions"):
        assert ILLUSTRATIVE in said(open_rules(table=table, view=aspect))


@pytest.mark.usefixtures("admin")
def test_the_address_leads_to_a_table() -> None:
    assert "inadequate penetration" in said(open_rules(table="api-1104"))
    assert "gas pore, single" in said(open_rules(table="no-such-table"))
    page = open_rules()
    page.radio(key="rules.choice").set_value("api-1104").run()
    assert page.query_params["table"] == "api-1104"
    assert "inadequate penetration" in said(page)


def test_a_change_is_checked_shown_and_saved_as_the_next_version(browser: Browser, admin: User) -> None:
    page = open_rules(view="edit")
    assert 'version: "2"' in page.text_area[0].value
    page.text_area[0].set_value(changed()).run()
    assert "+title: ISO 5817, ours" in said(page)
    page.button(key="rules.save").click().run()
    assert not page.exception
    assert "as version 1" in said(page)
    assert "ISO 5817, ours" in said(page)
    assert not page.text_area
    assert versions(browser, admin) == [1, 0]


def test_what_is_no_table_is_told_in_one_line_and_nothing_is_saved(browser: Browser, admin: User) -> None:
    page = open_rules(view="edit")
    wrong = changed().replace("check: size", "check: sise", 1)
    page.text_area[0].set_value(wrong).run()
    assert "Not a table yet" in said(page)
    page.button(key="rules.save").click().run()
    (error,) = page.error
    assert error.value.startswith("Nothing was saved: rule iso-5817-gas-pore")
    assert page.text_area[0].value == wrong
    assert versions(browser, admin) == [0]


def test_a_draft_is_there_again_after_looking_elsewhere(browser: Browser, admin: User) -> None:
    page = open_rules(view="edit")
    page.text_area[0].set_value(changed("9")).run()
    page.radio(key="rules.choice").set_value("api-1104").run()
    page.radio(key="rules.choice").set_value(ISO).run()
    page.segmented_control(key="rules.aspect").set_value("edit").run()
    assert page.text_area[0].value == changed("9")
    page.button(key="rules.discard").click().run()
    assert 'version: "2"' in page.text_area[0].value
    assert versions(browser, admin) == [0]


def test_what_somebody_saved_meanwhile_is_compared_first(browser: Browser, admin: User) -> None:
    page = open_rules(view="edit")
    page.text_area[0].set_value(changed("9")).run()
    save_elsewhere(browser, admin, "2", 0)
    page.button(key="rules.save").click().run()
    assert "is at version 1 by now" in page.error[0].value
    assert "head saved version 1" in page.warning[0].value
    assert page.button(key="rules.save").disabled
    page.button(key="rules.rebase").click().run()
    page.button(key="rules.save").click().run()
    assert versions(browser, admin) == [2, 1, 0]


def test_versions_are_listed_compared_and_brought_back(browser: Browser, admin: User) -> None:
    save_elsewhere(browser, admin, "2", 0)
    page = open_rules(view="versions")
    table = page.dataframe[0].value
    assert list(table["Version"]) == [1, 0]
    assert list(table["By"]) == ["head", ""]
    assert "-title: ISO 5817<" in said(page)
    assert "+title: ISO 5817, ours" in said(page)
    page.button(key="rules.begin").click().run()
    assert 'version: "3"' in page.text_area[0].value
    assert "ours" not in page.text_area[0].value
    page.button(key="rules.save").click().run()
    assert versions(browser, admin) == [2, 1, 0]


def test_a_table_of_ones_own_begins_as_a_copy(browser: Browser, admin: User) -> None:
    page = open_rules()
    page.text_input(key="rules.new_id").set_value(ISO).run()
    page.button(key="rules.copy").click().run()
    assert f"there is a table {ISO} already" in said(page)
    page.text_input(key="rules.new_id").set_value("house-rules").run()
    page.button(key="rules.copy").click().run()
    assert not page.exception
    assert "id: house-rules" in page.text_area[0].value
    assert page.radio(key="rules.choice").value == "house-rules"
    page.button(key="rules.save").click().run()
    assert not page.exception
    assert page.query_params["table"] == "house-rules"
    assert "house-rules (copy)" in page.radio(key="rules.choice").options
