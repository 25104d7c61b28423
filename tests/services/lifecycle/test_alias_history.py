"""What served when: kept by itself, also when somebody else moved the alias."""

from datetime import timedelta
from pathlib import Path

import pytest

from core.domain.accounts import COMMAND_LINE, Role
from core.domain.errors import NotAllowedError, UnknownRecordError
from core.domain.serving import ChangeKind
from core.services.lifecycle.alias_history import AliasHistory
from core.services.lifecycle.alias_moves import Move
from core.services.workspaces import make_workspace
from core.store.unit_of_work import Store
from tests.records import Clock, OnePassword, detection_result, store_image
from tests.services.promotions import Promotions


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(store: Store, clock: Clock) -> Store:
    store._clock = clock
    return store


@pytest.fixture
def at(store: Store, tmp_path: Path) -> Promotions:
    return Promotions(store, tmp_path)


def test_what_was_so_from_the_beginning_is_kept_once(at: Promotions) -> None:
    assert at.serving.observe() == 1
    assert at.serving.observe() == 0
    assert AliasHistory(at.store, at.registry).observe() == 0, "another process knows it, too"
    assert at.rows() == [("setup", None, 1)]


def test_a_move_from_outside_is_noticed_kept_and_audited(at: Promotions) -> None:
    at.serving.observe()
    at.registry.set_alias("weld", "champion", 3)
    at.registry.set_alias("weld", "challenger", 2)
    assert at.serving.observe() == 2
    assert at.rows() == [("setup", None, 1), ("outside", 1, 3)]
    assert at.rows("challenger") == [("setup", None, 2)]
    assert at.actions() == ["model.setup", "model.setup", "model.outside"]


def test_a_move_back_from_outside_is_noticed_after_a_move_of_our_own(at: Promotions) -> None:
    at.promoting.promote(at.engineer, Move("weld", 2, seen=1))
    at.serving.observe()
    at.promoting.roll_back(at.engineer, "weld", seen=2)
    at.registry.set_alias("weld", "champion", 2)
    assert at.serving.observe() == 1
    assert at.rows()[-1] == ("outside", 1, 2)


def test_an_alias_that_was_taken_away_outside_is_kept_as_nothing(at: Promotions) -> None:
    at.serving.observe()
    at.registry.moved_outside = {"weld": {}}
    at.registry.refresh()
    assert at.serving.observe() == 1
    assert at.rows()[-1] == ("outside", 1, 0)
    at.registry.set_alias("weld", "champion", 2)
    at.serving.observe()
    assert at.rows()[-1] == ("outside", None, 2)


def test_what_mlflow_says_behind_the_lock_counts_not_an_older_cache(at: Promotions) -> None:
    at.serving.observe()
    at.registry.set_alias("weld", "champion", 3)  # the cache is about to learn that this was taken back
    at.registry.moved_outside = {"weld": {"champion": 1}}
    assert at.serving.observe() == 0
    assert at.rows() == [("setup", None, 1)]


def test_while_mlflow_is_away_nothing_is_concluded(at: Promotions) -> None:
    at.serving.observe()
    at.registry.set_alias("weld", "champion", 3)
    at.registry.is_there = False
    assert at.serving.observe() == 0
    at.registry.is_there = True
    assert at.serving.observe() == 1


def test_what_a_command_did_is_kept_as_its_own(at: Promotions) -> None:
    at.registry.set_alias("weld", "challenger", 2)
    at.serving.observe(kind=ChangeKind.TRAINED, first=ChangeKind.TRAINED, by=COMMAND_LINE, note="run 7")
    history = at.serving.history(at.reviewer, "weld")
    assert [(one.change.kind, one.change.note) for one in history] == [(ChangeKind.TRAINED, "run 7")] * 2


def test_any_moment_and_any_past_inspection_has_its_answer(
    at: Promotions, clock: Clock, tmp_path: Path
) -> None:
    store_image(at.store)
    desk = make_workspace("", at.store, tmp_path, accounts=OnePassword(), seal_key=b"k" * 32)
    inspector = at.person(Role.INSPECTOR)
    before = clock.now - timedelta(hours=1)
    at.serving.observe()
    clock.advance(hours=1)
    old = desk.inspections.record(inspector, detection_result(version=1)).inspection_id
    clock.advance(hours=1)
    at.promoting.promote(at.engineer, Move("weld", 2, seen=1))
    clock.advance(hours=1)
    new = desk.inspections.record(inspector, detection_result(version=2)).inspection_id
    assert at.serving.at(at.reviewer, "weld", before) is None
    first, second = (at.serving.of_inspection(at.reviewer, one) for one in (old, new))
    assert first.champion is not None
    assert second.champion is not None
    assert (first.version, first.champion.change.version) == (1, 1)
    assert (second.version, second.champion.change.version) == (2, 2)
    assert second.champion.changed_by == at.engineer.name
    then = at.serving.at(at.reviewer, "weld", first.created_at)
    assert then is not None
    assert then.change.version == 1, "promoting later does not change what served then"
    with pytest.raises(UnknownRecordError):
        at.serving.of_inspection(at.reviewer, "nothing")


@pytest.mark.parametrize("role", [Role.INSPECTOR, Role.ANNOTATOR])
def test_only_those_who_look_after_models_look(at: Promotions, role: Role) -> None:
    with pytest.raises(NotAllowedError):
        at.serving.history(at.person(role), "weld")
