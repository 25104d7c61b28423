"""Acceptance tables as people keep them: read by everybody with an account, changed by admins, never lost."""

import re

import pytest
from sqlalchemy import Engine

from core.audit.selection import EventFilter
from core.domain.accounts import Identity, Role
from core.domain.errors import BadInputError, NotAllowedError, RuleSetError, StaleVersionError
from core.domain.reading import Setup
from core.services.inspections.judging import JudgingService
from core.services.inspections.rule_editing import RuleSetEditingService, difference, draft_of
from core.standards.shipped import SHIPPED, shipped_rule_set
from core.store.unit_of_work import Store
from tests.conftest import ON_EACH_DATABASE
from tests.records import add_user, new_store

ISO = "iso-5817"


@pytest.fixture
def store(engine: Engine) -> Store:
    return new_store(engine)


@pytest.fixture
def rules(store: Store) -> RuleSetEditingService:
    return RuleSetEditingService(store)


@pytest.fixture
def admin(store: Store) -> Identity:
    return add_user(store, Role.ADMIN)


def changed(version: str = "2", *, title: str = "ISO 5817, ours") -> str:
    text = shipped_rule_set(ISO).text.replace("title: ISO 5817\n", f"title: {title}\n", 1)
    return text.replace('version: "1"', f'version: "{version}"', 1)


def test_what_is_shipped_is_version_0_of_nobody(rules: RuleSetEditingService, admin: Identity) -> None:
    tables = rules.tables(admin)
    assert [one.rule_set.rule_set_id for one in tables] == list(SHIPPED)
    assert {(one.number, one.saved_by, one.saved_at) for one in tables} == {(0, None, None)}


@ON_EACH_DATABASE
def test_a_save_is_the_next_version_and_the_one_that_judges(
    rules: RuleSetEditingService, store: Store, admin: Identity
) -> None:
    saved = rules.save(admin, ISO, changed(), expected_version=0)
    assert (saved.number, saved.rule_set.title, saved.saved_by) == (1, "ISO 5817, ours", admin.name)
    rules.save(admin, ISO, changed("3"), expected_version=1)
    history = rules.history(admin, ISO)
    assert [(one.number, one.rule_set.version, one.saved_by) for one in history] == [
        (2, "3", admin.name),
        (1, "2", admin.name),
        (0, "1", None),
    ]
    assert rules.tables(admin)[0].number == 2
    newest = {table.rule_set_id: table.sha256 for table in JudgingService(store).rule_sets()}
    assert newest[ISO] == history[0].rule_set.sha256
    verdict = JudgingService(store).judge([], Setup(standard=ISO, quality_level="B"), None).verdict
    assert verdict is not None
    assert verdict.rule_set_version == "3"


def test_a_save_is_in_the_audit_log(rules: RuleSetEditingService, store: Store, admin: Identity) -> None:
    saved = rules.save(admin, ISO, changed(), expected_version=0)
    with store.read() as work:
        (event,) = work.audit.page(EventFilter(), limit=1)
    assert (event.action, event.object_id, event.actor_id) == ("rules.saved", ISO, admin.user_id)
    assert event.details == {"version": 1, "sha256": saved.rule_set.sha256, "verified": False}


@ON_EACH_DATABASE
def test_nothing_is_saved_over_a_version_that_one_has_not_seen(
    rules: RuleSetEditingService, store: Store, admin: Identity
) -> None:
    rules.save(admin, ISO, changed(), expected_version=0)
    with pytest.raises(StaleVersionError) as caught:
        rules.save(add_user(store, Role.ADMIN), ISO, changed("3"), expected_version=0)
    assert (caught.value.yours, caught.value.stored) == (0, 1)
    assert len(rules.history(admin, ISO)) == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rules: [", "the table"),
        (changed().replace("C: [{check: size", "C: [{check: sise", 1), "rule iso-5817-gas-pore"),
        (changed().replace("times: 0.2", "times: 0.9", 1), "rule iso-5817-gas-pore"),
        (changed().replace("id: iso-5817\n", "id: iso-5818\n", 1), "id 'iso-5817' to stay"),
        (shipped_rule_set(ISO).text, "nothing is changed"),
        (changed("1"), "version '1' was used before"),
        ("x" * 200_001, "at most 200,000 characters"),
    ],
    ids=["no YAML", "unknown check", "stricter permits more", "other id", "same", "same version", "long"],
)
def test_what_is_no_next_version_is_refused_in_one_line(
    rules: RuleSetEditingService, admin: Identity, text: str, says: str
) -> None:
    with pytest.raises((RuleSetError, BadInputError), match=re.escape(says)) as caught:
        rules.save(admin, ISO, text, expected_version=0)
    assert "\n" not in str(caught.value)
    assert len(rules.history(admin, ISO)) == 1


