"""Accounts and sessions in a real browser: who gets in, where to, and how soon somebody is out again."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from app.shared.navigation import first_page
from core.config import Settings
from core.container import open_container
from core.domain.accounts import COMMAND_LINE, Role, User
from core.services.accounts.accounts import AccountService
from core.services.accounts.passwords import hash_password
from core.store.audit_trail import open_store
from core.store.database import open_database
from tests.e2e.serving import PATIENCE_MS, Served, served

PASSWORD = "three pores in 4 welds"
NEW_PASSWORD = "five cracks in 6 castings"
SAMPLE = "Single gas pores"
ENDED = "Your session has ended"
pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore::ResourceWarning")]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The product that lets guests in, too."""
    with served(tmp_path_factory.mktemp("demo"), "--demo") as running:
        yield running


@contextmanager
def accounts_of(server: Served) -> Iterator[AccountService]:
    """What `radikal user` works on: another process than the server."""
    names = {key.lower(): value for key, value in server.environment.items()}
    with open_container(Settings(_env_file=None, **names)) as services:
        yield services.accounts


def add_user(server: Served, name: str, role: Role = Role.INSPECTOR) -> User:
    """An account that has chosen its own password."""
    with accounts_of(server) as accounts:
        user = accounts.add(COMMAND_LINE, name, name.title(), role, PASSWORD).user
    database = open_database(server.environment["DATABASE_URL"])
    with open_store(database).engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE users SET must_change_password = 0, password_hash = ? WHERE user_id = ?",
            (hash_password(PASSWORD, cost=10), user.user_id),
        )
    database.dispose()
    return user


@contextmanager
def visitor(chromium: Browser, server: Served) -> Iterator[BrowserContext]:
    """A browser of its own; any error of a script fails the test."""
    errors: list[str] = []
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, base_url=server.address)
    context.set_default_timeout(PATIENCE_MS)
    context.on("weberror", lambda error: errors.append(str(error.error)))
    yield context
    context.close()
    assert not errors


def fill_in(page: Page, name: str, password: str = PASSWORD) -> None:
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_test_id("stFormSubmitButton").get_by_role("button").click()


def sign_in(page: Page, name: str, path: str = "/how-to-read", password: str = PASSWORD) -> None:
    page.goto(path)
    fill_in(page, name, password)
    expect(menu(page, name)).to_be_visible()


def menu(page: Page, name: str) -> object:
    return page.locator(".st-key-rk-user").get_by_role("button", name=name)


def sign_out(page: Page, name: str) -> None:
    menu(page, name).click()
    page.get_by_role("button", name="Sign out").click()
    expect(form(page)).to_be_visible()


def form(page: Page) -> object:
    return page.get_by_label("Password", exact=True)


def interact(page: Page) -> None:
    """The next thing that somebody does."""
    page.get_by_role("link", name="Inspect").click()


def test_a_link_to_a_page_survives_signing_in(chromium: Browser, server: Served) -> None:
    add_user(server, "linked")
    with visitor(chromium, server) as context:
        page = context.new_page()
        page.goto("/how-to-read")
        expect(form(page)).to_be_visible()
        expect(page.get_by_text("raw score")).to_have_count(0)
        assert page.request.get("/pixels/" + "0" * 64).status == 403
        fill_in(page, "linked")
        expect(page.get_by_text("raw score")).to_be_visible()
        assert page.url == f"{server.address}/how-to-read"

        cookies = {cookie["name"]: cookie for cookie in context.cookies()}
        assert set(cookies) <= {"radikal_session", "_streamlit_xsrf"}
        assert cookies["radikal_session"]["httpOnly"]
        assert cookies["radikal_session"]["sameSite"] == "Lax"
        assert "radikal_session" not in page.evaluate("document.cookie")
        assert PASSWORD not in page.content()


def test_signing_in_takes_no_mouse(chromium: Browser, server: Served) -> None:
    add_user(server, "typist")
    with visitor(chromium, server) as context:
        page = context.new_page()
        page.goto("/how-to-read")
        expect(page.get_by_label("Name", exact=True)).to_be_focused()
        page.keyboard.type("typist")
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        expect(menu(page, "typist")).to_be_visible()


