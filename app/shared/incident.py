"""Failures in words for users: of an edit that was refused, or a reference number when nobody foresaw it."""

import logging
import secrets
import sys
from collections.abc import Callable, Mapping
from typing import Any

from core.domain.errors import StaleVersionError, WorkbenchError
from core.domain.storage import storage_problem

log = logging.getLogger(__name__)


def record(doing: str) -> str:
    """The reference under which the exception now being handled was logged, with its traceback."""
    reference = secrets.token_hex(3)
    log.exception("reference %s: %s failed", reference, doing, extra={"reference": reference})
    return reference


def incident(doing: str, *, is_worth_repeating: bool = True) -> str:
    """One line with a reference number, to be called while handling the exception, which is logged.

    A disk that is full or read-only is told in words instead: nobody has to look for that in the log.

    Args:
        doing: what failed, as the begin of a sentence.
        is_worth_repeating: False where the same would fail again, such as reading the same file.
    """
    if (problem := storage_problem(sys.exception())) is not None:
        log.error("%s failed: %s", doing, problem)
        return f"{doing} failed: {problem}."
    reference = record(doing)
    if not is_worth_repeating:
        return f"{doing} failed and would fail again. Tell an administrator reference {reference}."
    return f"{doing} failed unexpectedly. What was stored is safe; try again, and name reference {reference}."


def reassured(error: WorkbenchError) -> str:
    """The error as sentences that say, once, that what was stored before is safe."""
    told = f"{error}."
    return told if "is safe" in told else f"{told} What was stored before is safe."


def refusal_of(event: Mapping[str, Any], doing: str, save: Callable[[], object]) -> dict[str, Any]:
    """Save an edit of the viewer and return what it is told: nothing, or its number `edit` and a `message`.

    Nothing is told when somebody else was faster: the viewer sees what is stored now and compares.
    """
    try:
        save()
    except StaleVersionError:
        return {}
    except WorkbenchError as error:
        return {"edit": event.get("edit"), "message": str(error)}
    except (KeyError, TypeError, ValueError, AttributeError):
        return {"edit": event.get("edit"), "message": incident(doing)}
    return {}
