"""One text for one value: what hashes and seals are computed over."""

import hashlib
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

#: Below it every whole float is exactly one integer (RFC 8785 writes those alike, too).
_EXACT_INTEGERS = 2**53
_PLAIN = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
_LENIENT = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=repr)


def canonical_json(value: Any) -> bytes:
    """The JSON of `value` in ASCII: keys sorted, no spaces, moments in UTC with microseconds and Z.

    Follows RFC 8785 in spirit: a whole float is written as the integer it equals (1.0 as 1, -0.0 as 0); every
    other float as the shortest text that reads back as the same float. It deviates in the order of keys (code
    points) and in the exponent of floats.

    Raises:
        TypeError: `value` holds something that JSON has no word for.
        ValueError: a float that is not finite, a moment without a zone.
    """
    return _PLAIN.encode(plain(value)).encode("ascii")


def stored_json(value: Any) -> bytes:
    """The same text for what was read from a database, which may hold anything by now: never raises."""
    return _LENIENT.encode(value).encode("ascii")


def digest(value: Mapping[str, Any]) -> str:
    """The 64 hex digits of the SHA-256 of the canonical JSON of `value`.

    Whoever knows the digest can try values: leave names out of what is digested.

    Raises:
        TypeError, ValueError: as `canonical_json`.
    """
    return hashlib.sha256(canonical_json(value)).hexdigest()


def moment_text(moment: datetime) -> str:
    """The moment in UTC with microseconds, such as `2026-01-31T07:05:00.000000Z`.

    Raises:
        ValueError: the moment has no zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"expected a moment with a time zone, got {moment.isoformat()}")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def plain(value: Any) -> Any:
    """`value` as dicts with text keys, lists, texts, integers, floats, booleans and None.

    What comes back is the same after a trip through a JSON column.

    Raises:
        TypeError, ValueError: as `canonical_json`.
    """
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return _plain_float(float(value))
    if isinstance(value, str):
        return str(value)
    if isinstance(value, datetime):
        return moment_text(value)
    if isinstance(value, Mapping):
        return {_plain_key(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    raise TypeError(f"expected plain JSON, got {type(value).__name__}")


def _plain_float(value: float) -> float | int:
    if not math.isfinite(value):
        raise ValueError(f"expected a finite number, got {value}")
    return int(value) if value.is_integer() and abs(value) < _EXACT_INTEGERS else value


def _plain_key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"expected texts as keys, got {type(key).__name__}")
    return str(key.value) if isinstance(key, Enum) else key
