"""Failures in words for users."""

import logging

import pytest

from app.shared.incident import incident, reassured
from core.domain.errors import WorkbenchError
from core.store.failures import DatabaseUnavailableError


def told_of(error: Exception) -> str:
    """What a user is told when `error` ends what they did."""
    try:
        raise error
    except Exception:  # noqa: BLE001 - the edge that the words are for
        return incident("Saving")


def test_a_full_disk_is_told_in_words_without_a_reference(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        told = told_of(OSError(28, "No space left on device"))
    assert told == (
        "Saving failed: the disk is full; nothing was stored, what was stored before is safe. Please make "
        "room, then try again."
    )
    assert len(caplog.records) == 1
    assert caplog.records[0].exc_info is None


@pytest.mark.parametrize("error", [RuntimeError("x"), OSError(2, "No such file"), ValueError("y")])
def test_what_nobody_foresaw_keeps_its_reference(error: Exception) -> None:
    assert "name reference" in told_of(error)


@pytest.mark.parametrize(
    "error",
    [
        DatabaseUnavailableError("the disk is full; what was stored before is safe"),
        WorkbenchError("no such film"),
    ],
)
def test_that_what_was_stored_is_safe_is_said_once(error: WorkbenchError) -> None:
    assert reassured(error).lower().count("what was stored before is safe") == 1
