"""Promoting through the gate and rolling back, on a real database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from core.domain.accounts import COMMAND_LINE, Role
from core.domain.errors import (
    BadInputError,
    ModelArtefactError,
    ModelNotFoundError,
    NotAllowedError,
    RegistryUnavailableError,
    StaleVersionError,
)
from core.domain.model_version import ModelVersion
from core.services.lifecycle.alias_moves import AliasMover, Move
from core.services.lifecycle.promoting import GateRefusedError
from core.store.failures import DatabaseUnavailableError
from core.store.unit_of_work import Store, Work
from tests.services.promotions import GREEN, Promotions


@pytest.fixture
def at(store: Store, tmp_path: Path) -> Promotions:
    return Promotions(store, tmp_path)


def test_a_green_version_is_promoted_kept_and_audited(at: Promotions) -> None:
    change = at.promoting.promote(at.engineer, Move("weld", 2, seen=1, note="finds more"))
    assert at.registry.aliases("weld") == {"champion": 2}
    assert at.rows() == [("setup", None, 1), ("promoted", 1, 2)]
    assert at.actions() == ["model.setup", "model.promoted"]
    assert change.gate["is_green"] is True
    assert (change.note, change.changed_by, change.consent_by) == ("finds more", at.engineer.user_id, None)
    assert change.model_sha256 == at.registry.resolve("weld")[0].sha256
    assert (at.warmed, at.taken_over) == ([2], ["weld"]), "warm before, serving at once after"


def test_a_move_that_cannot_be_kept_is_taken_back_in_the_registry(
    at: Promotions, monkeypatch: pytest.MonkeyPatch
) -> None:
    at.promoting.promote(at.engineer, Move("weld", 2, seen=1))
    real = at.store.write

    @contextmanager
    def full() -> Iterator[Work]:
        with real() as work:
            yield work
            raise DatabaseUnavailableError("the disk of the database is full")

    monkeypatch.setattr(at.store, "write", full)
    with pytest.raises(DatabaseUnavailableError):
        at.promoting.roll_back(at.engineer, "weld", seen=2)
    monkeypatch.undo()
    assert at.registry.aliases("weld")["champion"] == 2
    at.serving.observe()
    assert at.rows() == [("setup", None, 1), ("promoted", 1, 2)]


def test_a_refused_version_is_not_promoted_and_every_reason_is_told(at: Promotions) -> None:
    at.figures.of[2] = replace(GREEN, n_trained_on=3, d_ece=0.2)
    with pytest.raises(GateRefusedError, match="nothing was changed") as refused:
        at.promoting.promote(at.engineer, Move("weld", 2, seen=1))
    assert len(refused.value.report.reasons) == 2
    assert all(reason in str(refused.value) for reason in refused.value.report.reasons)
    assert at.registry.aliases("weld") == {"champion": 1}
    assert at.rows() == []


def test_the_challenger_goes_through_the_same_gate_and_serves_nobody(at: Promotions) -> None:
    at.refuse(3)
    with pytest.raises(GateRefusedError):
        at.promoting.promote(at.engineer, Move("weld", 3, "challenger"))
    at.promoting.promote(at.engineer, Move("weld", 2, "challenger"))
    assert at.registry.aliases("weld") == {"champion": 1, "challenger": 2}
    assert (at.warmed, at.taken_over) == ([], [])


@pytest.mark.parametrize(
    ("move", "error", "message"),
    [
        (Move("weld", 9, seen=1), ModelNotFoundError, "has no 9"),
        (Move("weld", 1, seen=1), BadInputError, "is the champion already"),
        (Move("weld", 2, "prince", seen=1), BadInputError, "expected the alias champion or challenger"),
        (Move("weld", 2, seen=1, note="x" * 501), BadInputError, "at most 500"),
        (Move("weld", 2, seen=3), StaleVersionError, "is at version 1 by now"),
    ],
)
def test_what_makes_no_sense_changes_nothing(
    at: Promotions, move: Move, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        at.promoting.promote(at.engineer, move)
    assert at.registry.aliases("weld") == {"champion": 1}
    assert [kind for kind, _, _ in at.rows()] in ([], ["setup"])


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.ML_ENGINEER, Role.GUEST)])
def test_only_ml_engineers_promote_and_roll_back(at: Promotions, role: Role) -> None:
    somebody = at.person(role)
    for act in (
        lambda: at.promoting.promote(somebody, Move("weld", 2, seen=1)),
        lambda: at.promoting.roll_back(somebody, "weld", seen=1),
    ):
        with pytest.raises(NotAllowedError):
            act()


def test_without_mlflow_nothing_is_changed(at: Promotions) -> None:
    at.registry.is_there = False
    with pytest.raises(RegistryUnavailableError, match="nothing was changed"):
        at.promoting.promote(at.engineer, Move("weld", 2, seen=1))
    assert at.rows() == []


def test_mlflow_that_fails_at_the_last_moment_leaves_no_row(
    at: Promotions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(name: str, alias: str, version: int) -> None:
        raise RegistryUnavailableError("the MLflow server went away")

    monkeypatch.setattr(at.registry, "set_alias", away)
    with pytest.raises(RegistryUnavailableError, match="went away"):
        at.promoting.promote(at.engineer, Move("weld", 2, seen=1))
    assert at.rows() == [("setup", None, 1)]
    assert at.actions() == ["model.setup"]
    assert at.taken_over == []


def test_a_version_that_cannot_be_loaded_is_not_promoted(at: Promotions) -> None:
    def damaged(version: ModelVersion) -> None:
        raise ModelArtefactError(f"the weights of v{version.version} are damaged")

    mover = AliasMover(at.store, at.registry, at.serving, warm_up=damaged)
    at.promoting._mover = mover
    with pytest.raises(ModelArtefactError, match="damaged"):
        at.promoting.promote(at.engineer, Move("weld", 2, seen=1))
    assert at.registry.aliases("weld") == {"champion": 1}


def test_rolling_back_leads_to_what_served_before_and_not_forward_again(at: Promotions) -> None:
    at.promoting.promote(at.engineer, Move("weld", 2, seen=1))
    at.promoting.promote(at.engineer, Move("weld", 3, seen=2))
    assert at.promoting.rollback_target(at.reviewer, "weld") == 2
    at.promoting.roll_back(at.engineer, "weld", seen=3, note="misses cracks")
    at.promoting.roll_back(at.engineer, "weld", seen=2)
    assert at.registry.aliases("weld") == {"champion": 1}
    assert [kind for kind, _, _ in at.rows()] == [
        "setup",
        "promoted",
        "promoted",
        "rolled back",
        "rolled back",
    ]
    with pytest.raises(BadInputError, match="nothing to roll back to"):
        at.promoting.roll_back(at.engineer, "weld", seen=1)


def test_a_roll_back_is_refused_when_somebody_was_faster(at: Promotions) -> None:
    at.promoting.promote(at.engineer, Move("weld", 2, seen=1))
    with pytest.raises(StaleVersionError):
        at.promoting.roll_back(at.engineer, "weld", seen=1)
    assert at.registry.aliases("weld") == {"champion": 2}


def test_a_change_from_outside_is_kept_before_the_next_one(at: Promotions) -> None:
    at.promoting.promote(at.engineer, Move("weld", 2, seen=1))
    at.registry.moved_outside = {"weld": {"champion": 3}}
    with pytest.raises(StaleVersionError, match="is at version 3 by now"):
        at.promoting.promote(at.engineer, Move("weld", 1, seen=2))
    assert at.rows()[-1] == ("outside", 2, 3)
    at.promoting.roll_back(at.engineer, "weld", seen=3)
    assert at.registry.aliases("weld") == {"champion": 2}


def test_the_first_champion_has_nothing_before_it(store: Store, tmp_path: Path) -> None:
    at = Promotions(store, tmp_path, champion=None)
    assert at.promoting.gate(at.reviewer, "weld", 2).compared_with == "no champion: the release threshold"
    at.promoting.promote(at.engineer, Move("weld", 2, seen=None))
    assert at.rows() == [("promoted", None, 2)]
    with pytest.raises(BadInputError, match="nothing to roll back to"):
        at.promoting.roll_back(at.engineer, "weld", seen=2)


def test_a_command_overrides_with_a_note_and_that_is_recorded_as_such(at: Promotions) -> None:
    at.refuse(2)
    with pytest.raises(BadInputError, match="needs a note"):
        at.promoting.force(COMMAND_LINE, Move("weld", 2, seen=1, note="  "))
    change = at.promoting.force(COMMAND_LINE, Move("weld", 2, seen=1, note="v1 crashes on every film"))
    assert at.rows()[-1] == ("emergency", 1, 2)
    assert change.gate["is_green"] is False
    assert change.changed_by is None
    green = at.promoting.force(COMMAND_LINE, Move("weld", 3, seen=2, note="just in case"))
    assert green.kind.value == "promoted", "an override that was not needed is none"


def test_a_person_cannot_override_alone(at: Promotions) -> None:
    with pytest.raises(NotAllowedError, match="second person"):
        at.promoting.force(at.engineer, Move("weld", 2, seen=1, note="I want it"))
