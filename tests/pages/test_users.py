"""The page of users, run by Streamlit's own test runner as an admin who is signed in."""

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from app.shared.resources import Resources
from core.domain.accounts import COMMAND_LINE, Identity, Role, User
from core.services.accounts.certificates import is_certificate_required
from core.services.accounts.passwords import check_password
from core.store.record_tables import AuditEventRow
from tests.pages.browser import Browser, open_page, said

# AppTest's own event loop and sockets are closed by the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture
def browser(workplace: Resources, monkeypatch: pytest.MonkeyPatch) -> Browser:
    """The browser of an admin."""
    browser = Browser(workplace, monkeypatch)
    browser.sign_in(browser.account("head", Role.ADMIN))
    return browser


@pytest.fixture
def inspector(browser: Browser) -> User:
    return browser.account("a.inspector", Role.INSPECTOR)


def open_users(user: User | None = None) -> AppTest:
    page = open_page("users.py", **({"user": user.user_id} if user else {}))
    assert not page.exception
    return page


def stored(browser: Browser, user: User) -> User:
    with browser.services.store.read() as work:
        found = work.users.find(user.user_id)
    assert found is not None
    return found


def names(page: AppTest) -> list[str]:
    return list(page.dataframe[0].value["Name"])


def issued(browser: Browser, page: AppTest, user: User) -> str:
    """The password on the page, which is that of the account."""
    (code,) = page.code
    with browser.services.store.read() as work:
        assert check_password(code.value, work.users.password_hash(user.user_id))
    return str(code.value)


def test_the_table_lists_everybody_with_state_and_sessions(browser: Browser, inspector: User) -> None:
    browser.session(inspector)
    browser.account("b.new", Role.REVIEWER, must_change=True)
    browser.services.accounts.disable(COMMAND_LINE, browser.account("c.left", Role.ANNOTATOR).user_id)
    rows = open_users().dataframe[0].value.set_index("Name")
    assert list(rows.index) == ["a.inspector", "b.new", "c.left", "head"]
    assert dict(rows["State"]) == {
        "a.inspector": "active",
        "b.new": "active, password to be changed",
        "c.left": "disabled",
        "head": "active",
    }
    assert dict(rows["Sessions"]) == {"a.inspector": 1, "b.new": 0, "c.left": 0, "head": 1}
    assert rows["Last sign-in"]["b.new"] == "never"


@pytest.mark.usefixtures("inspector")
def test_the_filter_narrows_the_table(browser: Browser) -> None:
    browser.account("b.reviewer", Role.REVIEWER)
    page = open_users()
    page.text_input(key="users.find").set_value("INSP").run()
    assert names(page) == ["a.inspector"]
    page.text_input(key="users.find").set_value("").run()
    page.selectbox(key="users.role").set_value(Role.REVIEWER).run()
    assert names(page) == ["b.reviewer"]
    page.selectbox(key="users.state").set_value("disabled").run()
    assert "No account is like this" in said(page)


def test_somebody_is_added_and_the_password_is_shown_once(browser: Browser) -> None:
    page = open_users()
    page.text_input(key="users.add.name.0").set_value("New.Comer")
    page.text_input(key="users.add.full_name.0").set_value("New Comer")
    page.selectbox(key="users.add.role.0").set_value(Role.ANNOTATOR)
    page.button(key="users.add.send").click().run()
    user = browser.services.accounts.named(COMMAND_LINE, "new.comer")
    assert (user.role, user.full_name, user.must_change_password) == (Role.ANNOTATOR, "New Comer", True)
    password = issued(browser, page, user)
    assert "new.comer was added as Annotator" in said(page)
    assert page.query_params["user"] == user.user_id
    page.button(key="users.handed_over").click().run()
    assert not page.code
    assert password not in said(page)
    assert password not in repr(page.session_state)


@pytest.mark.usefixtures("inspector")
def test_a_name_that_is_taken_is_told_and_nothing_is_added(browser: Browser) -> None:
    page = open_users()
    page.text_input(key="users.add.name.0").set_value("a.inspector")
    page.button(key="users.add.send").click().run()
    assert [error.value for error in page.error] == ["there is an account a.inspector already."]
    assert names(page) == ["a.inspector", "head"]


def test_the_role_is_set(browser: Browser, inspector: User) -> None:
    page = open_users(inspector)
    assert page.button(key="users.role.set").disabled
    page.selectbox(key=f"users.set_role.{inspector.user_id}.inspector").set_value(Role.REVIEWER).run()
    page.button(key="users.role.set").click().run()
    assert stored(browser, inspector).role is Role.REVIEWER
    assert "a.inspector is Reviewer now" in said(page)
    with Session(browser.services.database) as session:
        event = session.scalars(select(AuditEventRow).order_by(AuditEventRow.seq.desc())).first()
    assert event is not None
    assert (event.action, event.object_id) == ("user.role_changed", inspector.user_id)
    assert event.request_id, "what is done by a click can be found in the log"


def test_a_reset_password_is_shown_and_ends_the_sessions(browser: Browser, inspector: User) -> None:
    token = browser.session(inspector)
    page = open_users(inspector)
    page.button(key="users.reset").click().run()
    issued(browser, page, inspector)
    assert browser.services.signing_in.who(token) is None
    assert stored(browser, inspector).must_change_password


