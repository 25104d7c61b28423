"""Failures of single files in a batch of them."""

import pytest

from core.cli.batch import Failures
from core.domain.errors import BadInputError, ModelArtefactError


@pytest.mark.parametrize(
    ("error", "told", "counted"),
    [
        (BadInputError("expected a film (a.png)"), "radikal: expected a film (a.png)", (1, 0)),
        (ModelArtefactError("the weights are gone"), "radikal: the weights are gone (a.png)", (0, 1)),
        (OSError(28, "No space left on device", "m.png"), "radikal: No space left on device: m.png", (0, 1)),
        (OSError("odd"), "radikal: odd: a.png", (0, 1)),
        (RuntimeError("one\ntwo"), "radikal: a.png failed unexpectedly: RuntimeError: one", (0, 1)),
        (MemoryError(), "radikal: a.png failed unexpectedly: MemoryError: ", (0, 1)),
    ],
)
def test_whatever_goes_wrong_is_one_line_and_the_batch_goes_on(
    error: Exception, told: str, counted: tuple[int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    failures = Failures()
    with failures.told("a.png"):
        raise error
    assert capsys.readouterr().err == f"{told}\n"
    assert (failures.n_refused, failures.n_failed) == counted


def test_who_stops_the_batch_stops_it() -> None:
    with pytest.raises(KeyboardInterrupt), Failures().told("a.png"):
        raise KeyboardInterrupt
