"""The audit page, run by Streamlit's own test runner as somebody who is signed in."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from app.admin.audit.render import export_of
from app.shared.downloads import made_on_demand
from app.shared.resources import Resources
from app.shared.visitors import SESSION_COOKIE
from core.audit.selection import EventFilter
from core.domain.accounts import Identity, Role
from core.domain.errors import NotAllowedError
from core.services.auditing import ExportFormat
from tests.records import add_user

MAIN = str(Path(__file__).resolve().parents[2] / "app" / "main.py")
# AppTest's own event loop and sockets are closed by the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture
def sign_in(workplace: Resources, monkeypatch: pytest.MonkeyPatch) -> Callable[[Role], str]:
    """Give the browser the cookie of a new account of this role; returns its id."""

    def enter(role: Role) -> str:
        services = workplace.services
        user = add_user(services.store, role)
        token = services.signing_in.exchange(services.signing_in.ticket_for(user.user_id), "test")
        cookies = property(lambda _context: {SESSION_COOKIE: token})
        monkeypatch.setattr("streamlit.runtime.context.ContextProxy.cookies", cookies)
        return user.user_id

    return enter


@pytest.fixture
def events(workplace: Resources) -> None:
    """One hundred and twenty events by two people, besides those of signing in."""
    for number in range(120):
        with workplace.services.store.write() as work:
            work.audit.record(
                Identity(f"u-{number % 2}", "x", Role.INSPECTOR),
                action="image.added" if number % 3 else "annotation.saved",
                object_type="image",
                object_id=f"i-{number}",
                details={"n": number},
            )


def open_page(**address: str) -> AppTest:
    page = AppTest.from_file(MAIN, default_timeout=60)
    page.run()
    page.switch_page("../pages/audit_log.py")
    for name, value in address.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    return page


def shown(page: AppTest) -> list[int]:
    return list(page.dataframe[-1].value["#"])


def said(page: AppTest) -> str:
    return " ".join(str(element.value) for element in [*page.markdown, *page.caption, *page.error])


@pytest.mark.usefixtures("events")
def test_an_admin_pages_from_new_to_old_and_back(sign_in: Callable[[Role], str]) -> None:
    sign_in(Role.ADMIN)
    page = open_page()
    newest = shown(page)
    assert len(newest) == 100
    assert newest == sorted(newest, reverse=True)
    page.button(key="audit_log.older").click().run()
    older = shown(page)
    assert older[0] == newest[-1] - 1
    assert older[-1] == 1
    assert page.button(key="audit_log.older").disabled
    page.button(key="audit_log.newer").click().run()
    assert shown(page) == newest


@pytest.mark.usefixtures("events")
def test_filters_narrow_the_table_and_go_into_the_address(sign_in: Callable[[Role], str]) -> None:
    sign_in(Role.ADMIN)
    page = open_page()
    page.selectbox(key="audit_log.action").set_value("annotation.saved")
    page.selectbox(key="audit_log.actor").set_value("u-0").run()
    assert len(shown(page)) == 20
    assert page.query_params["action"] == "annotation.saved"
    page.text_input(key="audit_log.object").set_value("image i-6").run()
    assert page.dataframe[-1].value["Object"].tolist() == ["image i-6"]
    page.button(key="audit_log.clear").click().run()
    assert len(shown(page)) == 100
    assert page.query_params == {}


@pytest.mark.usefixtures("events")
def test_a_reload_comes_back_to_the_same_filter(sign_in: Callable[[Role], str]) -> None:
    sign_in(Role.ADMIN)
    page = open_page(actor="u-1", action="nothing-of-this-name", object="i-7", to="not a day")
    assert page.selectbox(key="audit_log.actor").value == "u-1"
    assert page.dataframe[-1].value["Object"].tolist() == ["image i-7"]


@pytest.mark.usefixtures("events")
def test_verifying_tells_the_result_plainly(sign_in: Callable[[Role], str], workplace: Resources) -> None:
    sign_in(Role.ADMIN)
    page = open_page()
    page.button(key="audit_log.verify").click().run()
    assert "Whole" in said(page)
    with workplace.services.database.begin() as connection:
        connection.execute(text("UPDATE audit_events SET object_id = 'x' WHERE seq = 7"))
    page.button(key="audit_log.verify").click().run()
    assert "Not whole: 1 finding" in said(page)
    assert page.dataframe[0].value["#"].tolist() == ["7"]
    assert "compare with a backup" in said(page)
    page.button(key="audit_log.older").click().run()
    assert "Not whole: 1 finding" in said(page), "the result stays until the next one"
    assert not page.exception


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.ADMIN, Role.GUEST)])
def test_nobody_else_sees_anything_of_it(sign_in: Callable[[Role], str], role: Role) -> None:
    sign_in(role)
    page = AppTest.from_file(MAIN, default_timeout=60).run()
    page.switch_page("../pages/audit_log.py").run()
    assert not page.dataframe
    assert not page.date_input


@pytest.mark.usefixtures("events")
def test_an_export_is_made_for_whoever_is_signed_in_when_it_is_asked_for(
    sign_in: Callable[[Role], str], workplace: Resources
) -> None:
    user_id = sign_in(Role.ADMIN)
    make = made_on_demand(export_of(EventFilter(action="annotation"), ExportFormat.CSV))
    rows = list(csv.DictReader(io.StringIO(make().decode("utf-8"))))
    assert len(rows) == 40
    with workplace.services.store.write() as work:
        work.users.set_role(user_id, Role.INSPECTOR)
    with pytest.raises(NotAllowedError):
        make()
    with workplace.services.store.write() as work:
        work.users.set_active(user_id, False)
    with pytest.raises(NotAllowedError, match="no longer signed in"):
        make()
