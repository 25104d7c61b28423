"""Views of the comparison under a name: whose they are, and what of them is gone."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from core.domain.accounts import COMMAND_LINE, Role
from core.domain.errors import BadInputError, NotAllowedError, UnknownRecordError
from core.services.evaluation.saved_views import LONGEST_NAME, SavedViews
from core.store.evaluations import EvaluationSet
from tests.artefacts import write_artefact
from tests.memory_registry import MemoryRegistry
from tests.records import START, add_user, new_store

QUERY = {"model": "weld", "v": "1", "set": "s1", "view": "boxes", "show": "error:0:missed"}


@pytest.fixture
def views(engine: Engine, tmp_path: Path) -> SavedViews:
    """Views over version 1 of the weld model and one set."""
    store, registry = new_store(engine), MemoryRegistry()
    registry.add(write_artefact(tmp_path / "weld"))
    with store.write() as work:
        work.evaluations.add_set(
            EvaluationSet("s1", "six frames", "weld", "d" * 64, {"folder": "."}, 6, 12, None, START)
        )
    return SavedViews(store, registry)


def test_a_view_is_seen_by_its_owner_and_once_shared_by_everybody(views: SavedViews) -> None:
    anna, ben = (add_user(views._store, role) for role in (Role.ML_ENGINEER, Role.REVIEWER))
    kept = views.save(anna, "  missed   cracks ", QUERY)
    assert views.all(ben) == []
    (own,) = views.all(anna)
    assert (own.view, own.view.name, own.is_own, own.gone) == (kept, "missed cracks", True, "")
    assert dict(own.view.query) == QUERY
    assert own.set_name == "six frames"
    views.share(anna, kept.view_id, True)
    views.save(ben, "missed cracks", QUERY)  # a name is one's own
    (his, hers) = views.all(ben)
    assert (his.is_own, hers.is_own, hers.owner) == (True, False, anna.name)
    for change in (
        lambda: views.rename(ben, kept.view_id, "mine"),
        lambda: views.share(ben, kept.view_id, False),
        lambda: views.delete(ben, kept.view_id),
    ):
        with pytest.raises(NotAllowedError, match="somebody else's"):
            change()
    views.rename(anna, kept.view_id, "cracks")
    assert [one.view.name for one in views.all(ben)] == ["missed cracks", "cracks"]
    views.delete(anna, kept.view_id)
    assert views.all(anna) == []
    with pytest.raises(UnknownRecordError, match="no such view"):
        views.delete(anna, kept.view_id)


@pytest.mark.parametrize(
    ("changed", "gone"),
    [
        ({}, ""),
        ({"v": "1,7"}, "v7"),
        ({"v": "7,8", "set": "s2"}, "its evaluation set, v7 and v8"),
        ({"model": "casting"}, "v1"),
        ({"v": "x", "set": ""}, ""),
    ],
)
def test_a_view_names_what_is_gone(views: SavedViews, changed: dict[str, str], gone: str) -> None:
    person = add_user(views._store, Role.ML_ENGINEER)
    views.save(person, "view", QUERY | changed)
    assert [one.gone for one in views.all(person)] == [gone]


def test_what_is_no_view_is_refused(views: SavedViews) -> None:
    person = add_user(views._store, Role.ML_ENGINEER)
    for name in (" ", "x" * (LONGEST_NAME + 1)):
        with pytest.raises(BadInputError, match="expected 1 to 80 characters"):
            views.save(person, name, QUERY)
    with pytest.raises(BadInputError, match="too long to be kept"):
        views.save(person, "long", {"show": "x" * 5000})
    with pytest.raises(BadInputError, match="belongs to a person"):
        views.save(COMMAND_LINE, "view", QUERY)
    first = views.save(person, "first", QUERY)
    with pytest.raises(BadInputError, match="'first' already"):
        views.save(person, "first", QUERY)
    views.save(person, "second", QUERY)
    with pytest.raises(BadInputError, match="'second' already"):
        views.rename(person, first.view_id, "second")
