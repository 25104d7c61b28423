"""Who sees what: the entry script, run by Streamlit's own test runner on real services."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.shared import access
from app.shared.navigation import PAGES, first_page, pages_for
from app.shared.resources import Resources, forget_resources, use_resources
from app.shared.visitors import SESSION_COOKIE
from app.shared.worklist import worklists
from core.domain.accounts import Role
from core.services.demo_workspaces import DemoWorkspaces
from core.store.audit_trail import open_store
from tests.app.people import PASSWORD, add_user, session_token_of
from tests.workplace import close_workplace, make_workplace

MAIN = str(Path(__file__).resolve().parents[2] / "app" / "main.py")
# AppTest's own event loop and sockets are closed by the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


class Context:
    """What a browser brings along."""

    def __init__(self) -> None:
        self.cookies: dict[str, str] = {}
        self.headers: dict[str, str] = {}
        self.ip_address = "192.0.2.7"


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Resources]:
    """A product for people with an account only."""
    resources = make_workplace(tmp_path, is_demo=False)
    use_resources(resources)
    yield resources
    forget_resources()
    close_workplace(resources)


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Context:
    context = Context()
    monkeypatch.setattr(access.st, "context", context)
    return context


@pytest.fixture
def as_user(held: Resources, browser: Context) -> Callable[..., AppTest]:
    """A function that opens a page as somebody of this role."""

    def open_as(role: Role, **options: bool) -> AppTest:
        add_user(held, f"a.{role.value}", role, **options)
        browser.cookies[SESSION_COOKIE] = session_token_of(held, f"a.{role.value}")
        return AppTest.from_file(MAIN, default_timeout=60).run()

    return open_as


def texts(page: AppTest) -> str:
    elements = [*page.get("html"), *page.markdown, *page.caption, *page.error, *page.info]
    return " ".join(str(getattr(e, "value", None) or getattr(e.proto, "body", "")) for e in elements)


def test_without_a_session_there_is_the_form_and_nothing_else(held: Resources, browser: Context) -> None:
    page = AppTest.from_file(MAIN, default_timeout=60).run()
    assert not page.exception
    assert [field.label for field in page.text_input] == ["Name", "Password"]
    assert not page.file_uploader
    page.switch_page("../pages/users.py").run()
    assert [field.label for field in page.text_input] == ["Name", "Password"]


def test_the_right_password_leads_to_a_ticket_and_is_forgotten(held: Resources, browser: Context) -> None:
    add_user(held, "inspector")
    page = AppTest.from_file(MAIN, default_timeout=60).run()
    page.text_input[0].input("Inspector")
    page.text_input[1].input(PASSWORD)
    page.button[0].click().run()
    assert not page.exception
    assert page.get("bidi_component")
    assert not page.text_input
    assert PASSWORD not in str(page.session_state)


def test_a_wrong_password_is_told_in_plain_words(held: Resources, browser: Context) -> None:
    page = AppTest.from_file(MAIN, default_timeout=60).run()
    page.button[0].click().run()
    assert "Enter your name" in page.error[0].value
    page.text_input[0].input("nobody")
    page.text_input[1].input("wrong")
    page.button[0].click().run()
    assert "do not fit together" in page.error[0].value
    for _ in range(4):
        page.button[0].click().run()
    assert "Too many attempts" in page.error[0].value


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.GUEST])
def test_everybody_starts_at_the_first_page_of_their_role(
    as_user: Callable[..., AppTest], role: Role
) -> None:
    page = as_user(role)
    assert not page.exception
    assert "is not open to you" not in texts(page)
    assert first_page(role) in pages_for(role)


def test_whoever_must_change_the_password_sees_that_only(as_user: Callable[..., AppTest]) -> None:
    page = as_user(Role.ADMIN, must_change=True)
    for entry in (None, *PAGES):
        if entry is not None:
            page.switch_page(entry.file).run()
        assert not page.exception
        assert "Choose your own password" in texts(page)
        assert len(page.text_input) == 3
        assert not page.file_uploader


def test_the_next_run_after_the_end_of_a_session_shows_the_form(
    as_user: Callable[..., AppTest], held: Resources, browser: Context
) -> None:
    page = as_user(Role.INSPECTOR)
    assert page.file_uploader
    held.services.signing_in.sign_out(browser.cookies[SESSION_COOKIE])
    page.run()
    assert not page.file_uploader
    assert "Your session has ended" in texts(page)
    assert "inspection" not in page.session_state


def test_a_click_after_the_end_of_a_session_does_nothing(
    as_user: Callable[..., AppTest], held: Resources, browser: Context
) -> None:
    page = as_user(Role.INSPECTOR)
    held.services.signing_in.sign_out(browser.cookies[SESSION_COOKIE])
    page.button(key="inspection.sample.gas_pores.png").click().run()
    assert not page.exception
    assert page.text_input
    assert worklists()._worklists == {} or not any(
        worklist.entries() for worklist in worklists()._worklists.values()
    )


def test_what_breaks_is_told_with_a_reference_and_no_traceback(
    as_user: Callable[..., AppTest], held: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = as_user(Role.ADMIN)
    monkeypatch.setattr(
        type(held.services.accounts),
        "all",
        lambda self, identity: (_ for _ in ()).throw(RuntimeError("secret")),
    )
    page.run()
    assert not page.exception
    assert "reference" in page.error[0].value
    assert "secret" not in page.error[0].value


def test_another_person_in_the_same_tab_finds_nothing_of_the_first(
    as_user: Callable[..., AppTest], held: Resources, browser: Context
) -> None:
    page = as_user(Role.INSPECTOR)
    page.session_state["left.behind"] = "by the first"
    page.run()
    assert page.session_state["left.behind"] == "by the first"
    add_user(held, "other", Role.REVIEWER)
    browser.cookies[SESSION_COOKIE] = session_token_of(held, "other")
    page.run()
    assert "left.behind" not in page.session_state


def test_a_reviewer_comes_in_to_what_waits_and_can_go_on_to_inspect(as_user: Callable[..., AppTest]) -> None:
    page = as_user(Role.REVIEWER)
    assert not page.exception
    assert "Nothing waits for a second person" in texts(page)
    page.switch_page("../pages/inspection.py").run()
    assert not page.exception
    assert page.file_uploader
    assert "second person" not in texts(page)


def test_a_guest_for_whom_there_is_no_room_is_told_so_and_can_sign_in(
    tmp_path: Path, browser: Context
) -> None:
    resources = make_workplace(tmp_path)
    resources.services.demo = DemoWorkspaces(tmp_path / "demo", open_store, max_guests=1)
    use_resources(resources)
    first = AppTest.from_file(MAIN, default_timeout=60).run()
    assert first.file_uploader
    browser.ip_address = "198.51.100.1"
    page = AppTest.from_file(MAIN, default_timeout=60).run()
    assert not page.exception
    assert not page.file_uploader
    assert "The demo is full" in texts(page)
    assert "try again in 15 minutes" in texts(page)
    assert "/signin" in texts(page)
    page.button(key="demo-full.again").click().run()
    assert "The demo is full" in texts(page)
    forget_resources()
    close_workplace(resources)