def test_what_was_typed_is_in_no_log_and_no_table(chromium: Browser, server: Served) -> None:
    add_user(server, "discreet")
    with visitor(chromium, server) as context:
        page = context.new_page()
        page.goto("/")
        fill_in(page, "mistypedsecret", "secretmistyped")
        expect(page.get_by_text("do not fit together")).to_be_visible()
        fill_in(page, "discreet")
        expect(menu(page, "discreet")).to_be_visible()
    log = server.log.read_text(encoding="utf-8")
    stored = Path(server.environment["DATABASE_URL"].removeprefix("sqlite:///")).read_bytes()
    for typed in ("mistypedsecret", "secretmistyped", PASSWORD):
        assert typed not in log
        assert typed.encode() not in stored


def test_five_wrong_passwords_lock_out_and_the_seconds_are_counted_down(
    chromium: Browser, server: Served
) -> None:
    add_user(server, "guessed")
    with visitor(chromium, server) as context:
        page = context.new_page()
        page.goto("/")
        for n in range(4):
            fill_in(page, "guessed", f"wrong guess number {n}")
            page.wait_for_timeout(300)
            expect(page.get_by_text("do not fit together")).to_be_visible()
            expect(page.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_be_visible()
        fill_in(page, "guessed", "wrong guess at last")
        locked = page.get_by_text(re.compile(r"Too many attempts.* (\d+) s"))
        expect(locked).to_be_visible()
        first = seconds(locked.inner_text())
        assert 20 <= first <= 30
        fill_in(page, "guessed")  # the right one is not looked at either
        page.wait_for_timeout(2500)
        expect(locked).to_be_visible()
        assert seconds(locked.inner_text()) < first


def test_a_copied_cookie_dies_at_sign_out(chromium: Browser, server: Served) -> None:
    add_user(server, "copied")
    with visitor(chromium, server) as context, visitor(chromium, server) as thief:
        page = context.new_page()
        sign_in(page, "copied")
        thief.add_cookies(context.cookies())
        copy = thief.new_page()
        copy.goto("/how-to-read")
        expect(menu(copy, "copied")).to_be_visible()
        sign_out(page, "copied")
        interact(copy)
        expect(copy.get_by_text(ENDED)).to_be_visible()
        copy.goto("/")
        expect(form(copy)).to_be_visible()
        assert copy.request.get("/pixels/" + "0" * 64).status == 403


def test_signing_out_in_one_tab_shows_the_form_in_the_other(chromium: Browser, server: Served) -> None:
    add_user(server, "two.tabs")
    with visitor(chromium, server) as context:
        one, two = context.new_page(), context.new_page()
        sign_in(one, "two.tabs")
        two.goto("/how-to-read")
        expect(menu(two, "two.tabs")).to_be_visible()
        sign_out(one, "two.tabs")
        interact(two)
        expect(two.get_by_text(ENDED)).to_be_visible()
        expect(two.get_by_text("Drop a radiograph")).to_have_count(0)


def test_a_role_that_was_taken_away_closes_the_open_page(chromium: Browser, server: Served) -> None:
    add_user(server, "chief", Role.ADMIN)
    user = add_user(server, "demoted", Role.ADMIN)
    with visitor(chromium, server) as context:
        page = context.new_page()
        sign_in(page, "demoted", "/users")
        expect(page.get_by_role("button", name="Add a user")).to_be_visible()
        with accounts_of(server) as accounts:
            accounts.set_role(COMMAND_LINE, user.user_id, Role.ANNOTATOR)
        page.get_by_role("button", name="Add a user").click()
        expect(page.get_by_text("Users is not open to you")).to_be_visible()
        expect(page.get_by_role("link", name="Users")).to_have_count(0)
        page.get_by_role("link", name=f"Go to {first_page(Role.ANNOTATOR).title}").click()
        expect(page.get_by_text("is not open to you")).to_have_count(0)


def test_a_disabled_account_is_out_at_the_next_click(chromium: Browser, server: Served) -> None:
    user = add_user(server, "disabled")
    with visitor(chromium, server) as context:
        page = context.new_page()
        sign_in(page, "disabled")
        with accounts_of(server) as accounts:
            accounts.disable(COMMAND_LINE, user.user_id)
        interact(page)
        expect(page.get_by_text(ENDED)).to_be_visible()
        fill_in(page, "disabled")
        expect(page.get_by_text("do not fit together")).to_be_visible()


def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(chromium: Browser, server: Served) -> None:
    add_user(server, "changing")
    with visitor(chromium, server) as context, visitor(chromium, server) as elsewhere:
        page, other = context.new_page(), elsewhere.new_page()
        sign_in(page, "changing", "/account")
        sign_in(other, "changing")
        page.get_by_label("Current password", exact=True).fill(PASSWORD)
        page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
        page.get_by_label("New password again", exact=True).fill(NEW_PASSWORD)
        with page.expect_response("**/signin"):
            page.get_by_role("button", name="Change password").click()
        interact(other)
        expect(other.get_by_text(ENDED)).to_be_visible()
        fill_in(other, "changing", NEW_PASSWORD)
        expect(menu(other, "changing")).to_be_visible()
        interact(page)
        expect(page.get_by_text("Drop a radiograph")).to_be_visible()


def test_a_session_that_did_nothing_for_too_long_is_over(chromium: Browser, server: Served) -> None:
    user = add_user(server, "idle")
    with visitor(chromium, server) as context:
        page = context.new_page()
        sign_in(page, "idle")
        path = server.environment["DATABASE_URL"].removeprefix("sqlite:///")
        with closing(sqlite3.connect(path, timeout=10)) as connection, connection:
            connection.execute(
                "UPDATE sessions SET seen_at = datetime(seen_at, '-61 minutes') WHERE user_id = ?",
                (user.user_id,),
            )
        interact(page)
        expect(page.get_by_text(ENDED)).to_be_visible()


def test_a_guest_next_to_an_inspector_sees_nothing_of_theirs(chromium: Browser, demo: Served) -> None:
    add_user(demo, "inspector")
    with visitor(chromium, demo) as hers, visitor(chromium, demo) as theirs:
        guest, inspector = theirs.new_page(), hers.new_page()
        guest.goto("/")
        expect(menu(guest, "guest")).to_be_visible()
        inspector.goto("/")
        menu(inspector, "guest").click()
        inspector.get_by_role("link", name="Sign in").click()
        fill_in(inspector, "inspector")
        expect(menu(inspector, "inspector")).to_be_visible()
        with inspector.expect_response(re.compile("/pixels/")) as fetched:
            inspector.get_by_role("button", name=SAMPLE).click()
        pixels = fetched.value.url
        assert inspector.request.get(pixels).status == 200
        assert guest.request.get(pixels).status in (403, 404)
        expect(inspector).to_have_url(re.compile("image="))
        guest.goto(inspector.url)
        expect(guest.get_by_text("Drop a radiograph")).to_be_visible()
        expect(guest.locator(".bench")).to_have_count(0)


def test_a_guest_ends_the_demo_and_finds_an_empty_table(chromium: Browser, demo: Served) -> None:
    with visitor(chromium, demo) as context:
        page = context.new_page()
        page.goto("/")
        with page.expect_response(re.compile("/pixels/")):
            page.get_by_role("button", name=SAMPLE).click()
        before = {cookie["name"]: cookie["value"] for cookie in context.cookies()}
        menu(page, "guest").click()
        page.get_by_role("button", name="End demo").click()
        expect(page.get_by_text("Drop a radiograph")).to_be_visible()
        after = {cookie["name"]: cookie["value"] for cookie in context.cookies()}
        assert after["radikal_guest"] != before["radikal_guest"]


def test_who_signs_out_of_a_demo_is_asked_before_they_go_on_as_a_guest(
    chromium: Browser, demo: Served
) -> None:
    add_user(demo, "leaving")
    with visitor(chromium, demo) as context:
        one, two = context.new_page(), context.new_page()
        one.goto("/signin?next=/how-to-read")
        fill_in(one, "leaving")
        expect(menu(one, "leaving")).to_be_visible()
        assert one.url == f"{demo.address}/how-to-read"
        two.goto("/how-to-read")
        expect(menu(two, "leaving")).to_be_visible()
        menu(one, "leaving").click()
        one.get_by_role("button", name="Sign out").click()
        expect(menu(one, "guest")).to_be_visible()
        interact(two)
        expect(two.get_by_text(ENDED)).to_be_visible()
        two.get_by_role("button", name="Try the demo").click()
        expect(menu(two, "guest")).to_be_visible()


def seconds(text: str) -> int:
    found = re.search(r"(\d+) s", text)
    assert found
    return int(found[1])
