"""What a user is told when something broke that nobody foresaw."""

import logging
import secrets

log = logging.getLogger(__name__)


def incident(doing: str) -> str:
    """One line with a reference number, to be called while handling the exception, which is logged."""
    reference = secrets.token_hex(3)
    log.exception("reference %s: %s failed", reference, doing)
    return f"{doing} failed unexpectedly. What was stored is safe; try again, and name reference {reference}."
