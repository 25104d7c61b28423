"""Traces: what leaves this machine, under which ids, and what does not."""

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text

from core import tracing
from core.logs import bound, new_request_id
from tests.collectors import Collector, attributes, collecting


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as kept:
        tracing.start(kept.url, service="radikal", headers={"x-team": "qc"})
        try:
            yield kept
        finally:
            tracing.stop()


def test_without_an_endpoint_nothing_is_loaded_or_measured() -> None:
    assert not tracing.is_on()
    with tracing.span("detect") as span:
        span.set_attribute("radikal.boxes", 3)


def test_spans_arrive_nested_under_the_id_of_the_request(collector: Collector) -> None:
    request_id = new_request_id()
    with (
        bound(request_id=request_id),
        tracing.span("GET api detect", radikal_model="weld"),
        tracing.span("detect") as inner,
    ):
        inner.set_attribute("radikal.boxes", 3)
    tracing.stop()
    ((path, headers, _),) = collector.wait_for(1)
    inner, outer = collector.spans()
    assert (path, headers["x-team"]) == ("/v1/traces", "qc")
    assert (inner.name, outer.name) == ("detect", "GET api detect")
    assert {inner.trace_id.hex(), outer.trace_id.hex()} == {request_id}
    assert inner.parent_span_id == outer.span_id
    assert attributes(inner) == {"radikal.boxes": 3}
    assert attributes(outer) == {"radikal.model": "weld"}


@pytest.mark.parametrize("bound_id", [None, "short", "0" * 32])
def test_an_id_that_is_none_of_a_trace_gives_a_new_one(collector: Collector, bound_id: str | None) -> None:
    with bound(request_id=bound_id), tracing.span("analysis"):
        pass
    tracing.stop()
    (span,) = collector.spans()
    assert int.from_bytes(span.trace_id) != 0


def test_of_a_failure_only_its_kind_is_sent(collector: Collector) -> None:
    with pytest.raises(ValueError, match="weld_of_smith"), tracing.span("read file"):
        raise ValueError("weld_of_smith.tif cannot be read")
    tracing.stop()
    (span,) = collector.spans()
    assert attributes(span) == {"error.type": "ValueError"}
    assert span.status.code == 2
    assert "smith" not in collector.text


def test_statements_within_a_span_are_told_without_their_values(collector: Collector) -> None:
    engine = create_engine("sqlite://")
    tracing.trace_statements(engine)
    with engine.connect() as connection:
        connection.execute(text("SELECT :name"), {"name": "a poll"})
        with tracing.span("page history") as span:
            assert span is not None
            connection.execute(text("SELECT :name"), {"name": "smith"})
            with pytest.raises(Exception, match="no such table"):
                connection.execute(text("SELECT * FROM nowhere"))
    engine.dispose()
    tracing.stop()
    told, failed, _ = collector.spans()
    assert attributes(told) == {"db.system.name": "sqlite", "db.query.text": "SELECT ?"}
    assert attributes(failed)["error.type"] == "OperationalError"
    assert "smith" not in collector.text
    assert "poll" not in collector.text


def test_a_collector_that_is_away_breaks_nothing(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracing, "_SEND_WITHIN_S", 0.2)
    with collecting() as gone:
        url = gone.url
    tracing.start(url, service="radikal")
    with tracing.span("detect"):
        pass
    tracing.stop()
    assert not tracing.is_on()
    assert "export" in caplog.text.lower()
