"""Reports of errors to Sentry: what failed and where, never on whose data.

A report is made of fields that are listed here, and of nothing else: what the exception said, values of
variables, names of files that were handed in, accounts and addresses stay in the log of this machine, where
the reference and the request id of the report lead.
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from core.logs import current_ids

_FRAME = ("module", "function", "lineno", "in_app")
_KEPT = ("event_id", "timestamp", "platform", "level", "logger", "release", "environment")
_TAGS = ("request_id", "model_id", "reference", "logged_at")
#: The same place tells once in so long; what fails a thousand times a second is one report.
_AGAIN_AFTER_S = 60.0
_MOST_PLACES = 1000
_SEND_WITHIN_S = 2.0
#: Loggers of what sends, which would report that it cannot.
_OWN = ("sentry_sdk", "opentelemetry", "urllib3")


class ErrorReports(logging.Handler):
    """Sends each record of level ERROR and above, with its traceback, from a thread of its own.

    Args:
        dsn: where to.
        environment: "production" or "development".
        release: version of this program.
        clock: in seconds.
    """

    def __init__(
        self, dsn: str, *, environment: str, release: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        from sentry_sdk import Client
        from sentry_sdk.consts import CompressionAlgo

        super().__init__(logging.ERROR)
        self._clock = clock
        self._told: dict[tuple[str, int, str], float] = {}
        self._client = Client(
            dsn,
            environment=environment,
            release=release,
            before_send=_before_send,
            default_integrations=False,
            auto_enabling_integrations=False,
            include_local_variables=False,
            include_source_context=False,
            auto_session_tracking=False,
            send_client_reports=False,
            server_name="",
            max_breadcrumbs=0,
            shutdown_timeout=_SEND_WITHIN_S,
            _experiments={"transport_compression_algo": CompressionAlgo.GZIP},  # whatever is installed
        )

    def emit(self, record: logging.LogRecord) -> None:
        """Send it, unless the same place told lately."""
        if record.name.partition(".")[0] in _OWN or not self._is_news(record):
            return
        try:
            self._client.capture_event(_event_of(record, self._client.options))
        except Exception:  # noqa: BLE001 - reporting an error must not be one
            self.handleError(record)

    def close(self) -> None:
        """Send what waits, for a moment; then no more."""
        self._client.close(timeout=_SEND_WITHIN_S)
        super().close()

    def _is_news(self, record: logging.LogRecord) -> bool:
        now = self._clock()
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        place = (record.pathname, record.lineno, kind)
        if now - self._told.get(place, float("-inf")) < _AGAIN_AFTER_S:
            return False
        if len(self._told) >= _MOST_PLACES:
            self._told.clear()
        self._told[place] = now
        return True


def without_data(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event with nothing in it but fields that cannot hold data of people or parts.

    Of an exception its type and its frames stay, of a message the pattern without its values.
    """
    kept = {name: event[name] for name in _KEPT if event.get(name) is not None}
    kept["tags"] = {name: str(value) for name, value in (event.get("tags") or {}).items() if name in _TAGS}
    pattern = (event.get("logentry") or {}).get("message")
    if isinstance(pattern, str):
        kept["logentry"] = {"message": pattern}
    values = (event.get("exception") or {}).get("values") or []
    if values:
        kept["exception"] = {"values": [_exception(value) for value in values]}
    return kept


def _before_send(event: Any, _hint: object) -> Any:
    return without_data(event)


def _exception(value: Mapping[str, Any]) -> dict[str, Any]:
    """Type and frames; a frame is known by its module, as its file says where this is installed."""
    frames = (value.get("stacktrace") or {}).get("frames") or []
    kept = [{name: frame[name] for name in _FRAME if frame.get(name) is not None} for frame in frames]
    return {
        "type": str(value.get("type")),
        "module": value.get("module"),
        "value": "said in the log of the machine",
        "stacktrace": {"frames": kept},
    }


def _event_of(record: logging.LogRecord, options: dict[str, Any]) -> Any:
    from sentry_sdk.utils import event_from_exception

    event: Any = {}
    if record.exc_info and record.exc_info[1] is not None:
        event, _ = event_from_exception(record.exc_info, client_options=options)
    ids = {name: getattr(record, name, None) or bound for name, bound in current_ids().items()}
    ids |= {"reference": getattr(record, "reference", None), "logged_at": f"{record.name}:{record.lineno}"}
    event["level"] = record.levelname.lower() if record.levelno < logging.CRITICAL else "fatal"
    event["logger"] = record.name
    event["logentry"] = {"message": record.msg if isinstance(record.msg, str) and record.args else ""}
    event["tags"] = {name: value for name, value in ids.items() if value}
    return event