def test_disabling_is_undone_by_enabling(browser: Browser, inspector: User) -> None:
    page = open_users(inspector)
    page.button(key="users.disable").click().run()
    assert not stored(browser, inspector).is_active
    page.button(key="users.enable").click().run()
    assert stored(browser, inspector).is_active


def test_sessions_are_ended(browser: Browser, inspector: User) -> None:
    page = open_users(inspector)
    assert page.button(key="users.end_sessions").disabled
    token = browser.session(inspector)
    page.run()
    page.button(key="users.end_sessions").click().run()
    assert "1 session was ended" in said(page)
    assert browser.services.signing_in.who(token) is None


def test_somebody_is_erased_only_when_the_name_is_typed(browser: Browser, inspector: User) -> None:
    page = open_users(inspector)
    page.button(key="users.erase.send").click().run()
    assert "nothing was erased" in page.error[0].value
    page.text_input(key=f"users.erase.{inspector.user_id}").set_value("a.inspector").run()
    page.button(key="users.erase.send").click().run()
    assert stored(browser, inspector).is_erased
    assert "The person was erased" in said(page)
    assert not [button for button in page.button if button.key == "users.reset"]
    assert names(page)[-1] == f"erased user {inspector.user_id}"


def test_what_somebody_else_changed_meanwhile_is_told_and_shown(browser: Browser, inspector: User) -> None:
    page = open_users(inspector)
    browser.services.accounts.set_role(COMMAND_LINE, inspector.user_id, Role.ML_ENGINEER)
    page.button(key="users.disable").click().run()
    assert "somebody else changed the account a.inspector" in page.error[0].value
    assert stored(browser, inspector).is_active
    assert "<dd>ML engineer</dd>" in said(page)
    page.button(key="users.disable").click().run()  # now it was seen
    assert not stored(browser, inspector).is_active


def test_a_role_taken_away_while_the_page_is_open_ends_it(browser: Browser, inspector: User) -> None:
    other = browser.account("second", Role.ADMIN)
    browser.sign_in(other)
    page = open_users(inspector)
    browser.services.accounts.set_role(COMMAND_LINE, other.user_id, Role.REVIEWER)
    page.button(key="users.disable").click().run()
    assert stored(browser, inspector).is_active
    assert "Users is not open to you" in said(page)
    assert not page.dataframe


def test_ones_own_account_has_no_buttons_here(browser: Browser) -> None:
    page = open_users(browser.services.accounts.named(COMMAND_LINE, "head"))
    assert "This is your own account" in said(page)
    assert not [button for button in page.button if button.key in ("users.reset", "users.disable")]
    assert not [field for field in page.text_input if field.key.startswith("users.erase")]


def test_an_unknown_account_in_the_address_shows_the_form(browser: Browser) -> None:
    page = open_page("users.py", user="u-nobody")
    assert not page.exception
    assert page.text_input(key="users.add.name.0")


def add_certificate(page: AppTest, **changes: object) -> AppTest:
    """Fill in the form of another certificate and send it."""
    said = {"method": "RT", "level": 3, "number": "4711", "valid_until": date(2099, 3, 31)} | changes
    for field, value in said.items():
        (widget,) = [
            one
            for one in (*page.text_input, *page.selectbox, *page.date_input)
            if str(one.key).startswith(f"users.certificate.new.{field}.")
        ]
        widget.set_value(value)
    return page.button(key="users.certificate.add").click().run()


def test_certificates_are_added_changed_and_removed(browser: Browser, inspector: User) -> None:
    page = add_certificate(open_users(inspector))
    assert not page.exception
    assert "certificate of a.inspector: ISO 9712 RT level 3, no. 4711, valid until 2099-03-31" in said(page)
    rows = page.dataframe[0].value.set_index("Name")
    assert rows.loc["a.inspector", "Certificate"] == "ISO 9712, level 3, until 2099-03-31"
    own = browser.services.certificates.own(Identity(inspector.user_id, "a.inspector", inspector.role))[0]
    (one,) = own
    (number,) = [
        field
        for field in page.text_input
        if str(field.key).startswith(f"users.certificate.{one.certificate_id}.number.")
    ]
    assert number.value == "4711"
    number.set_value("4712")
    page.button(key=f"users.certificate.save.{one.certificate_id}").click().run()
    assert "no. 4712" in said(page)
    page.button(key=f"users.certificate.remove.{one.certificate_id}").click().run()
    assert "removed from a.inspector" in said(page)
    assert browser.services.certificates.all(COMMAND_LINE) == {}


def test_a_certificate_without_its_last_day_is_refused(browser: Browser, inspector: User) -> None:
    page = add_certificate(open_users(inspector), valid_until=None)
    assert "choose the last day" in page.error[0].value
    assert browser.services.certificates.all(COMMAND_LINE) == {}


def test_an_admin_decides_whether_signing_needs_a_certificate(browser: Browser) -> None:
    page = open_users()
    box = page.checkbox(key="users.certificate.required")
    assert not box.value
    box.check().run()
    assert "signing needs a valid certificate" in said(page)
    with browser.services.store.read() as work:
        assert is_certificate_required(work)
    assert open_users().checkbox(key="users.certificate.required").value


def test_an_admin_decides_whether_everybody_looks_at_the_film_first(
    browser: Browser, inspector: User
) -> None:
    box = open_users().checkbox(key="users.film_first")
    assert not box.value
    box.check().run()
    person = Identity(inspector.user_id, "a.inspector", inspector.role)
    assert browser.services.workspace.film_first.is_on(person)
    assert open_users().checkbox(key="users.film_first").value
