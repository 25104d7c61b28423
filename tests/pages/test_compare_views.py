"""Saved views on the page Compare."""

from pathlib import Path

import pytest

from app.shared.resources import Resources
from core.domain.accounts import COMMAND_LINE, Identity, Role
from core.services.accounts.personal_data import PersonalDataService
from tests.measured import add_second_version, add_set, measure
from tests.pages.browser import Browser, open_page, said


@pytest.fixture
def set_id(workplace: Resources, tmp_path: Path) -> str:
    """Id of a set that two versions were measured on."""
    add_second_version(workplace, tmp_path)
    chosen = add_set(workplace, tmp_path)
    measure(workplace, chosen)
    return chosen.set_id


def test_what_is_on_show_is_kept_and_opened_by_another_person(
    workplace: Resources, monkeypatch: pytest.MonkeyPatch, set_id: str
) -> None:
    browser = Browser(workplace, monkeypatch)
    browser.sign_in(browser.account("m.eng", Role.ML_ENGINEER))
    page = open_page("compare.py", set=set_id, v="2,1", p="0.40", view="boxes", show="error:0:missed")
    page.selectbox(key="compare.order").set_value("size").run()
    page.text_input(key="views.name.0").set_value("missed by v2")
    page.checkbox(key="views.shared.0").check()
    next(one for one in page.button if one.label == "Save view").click().run()
    assert not page.exception
    assert "saved view missed by v2 for everybody" in said(page)
    assert page.text_input(key="views.name.1").value == ""
    browser.sign_in(browser.account("r.view", Role.REVIEWER))
    page = open_page("compare.py", set=set_id, v="1,2", view="curves")
    assert "weld v2, v1 · six frames · Boxes · by m.eng" in said(page)
    assert not [one for one in page.button if str(one.key).startswith("views.edit")], "it is somebody else's"
    next(one for one in page.button if one.label == "missed by v2").click().run()
    assert not page.exception
    wanted = {
        "v": "2,1",
        "p": "0.40",
        "view": "boxes",
        "show": "error:0:missed",
        "set": set_id,
        "order": "size",
    }
    assert {key: page.query_params[key] for key in wanted} == wanted
    assert page.selectbox(key="compare.order").value == "size"
    assert "v2: missed: recorded, not reported." in said(page)


def test_a_view_is_renamed_and_deleted_and_says_what_is_gone(
    workplace: Resources, monkeypatch: pytest.MonkeyPatch, set_id: str
) -> None:
    browser = Browser(workplace, monkeypatch)
    user = browser.account("m.eng", Role.ML_ENGINEER)
    browser.sign_in(user)
    page = open_page("compare.py", set=set_id, v="1,2", view="curves")
    page.text_input(key="views.name.0").set_value("old")
    next(one for one in page.button if one.label == "Save view").click().run()
    with workplace.services.store.write() as work:
        (kept,) = work.comparison_views.of(user.user_id)
        work._session.connection().exec_driver_sql(
            "UPDATE comparison_views SET query = replace(query, '1,2', '1,9')"
        )
    page = page.run()
    assert "v9 is gone" in said(page)
    page.button(key=f"views.edit.{kept.view_id}").click().run()
    page.text_input(key="views.renamed").set_value("new").run()
    page.button(key="views.rename").click().run()
    next(one for one in page.button if one.label == "new").click().run()
    assert "new: v9 gone, the rest is shown" in said(page)
    page.button(key=f"views.edit.{kept.view_id}").click().run()
    page.button(key="views.delete").click().run()
    assert not page.exception
    assert not [one for one in page.button if one.label == "new"]


def test_views_are_in_the_data_of_a_person_and_go_with_them(
    workplace: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = workplace.services
    user = Browser(workplace, monkeypatch).account("m.eng", Role.ML_ENGINEER)
    kept = services.saved_views.save(
        Identity(user.user_id, "m.eng", Role.ML_ENGINEER), "mine", {"model": "weld"}, is_shared=True
    )
    told = PersonalDataService(services.store).export(COMMAND_LINE, user.user_id)
    assert [one["view_id"] for one in told["comparison_views"]] == [kept.view_id]
    services.accounts.erase(COMMAND_LINE, user.user_id, confirmation="m.eng")
    with services.store.read() as work:
        assert work.comparison_views.find(kept.view_id) is None
