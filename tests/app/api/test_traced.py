"""What a trace tells of one radiograph that came through the API."""

from app.shared.resources import Resources
from core import tracing
from core.domain.accounts import Role
from core.domain.api_keys import Scope
from tests.app.api.conftest import MakeKey, TestClient
from tests.app.api.test_walk import detected, film
from tests.collectors import collecting


def test_the_stages_of_an_image_are_parts_of_its_inspection(
    workplace: Resources, client: TestClient, key_of: MakeKey
) -> None:
    headers = key_of(Role.INSPECTOR, Scope.DETECT)
    with collecting() as collector:
        tracing.start(collector.url, service="radikal")
        tracing.trace_statements(workplace.services.database)
        try:
            answer = detected(client, headers, film(name="smith.png"))
        finally:
            tracing.stop()
        assert answer.status_code == 200
        spans = {span.name: span for span in collector.spans()}
        names = {span.span_id: span.name for span in spans.values()}
        parent = {name: names.get(span.parent_span_id) for name, span in spans.items()}
    assert parent["inspect file"] is None
    assert {name for name, above in parent.items() if above == "inspect file"} >= {
        "read file", "fingerprint", "detect", "db INSERT",
    }  # fmt: skip
    stages = {name for name, above in parent.items() if above == "detect"}
    assert stages >= {"load version", "normalise", "network", "calibrate", "familiarity"}
    assert spans["detect"].trace_id.hex() == answer.headers["x-request-id"]
    assert "smith" not in collector.text
