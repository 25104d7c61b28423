"""The log: one line an event, as JSON or text, with the ids of request, user and model, never a secret."""

import json
import logging
import re
import secrets
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

from pythonjsonlogger.json import JsonFormatter

HIDDEN = "[hidden]"
#: A shorter value is more likely a common word than a secret; hiding it everywhere would garble the log.
_MIN_SECRET_LENGTH = 6
_IDS: Mapping[str, ContextVar[str | None]] = {
    name: ContextVar(name, default=None) for name in ("request_id", "user_id", "model_id")
}
#: A name that says that its value is secret; the lengths are bounded so that no text is slow to search.
_SENSITIVE = (
    r"[\w-]{0,40}"
    r"(?:password|passwd|passphrase|secret|token|ticket|api[_-]?key|authorization|cookie)"
    r"[\w-]{0,40}"
)
_SENSITIVE_NAME = re.compile(rf"^{_SENSITIVE}$", re.IGNORECASE)
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # a header as text or as a pair of bytes: everything up to the end of the line or of the string
    (
        re.compile(
            r"\b((?:set-|proxy-)?(?:authorization|cookie)\b(?:['\"]?\s*[:=]|['\"]\s*,)\s*b?)"
            r"(?:'[^'\n]*'|\"[^\"\n]*\"|[^'\"\n]+)",
            re.IGNORECASE,
        ),
        rf"\g<1>{HIDDEN}",
    ),
    (
        re.compile(
            rf"\b({_SENSITIVE}\b['\"]?\s*[:=]\s*)b?(?:'[^'\n]*'|\"[^\"\n]*\"|[^\s,;&'\"}})]+)",
            re.IGNORECASE,
        ),
        rf"\g<1>{HIDDEN}",
    ),
    (re.compile(r"\b(radikal_\w+=)[^\s;,'\"]+"), rf"\g<1>{HIDDEN}"),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{6,}", re.IGNORECASE), rf"\g<1> {HIDDEN}"),
    (re.compile(r"(://[^\s:/@]{0,200}:)[^\s@]{1,500}(?=@)"), rf"\g<1>{HIDDEN}"),
    (re.compile(r"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}"), HIDDEN),
)


def new_request_id() -> str:
    """A new id of a request, or of another piece of work: 32 hex digits, as ids of traces have."""
    return secrets.token_hex(16)


@contextmanager
def bound(
    *, request_id: str | None = None, user_id: str | None = None, model_id: str | None = None
) -> Iterator[None]:
    """Put these ids on every record that is logged inside; what is None stays as it is outside."""
    given = {"request_id": request_id, "user_id": user_id, "model_id": model_id}
    tokens = [(_IDS[name], _IDS[name].set(value)) for name, value in given.items() if value is not None]
    try:
        yield
    finally:
        for variable, token in reversed(tokens):
            variable.reset(token)


def current_ids() -> dict[str, str | None]:
    """`request_id`, `user_id` and `model_id` as they are bound now."""
    return {name: variable.get() for name, variable in _IDS.items()}


class Redaction:
    """Hides the given secrets, and what looks like one: passwords, tokens, cookies, hashes, URL passwords."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        found = {value for value in secrets if len(value) >= _MIN_SECRET_LENGTH}
        written = (
            found | {json.dumps(value)[1:-1] for value in found} | {repr(value)[1:-1] for value in found}
        )
        self._known = sorted(written, key=len, reverse=True)

    def text(self, text: str) -> str:
        """The text without secrets."""
        for value in self._known:
            text = text.replace(value, HIDDEN)
        for pattern, replacement in _RULES:
            text = pattern.sub(replacement, text)
        return text

    def value(self, value: Any, name: str = "") -> Any:
        """The same for what is nested in mappings and sequences; other objects as their text."""
        if _SENSITIVE_NAME.match(name) and value is not None:
            return HIDDEN
        if isinstance(value, Mapping):
            return {str(key): self.value(item, str(key)) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(item) for item in value]
        return value if value is None or isinstance(value, bool | int | float) else self.text(str(value))


class JsonLines(JsonFormatter):
    """One JSON object a record: time (UTC), level, logger, message, the ids, reference, exception, extras."""

    def __init__(self, redaction: Redaction) -> None:
        super().__init__("%(message)s", json_ensure_ascii=False)
        self._redaction = redaction

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        """Fill `log_data` with our fields first, then with what the caller passed as `extra`."""
        log_data.update(
            time=_utc(record), level=record.levelname, logger=record.name, message="", **_ids_of(record)
        )
        super().add_fields(log_data, record, message_dict)
        log_data.pop("color_message", None)  # uvicorn's, with escape codes
        if "exc_info" in log_data:
            log_data["exception"] = log_data.pop("exc_info")

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """The fields without secrets."""
        return {name: self._redaction.value(item, name) for name, item in log_data.items()}


class TextLines(logging.Formatter):
    """One line a record for people at a terminal, the ids where there are any, then the traceback."""

    def __init__(self, redaction: Redaction) -> None:
        super().__init__()
        self._redaction = redaction

    def format(self, record: logging.LogRecord) -> str:
        """The line; a line break in the message is shown as such, it cannot begin a new record."""
        ids = " ".join(f"{name}={value}" for name, value in _ids_of(record).items() if value)
        message = record.getMessage().replace("\r", "\\r").replace("\n", "\\n")
        line = f"{_utc(record)} {record.levelname} {record.name}: {message}{f' [{ids}]' if ids else ''}"
        if record.exc_info:
            line = f"{line}\n{self.formatException(record.exc_info)}"
        return self._redaction.text(line)


def configure(
    level: str, *, as_json: bool, secrets: Iterable[str] = (), stream: TextIO | None = None
) -> None:
    """Send everything that is logged in this process through one handler, Python's warnings too.

    Args:
        level: of the root logger.
        as_json: JSON lines, else text.
        secrets: values that must never be written, whatever logs them.
        stream: where to; standard error when None.
    """
    redaction = Redaction(secrets)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(redaction) if as_json else TextLines(redaction))
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(True)


def adopt(*packages: str) -> None:
    """Take from the loggers of these packages the handlers that they gave themselves; ours gets it all.

    It knows only loggers that exist: call it when the packages are loaded.
    """
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in packages:
            logger = logging.getLogger(name)
            for handler in list(logger.handlers):
                logger.removeHandler(handler)
            logger.propagate = True


def _ids_of(record: logging.LogRecord) -> dict[str, str | None]:
    """The ids that are bound now, unless the record brings its own; and its reference number."""
    ids = {name: getattr(record, name, None) or bound_id for name, bound_id in current_ids().items()}
    return {**ids, "reference": getattr(record, "reference", None)}


def _utc(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
