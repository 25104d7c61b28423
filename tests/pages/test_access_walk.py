"""Every page with every role: who may open it sees it, everybody else is told so and sees nothing else."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.shared.navigation import PAGES, PageEntry, first_page, pages_for
from app.shared.resources import forget_resources, use_resources
from core.domain.accounts import ACCOUNT_ROLES, Role, User
from tests import permitted
from tests.pages.browser import ROOT, Browser, open_page, run_alone, said
from tests.workplace import close_workplace, make_workplace

# AppTest's own event loop and sockets are closed by the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
REFUSED = "is not open to you"
#: Whoever the manual opens each page to.
OPEN_TO = {entry: permitted.PAGES[f"{entry.section}: {entry.title}"] for entry in PAGES}
EVERY = [pytest.param(entry, role, id=f"{entry.title}-{role}") for entry, role in product(PAGES, Role)]
CLOSED = [case for case in EVERY if case.values[1] not in OPEN_TO[case.values[0]]]
_OPENED = ("button", "text_input", "selectbox", "dataframe", "date_input", "download_button", "file_uploader",
           "bidi_component", "caption", "subheader", "markdown", "json", "code", "form")  # fmt: skip


@pytest.fixture(scope="module")
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, patch: pytest.MonkeyPatch) -> Iterator[Browser]:
    held = make_workplace(tmp_path_factory.mktemp("walk"), is_demo=True)
    use_resources(held)
    yield Browser(held, patch)
    forget_resources()
    close_workplace(held)


@pytest.fixture(scope="module")
def people(browser: Browser) -> dict[Role, User]:
    return {role: browser.account(f"some-{role.value}", role) for role in ACCOUNT_ROLES}


def come_as(browser: Browser, people: dict[Role, User], role: Role) -> None:
    """Somebody of this role; a guest comes without a cookie."""
    if role is Role.GUEST:
        browser.leave()
    else:
        browser.sign_in(people[role])


def opened(page: AppTest) -> list[str]:
    """What there is on the page besides header and words of refusal."""
    return [kind for kind in _OPENED if page.get(kind)]


def script_of(entry: PageEntry) -> Path:
    return (ROOT / "app" / entry.file).resolve()


@pytest.mark.parametrize(("entry", "role"), EVERY)
def test_a_page_draws_for_its_roles_and_refuses_the_others(
    browser: Browser, people: dict[Role, User], entry: PageEntry, role: Role
) -> None:
    come_as(browser, people, role)
    page = open_page(script_of(entry).name if entry.url_path else None)
    assert not page.exception
    assert not page.error
    if role in OPEN_TO[entry]:
        assert REFUSED not in said(page)
        assert opened(page)
    elif entry.url_path:
        assert f"{entry.title} {REFUSED}" in said(page)
        assert role.label in said(page)
        assert opened(page) == []
    else:  # at the root is the first page of whoever comes
        assert said(page) == said(open_page(script_of(first_page(role)).name))
        assert not page.file_uploader


@pytest.mark.parametrize(("entry", "role"), CLOSED)
def test_a_page_that_is_run_past_the_navigation_is_as_closed(
    browser: Browser, people: dict[Role, User], entry: PageEntry, role: Role
) -> None:
    come_as(browser, people, role)
    page = run_alone(script_of(entry).name)  # without the navigation, its link to another page fails
    assert f"{entry.title} {REFUSED}" in said(page)
    assert opened(page) == []


@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.title)
def test_nothing_but_the_password_is_open_while_it_must_be_changed(
    browser: Browser, entry: PageEntry
) -> None:
    name = f"new-{entry.title.lower().replace(' ', '-')}"
    browser.sign_in(browser.account(name, min(OPEN_TO[entry] - {Role.GUEST}), must_change=True))
    page = open_page(script_of(entry).name if entry.url_path else None)
    assert not page.exception
    assert "Choose your own password" in said(page)
    assert [field.label for field in page.text_input] == [
        "Current password",
        "New password",
        "New password again",
    ]
    assert [button.label for button in page.button] == ["Change password"]
    alone = run_alone(script_of(entry).name)
    assert f"{entry.title} {REFUSED}" in said(alone)
    assert opened(alone) == []


@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.title)
def test_whose_session_ended_sees_the_sign_in_form_and_nothing_else(
    browser: Browser, people: dict[Role, User], entry: PageEntry
) -> None:
    user = people[min(OPEN_TO[entry] - {Role.GUEST})]
    browser.sign_in(user)
    browser.services.signing_in.sign_out(next(iter(browser.cookies.values())))
    page = open_page(script_of(entry).name)
    assert not page.exception
    assert [field.label for field in page.text_input] == ["Name", "Password"]
    assert "session has ended" in said(page)
    assert not page.dataframe


@pytest.mark.parametrize("role", Role)
def test_the_navigation_lists_what_the_role_may_open(role: Role) -> None:
    assert first_page(role) in pages_for(role)
    assert {entry.title for entry in pages_for(role)} == {
        entry.title for entry in PAGES if role in OPEN_TO[entry]
    }


def test_every_page_file_is_in_the_navigation_once() -> None:
    files = [script_of(entry) for entry in PAGES]
    assert sorted(files) == sorted((ROOT / "pages").glob("*.py"))
    assert len({entry.url_path for entry in PAGES}) == len(PAGES)
