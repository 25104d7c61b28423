"""The span of a request: under the id that the answer names, by area and never by address."""

from app.web.middleware.arrival import Arrival
from app.web.middleware.tracing import Tracing
from core import tracing
from tests.asgi import Inner, ask
from tests.collectors import attributes, collecting


def test_the_trace_of_a_request_has_the_id_that_its_answer_names() -> None:
    with collecting() as collector:
        tracing.start(collector.url, service="radikal")
        try:
            served = Arrival(Tracing(Inner()))
            answer = ask(served, "/api/xai-qc/inspections/smith")
            ask(served, "/static/a.js")
            ask(served, "/api/xai-qc/health/live")
        finally:
            tracing.stop()
        (span,) = collector.spans()
    assert span.name == "GET api inspections"
    assert span.trace_id.hex() == answer.headers["x-request-id"]
    assert attributes(span) == {
        "http.request.method": "GET",
        "http.route": "api inspections",
        "http.response.status_code": 200,
    }
    assert "smith" not in collector.text
