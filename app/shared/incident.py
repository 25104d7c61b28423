"""What a user is told when something broke that nobody foresaw."""

import logging
import secrets

log = logging.getLogger(__name__)


def record(doing: str) -> str:
    """The reference under which the exception now being handled was logged, with its traceback."""
    reference = secrets.token_hex(3)
    log.exception("reference %s: %s failed", reference, doing, extra={"reference": reference})
    return reference


def incident(doing: str) -> str:
    """One line with a reference number, to be called while handling the exception, which is logged."""
    reference = record(doing)
    return f"{doing} failed unexpectedly. What was stored is safe; try again, and name reference {reference}."
