"""What served when, and what a roll back leads to."""

from datetime import timedelta

import pytest

from core.domain.serving import (
    NO_VERSION,
    ChangeKind,
    ServingChange,
    in_use_since,
    rollback_target,
)
from tests.records import START

_KINDS = {"p": ChangeKind.PROMOTED, "r": ChangeKind.ROLLED_BACK, "o": ChangeKind.OUTSIDE}


def changes(*steps: str) -> list[ServingChange]:
    """`p3` promotes version 3, `r1` rolls back to 1, `o0` takes the alias away outside; one an hour."""
    made: list[ServingChange] = []
    for number, step in enumerate(steps):
        made.append(
            ServingChange(
                change_id=f"c{number}",
                model_name="weld",
                alias="champion",
                version=int(step[1:]),
                model_sha256="",
                previous_version=made[-1].version if made else None,
                kind=_KINDS[step[0]],
                changed_at=START + timedelta(hours=number),
            )
        )
    return made


@pytest.mark.parametrize(
    ("steps", "target"),
    [
        ((), None),
        (("p1",), None),
        (("p1", "p2"), 1),
        (("p1", "p2", "r1"), None),
        (("p1", "p2", "p3", "r2"), 1),
        (("p1", "p2", "p3", "r2", "r1"), None),
        (("p1", "p2", "r1", "p3"), 1),
        (("p1", "o2"), 1),
        (("p1", "p1"), None),
        (("p1", "p2", "p1"), 2),
        (("p1", "o0", "p2"), None),
    ],
)
def test_a_roll_back_takes_back_the_newest_change_that_was_not_taken_back(
    steps: tuple[str, ...], target: int | None
) -> None:
    assert rollback_target(changes(*steps)) == target


def test_a_version_is_in_use_since_the_first_change_without_a_break() -> None:
    made = changes("p1", "p2", "p1", "p1")
    assert in_use_since(made, 1) == START + timedelta(hours=2)
    assert in_use_since(made, 2) is None
    assert in_use_since([], 1) is None


def test_every_kind_of_change_is_told_in_words() -> None:
    assert all(kind.label and kind.label.islower() for kind in ChangeKind if kind is not ChangeKind.OUTSIDE)
    assert NO_VERSION not in {change.version for change in changes("p1")}
