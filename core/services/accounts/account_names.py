"""Sign-in names and full names of accounts."""

import re
import unicodedata

from core.domain.errors import BadInputError

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._@-]{0,62}[a-z0-9])")
_MAX_FULL_NAME = 128
#: Shown for those who act without an account; an account of that name could pass for them.
_TAKEN = frozenset({"guest", "system", "command-line", "commandline", "radikal", "nobody", "unknown"})


def account_name(typed: str) -> str:
    """The sign-in name in lower case.

    Raises:
        BadInputError: it is not 2 to 64 plain letters, digits and . _ - @ between a letter or digit at both
            ends, or stands for somebody without an account.
    """
    name = typed.strip().lower()
    if not _NAME.fullmatch(name):
        raise BadInputError(
            "expected a sign-in name of 2 to 64 plain letters, digits or . _ - @, with a letter or digit at "
            f"both ends, got {_shown(typed)}"
        )
    if name in _TAKEN:
        raise BadInputError(f"the name {name} stands for somebody without an account: choose another")
    return name


def person_name(typed: str) -> str:
    """The full name as it is printed, composed and without superfluous spaces.

    Raises:
        BadInputError: it is empty, too long, or holds what cannot be printed, such as marks that turn the
            direction of writing around.
    """
    name = re.sub(" +", " ", unicodedata.normalize("NFC", typed).strip())
    if not 1 <= len(name) <= _MAX_FULL_NAME or not name.isprintable():
        raise BadInputError(
            f"expected a full name of 1 to {_MAX_FULL_NAME} printable characters, got {_shown(typed)}"
        )
    if not any(character.isalpha() for character in name):
        raise BadInputError(f"expected a full name with letters in it, got {_shown(typed)}")
    return name


def _shown(typed: str) -> str:
    """The typed text, shortened and without anything that a terminal or a page would obey."""
    return ascii(typed if len(typed) <= 40 else typed[:40] + "...")
