"""Passwords: which are good enough, and bcrypt hashes of them as streamlit-authenticator's `Hasher` makes."""

import re
import secrets

import bcrypt

from core.domain.errors import WeakPasswordError

#: log2 of bcrypt's rounds, about a quarter of a second; the same that `Hasher` takes.
COST = 12
MIN_BYTES = 12
#: bcrypt reads no further, and refuses more.
MAX_BYTES = 72
_MIN_DISTINCT = 5
_GROUPS, _GROUP_LENGTH = 5, 4
#: Letters and digits that nobody mistakes for another one.
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"
_RUNS = (
    "abcdefghijklmnopqrstuvwxyz",
    "0123456789",
    "qwertzuiopasdfghjklyxcvbnm",
    "qwertyuiopasdfghjklzxcvbnm",
)
#: Common passwords of this length without their digits and punctuation.
_COMMON = """
password passwort passphrase passwords mypassword thisisapassword letmein letmeinplease welcome
welcomehome administrator administrador adminadmin administration superuser changeme changemenow
changeit changethis iloveyou iloveyouforever trustnoone football baseball basketball sunshine
princess superman starwars correcthorsebatterystaple correcthorse whateverwhatever qwertyqwerty
qwertyuiop asdfghjkl zxcvbnm radikal radiograph radiography radiographs inspection inspector
reviewer annotator mlengineer company summer winter spring autumn monday friday secret
secretsecret topsecret default testtest testtesttest testing testpassword demodemo temporary
computer internet microsoft
"""
_LOOK_ALIKE = str.maketrans({"0": "o", "1": "l", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s"})


def hash_password(password: str, *, cost: int = COST) -> str:
    """The bcrypt hash of a password of at most `MAX_BYTES` bytes of UTF-8.

    Raises:
        WeakPasswordError: it is longer.
    """
    _require_length(password, at_least=0)
    return bcrypt.hashpw(password.encode("utf-8"), bcrypt.gensalt(cost)).decode("ascii")


def check_password(password: str, password_hash: str | None, *, cost: int = COST) -> bool:
    """True when the hash is of this password.

    It always takes as long as one bcrypt of the cost: without a hash (an unknown user, an account without
    password) a dummy of this `cost` is checked, which no password has.
    """
    typed = password.encode("utf-8", "surrogatepass")
    against = password_hash if password_hash is not None else dummy_hash(cost)
    is_same = bcrypt.checkpw(typed[:MAX_BYTES], against.encode("ascii"))
    return is_same and password_hash is not None and len(typed) <= MAX_BYTES


def dummy_hash(cost: int = COST) -> str:
    """A well-formed bcrypt hash of this cost: all zeros, which no password is known to have."""
    return f"$2b${cost:02d}${'.' * 53}"


def require_strong(password: str, *, name: str = "") -> None:
    """Return when the password is good enough for the account `name`.

    Raises:
        WeakPasswordError: it is shorter than `MIN_BYTES` or longer than `MAX_BYTES` bytes of UTF-8, common,
            a repetition, a run of keys or letters, or made of the name.
    """
    _require_length(password, at_least=MIN_BYTES)
    lower = password.lower()
    if len(set(lower)) < _MIN_DISTINCT or _is_repetition(lower) or _is_run(lower):
        raise WeakPasswordError("the password repeats itself or follows the keys: choose another")
    cores = {_letters(lower), _letters(lower.strip("0123456789!?.#*-_ ").translate(_LOOK_ALIKE))}
    if name and (lower == name.lower() or _letters(name.lower()) in cores):
        raise WeakPasswordError("the password is made of the sign-in name: choose another")
    if cores & set(_COMMON.split()):
        raise WeakPasswordError("the password is one of the first that are tried: choose another")


def generate_password() -> str:
    """A new password of 99 random bits in groups that can be read out, good enough by `require_strong`."""
    while True:
        groups = ("".join(secrets.choice(_READABLE) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS))
        password = "-".join(groups)
        try:
            require_strong(password)
        except WeakPasswordError:  # one in many millions
            continue
        return password


def _require_length(password: str, *, at_least: int) -> None:
    try:
        n_bytes = len(password.encode("utf-8"))
    except UnicodeEncodeError:
        raise WeakPasswordError(
            "the password holds characters that cannot be typed: choose another"
        ) from None
    if n_bytes < at_least:
        raise WeakPasswordError(f"the password needs at least {MIN_BYTES} characters")
    if n_bytes > MAX_BYTES:
        raise WeakPasswordError(
            f"the password may have at most {MAX_BYTES} bytes ({MAX_BYTES} plain letters), this has {n_bytes}"
        )


def _letters(text: str) -> str:
    return re.sub(r"[\W\d_]", "", text)


def _is_repetition(text: str) -> bool:
    """True for a block of up to a third of the length, over and over: abcabcabcabc."""
    return any((text[:n] * len(text))[: len(text)] == text for n in range(1, len(text) // 3 + 1))


def _is_run(text: str) -> bool:
    """True when nine in ten characters follow the one before on the keyboard or in the alphabet."""
    neighbours = {pair for run in _RUNS for pair in _pairs(run) | _pairs(run[::-1])} | {"90", "01"}
    pairs = [text[i : i + 2] for i in range(len(text) - 1)]
    return sum(pair in neighbours for pair in pairs) >= 0.9 * len(pairs)


def _pairs(run: str) -> set[str]:
    return {run[i : i + 2] for i in range(len(run) - 1)}
