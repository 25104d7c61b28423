"""Traces for OpenTelemetry: where a request, a job, or the reading of a radiograph spends its time.

Nothing is loaded and nothing is measured until `start` is called. Spans hold names that this program chose,
numbers, and texts of statements without their values: no file name, no account, no message of an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from core.logs import current_ids

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from sqlalchemy import Engine

Value = str | int | float | bool
#: A request id of this form is the id of its trace, too (W3C Trace Context, 3.2.2.3: not all zero).
_TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
_SEND_WITHIN_S = 5.0
_SPAN_KEY = "radikal_span"
#: Statements that only part others.
_UNTOLD = frozenset({"BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE"})
_provider: TracerProvider | None = None


class Span(Protocol):
    """A piece of work that is being measured."""

    def set_attribute(self, key: str, value: Value) -> object:
        """Note something about it."""


class _Unmeasured:
    """A span of a process that sends no traces."""

    def set_attribute(self, key: str, value: Value) -> None:
        """Note nothing."""


_UNMEASURED = _Unmeasured()


def start(endpoint: str, *, service: str, headers: Mapping[str, str] | None = None) -> None:
    """Send what is measured from now on by OTLP over HTTP, in batches, from a thread of its own.

    OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES and OTEL_TRACES_SAMPLER count where they are set.

    Args:
        endpoint: of the collector; `/v1/traces` is added to it.
        service: name of this program in the traces.
        headers: sent with each batch.
    """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    class RequestIds(RandomIdGenerator):
        """Ids of traces that are ids of requests, so that the log leads to the trace and back."""

        def generate_trace_id(self) -> int:
            """The id of the request that is bound, else a new one."""
            bound = current_ids()["request_id"] or ""
            return int(bound, 16) if _TRACE_ID.fullmatch(bound) else super().generate_trace_id()

    global _provider  # one a process, as logging is
    stop()
    resource = Resource.create({SERVICE_NAME: service}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource, id_generator=RequestIds(), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(
        f"{endpoint.rstrip('/')}/v1/traces", headers=dict(headers or {}), timeout=_SEND_WITHIN_S
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    _provider = provider


def stop() -> None:
    """Send what was measured and measure no more; a collector that is away holds nobody up for long."""
    global _provider
    if _provider is not None:
        provider, _provider = _provider, None
        provider.shutdown()


def is_on() -> bool:
    """True when spans are sent."""
    return _provider is not None


@contextmanager
def span(name: str, **attributes: Value) -> Iterator[Span]:
    """Measure what is done inside, as a part of the span around it; of a failure only its kind is noted.

    Args:
        name: one of few, without ids.
        attributes: what is noted; `_` in a name is sent as `.`.
    """
    if _provider is None:
        yield _UNMEASURED
        return
    from opentelemetry.trace import Status, StatusCode

    noted = {key.replace("_", "."): value for key, value in attributes.items()}
    tracer = _provider.get_tracer("radikal")
    with tracer.start_as_current_span(
        name, attributes=noted, record_exception=False, set_status_on_exception=False
    ) as measured:
        try:
            yield measured
        except Exception as error:
            measured.set_attribute("error.type", type(error).__name__)
            measured.set_status(Status(StatusCode.ERROR))
            raise


def trace_statements(engine: Engine) -> None:
    """Make a span of each statement to this database that is done within a span; polls are not."""
    from sqlalchemy import event

    event.listen(engine, "before_cursor_execute", _begin_statement)
    event.listen(engine, "after_cursor_execute", _end_statement)
    event.listen(engine, "handle_error", _fail_statement)


def _begin_statement(
    connection: object, _cursor: object, statement: str, _values: object, context: object, _many: bool
) -> None:
    verb = statement.lstrip().partition(" ")[0].upper()[:20]
    if _provider is None or context is None or verb in _UNTOLD:
        return
    from opentelemetry.trace import SpanKind, get_current_span

    if not get_current_span().get_span_context().is_valid:
        return
    noted = {"db.system.name": connection.dialect.name, "db.query.text": statement}  # type: ignore[attr-defined]
    tracer = _provider.get_tracer("radikal")
    setattr(context, _SPAN_KEY, tracer.start_span(f"db {verb}", kind=SpanKind.CLIENT, attributes=noted))


def _end_statement(
    _connection: object, _cursor: object, _statement: str, _values: object, context: object, _many: bool
) -> None:
    if (measured := getattr(context, _SPAN_KEY, None)) is not None:
        measured.end()


def _fail_statement(failure: object) -> None:
    context = getattr(failure, "execution_context", None)
    if (measured := getattr(context, _SPAN_KEY, None)) is not None:
        measured.set_attribute("error.type", type(failure.original_exception).__name__)  # type: ignore[attr-defined]
        measured.end()