@ON_EACH_DATABASE
def test_a_table_of_ones_own_begins_at_version_1(rules: RuleSetEditingService, admin: Identity) -> None:
    own = changed("1").replace("id: iso-5817\n", "id: house-rules\n", 1)
    rules.save(admin, "house-rules", own, expected_version=0)
    assert [one.number for one in rules.history(admin, "house-rules")] == [1]
    assert [one.rule_set.rule_set_id for one in rules.tables(admin)] == [*SHIPPED, "house-rules"]
    with pytest.raises(StaleVersionError):
        rules.save(admin, "house-rules", own, expected_version=0)


@pytest.mark.parametrize("bad", ["Ours", "-a", "a b", "a" * 65, "a/b"])
def test_an_id_that_fits_no_address_is_refused(
    rules: RuleSetEditingService, admin: Identity, bad: str
) -> None:
    text = changed("1").replace("id: iso-5817\n", f'id: "{bad}"\n', 1)
    with pytest.raises(BadInputError, match="small letters, digits and hyphens"):
        rules.save(admin, bad, text, expected_version=0)


def test_there_is_no_history_of_a_table_that_is_not_there(
    rules: RuleSetEditingService, admin: Identity
) -> None:
    with pytest.raises(BadInputError, match="no table 'iso-1'"):
        rules.history(admin, "iso-1")


@pytest.mark.parametrize("role", [Role.INSPECTOR, Role.REVIEWER, Role.ANNOTATOR, Role.ML_ENGINEER])
def test_everybody_with_an_account_reads_and_only_an_admin_changes(
    rules: RuleSetEditingService, store: Store, role: Role
) -> None:
    somebody = add_user(store, role)
    assert rules.history(somebody, ISO)
    with pytest.raises(NotAllowedError, match="change acceptance rules"):
        rules.save(somebody, ISO, changed(), expected_version=0)


def test_a_draft_bears_the_next_version_and_differs_in_nothing_else(
    rules: RuleSetEditingService, admin: Identity
) -> None:
    rules.save(admin, ISO, changed("7"), expected_version=0)
    newest, shipped = rules.history(admin, ISO)
    assert 'version: "8"' in draft_of(shipped, (newest, shipped))
    restored = rules.save(admin, ISO, draft_of(shipped, (newest, shipped)), expected_version=1)
    assert difference(shipped, restored) == [
        "@@ -1,5 +1,5 @@",
        " # How to read and edit this file: docs/standards.md. Lengths in mm. Levels: strictest first.",
        " id: iso-5817",
        '-version: "1"',
        '+version: "8"',
        " title: ISO 5817",
        " standard: ISO 5817",
    ]


def test_a_version_that_is_no_number_is_left_to_the_editor(
    rules: RuleSetEditingService, admin: Identity
) -> None:
    own = changed("2026-a").replace("id: iso-5817\n", "id: house-rules\n", 1)
    saved = rules.save(admin, "house-rules", own, expected_version=0)
    assert draft_of(saved, (saved,)) == saved.rule_set.text


def test_the_same_text_differs_in_nothing(rules: RuleSetEditingService, admin: Identity) -> None:
    (shipped,) = rules.history(admin, ISO)
    assert difference(shipped, shipped) == []
