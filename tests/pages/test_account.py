"""The page of one's own account, and the form that changes the password."""

from datetime import UTC, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from app.auth.rows import browser_name
from app.shared.resources import Resources
from app.shared.visitors import SESSION_COOKIE
from core.domain.accounts import COMMAND_LINE, Identity, Role, User
from core.domain.certificates import Scheme
from core.services.accounts.passwords import check_password
from tests.pages.browser import PASSWORD, Browser, open_page, said

# AppTest's own event loop and sockets are closed by the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
NEW = "one crack in 7 castings"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/150.0 Safari/537.36"


@pytest.fixture
def browser(workplace: Resources, monkeypatch: pytest.MonkeyPatch) -> Browser:
    return Browser(workplace, monkeypatch)


@pytest.fixture
def inspector(browser: Browser) -> User:
    """Somebody who is signed in."""
    user = browser.account("a.inspector", Role.INSPECTOR)
    browser.sign_in(user)
    return user


def change(page: AppTest, current: str, new: str, again: str | None = None) -> AppTest:
    page.text_input(key="password.current").set_value(current)
    page.text_input(key="password.new").set_value(new)
    page.text_input(key="password.again").set_value(new if again is None else again)
    return page.button(key="password.send").click().run()


def is_password(browser: Browser, user: User, password: str) -> bool:
    with browser.services.store.read() as work:
        return check_password(password, work.users.password_hash(user.user_id))


def ticket_of(page: AppTest) -> str:
    """The ticket that the page hands to the browser, empty when there is none."""
    for component in page.get("bidi_component"):
        if "ticket" in str(component.proto):
            return str(component.proto)
    return ""


def test_the_page_says_who_one_is(inspector: User) -> None:
    page = open_page("account.py")
    assert not page.exception
    for fact in ("a.inspector", "A.Inspector", "Inspector", inspector.user_id):
        assert fact in said(page)


def test_a_changed_password_ends_every_session_and_hands_out_a_ticket(
    browser: Browser, inspector: User
) -> None:
    elsewhere = browser.session(inspector)
    page = change(open_page("account.py"), PASSWORD, NEW)
    assert not page.exception
    assert is_password(browser, inspector, NEW)
    assert ticket_of(page)
    assert "Your password is changed" in said(page)
    assert not page.text_input, "what was typed is not on the page any more"
    for token in (elsewhere, browser.cookies[SESSION_COOKIE]):
        assert browser.services.signing_in.who(token) is None


@pytest.mark.parametrize(
    ("current", "new", "again", "told"),
    [
        ("", NEW, None, "Enter your current password"),
        (PASSWORD, "", None, "Enter your current password"),
        (PASSWORD, NEW, NEW + "!", "The two new passwords differ"),
        (PASSWORD, "short", None, "at least 12"),
        (PASSWORD, PASSWORD, None, "is the current one"),
        ("something else 1", NEW, None, "not the password"),
    ],
)
def test_what_will_not_do_is_told_and_changes_nothing(
    browser: Browser, inspector: User, current: str, new: str, again: str | None, told: str
) -> None:
    page = change(open_page("account.py"), current, new, again)
    assert not page.exception
    assert told in page.error[0].value
    assert not ticket_of(page)
    assert is_password(browser, inspector, PASSWORD)
    assert browser.services.signing_in.who(browser.cookies[SESSION_COOKIE]) is not None


def test_who_must_change_the_password_sees_only_that_and_can(browser: Browser) -> None:
    user = browser.account("b.new", Role.REVIEWER, must_change=True)
    browser.sign_in(user)
    page = open_page("account.py")
    assert "Choose your own password" in said(page)
    assert not page.dataframe
    page = change(page, PASSWORD, NEW)
    assert ticket_of(page)
    browser.sign_in(user)
    assert "Choose your own password" not in said(open_page("account.py"))


def test_the_sessions_are_listed_and_the_others_ended(browser: Browser, inspector: User) -> None:
    other = browser.session(inspector, CHROME)
    page = open_page("account.py")
    assert list(page.dataframe[0].value["Browser"]) == ["Chrome on Windows", "Firefox on Linux · this one"]
    page.button(key="account.end_others").click().run()
    assert "1 other session ended" in said(page)
    assert browser.services.signing_in.who(other) is None
    assert browser.services.signing_in.who(browser.cookies[SESSION_COOKIE]) is not None
    assert page.button(key="account.end_others").disabled


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (CHROME, "Chrome on Windows"),
        (CHROME + " Edg/150.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 15_0) Version/19.0 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) CriOS/150.0", "Chrome on iPhone"),
        ("Mozilla/5.0 (Linux; Android 16) Firefox/150.0", "Firefox on Android"),
        ("curl/8.0", "curl/8.0"),
        ("", "unknown browser"),
        ("x" * 200, "x" * 40),
    ],
)
def test_a_browser_has_a_name_that_people_know(agent: str, name: str) -> None:
    assert browser_name(agent) == name


def test_the_own_certificates_are_shown_and_their_end_is_told(browser: Browser, inspector: User) -> None:
    assert "not stated" in said(open_page("account.py"))
    ends = datetime.now(UTC).date() + timedelta(days=30)
    browser.services.certificates.add(
        COMMAND_LINE,
        inspector.user_id,
        scheme=Scheme.NAS_410,
        method="RT",
        level=2,
        number="77",
        valid_until=ends,
    )
    page = open_page("account.py")
    assert f"NAS 410 RT level 2, no. 77, valid until {ends.isoformat()}" in said(page)
    assert "Your certificate ends in " in page.warning[0].value


def test_film_first_is_chosen_for_oneself(browser: Browser, inspector: User) -> None:
    page = open_page("account.py")
    choice = page.selectbox(key="account.film_first")
    assert choice.value is None
    choice.select(True).run()
    person = Identity(inspector.user_id, "a.inspector", Role.INSPECTOR)
    assert browser.services.workspace.film_first.own(person) is True
    assert open_page("account.py").selectbox(key="account.film_first").value is True
