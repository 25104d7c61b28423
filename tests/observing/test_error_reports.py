"""Reports of errors: what leaves this machine, and what does not."""

import logging
from collections.abc import Iterator

import pytest

from core.error_reports import ErrorReports, without_data
from core.logs import bound
from tests.collectors import Collector, collecting

log = logging.getLogger("app.place")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def reports() -> Iterator[tuple[Collector, ErrorReports, Clock]]:
    with collecting() as kept:
        clock = Clock()
        dsn = kept.url.replace("://", "://publickey@") + "/7"
        handler = ErrorReports(dsn, environment="production", release="radikal@1.0", clock=clock)
        log.addHandler(handler)
        try:
            yield kept, handler, clock
        finally:
            log.removeHandler(handler)
            handler.close()


def _fail(file_name: str, password: str = "hunter22") -> None:
    try:
        raise ValueError(f"{file_name} of Smith, {password}")
    except ValueError:
        log.exception("reference %s: %s failed", "ab12", file_name, extra={"reference": "ab12"})


def test_an_error_arrives_with_its_place_and_its_ids(reports: tuple[Collector, ErrorReports, Clock]) -> None:
    collector, handler, _ = reports
    with bound(request_id="a" * 32, user_id="u-smith", model_id="weld v3"):
        _fail("smith.tif")
    handler.close()
    collector.wait_for(1)
    (event,) = collector.events()
    assert event["level"] == "error"
    assert event["logentry"] == {"message": "reference %s: %s failed"}
    assert event["environment"] == "production"
    (value,) = event["exception"]["values"]
    assert value["type"] == "ValueError"
    assert value["stacktrace"]["frames"][-1]["function"] == "_fail"
    tags = event["tags"]
    assert tags.pop("logged_at").startswith("app.place:")
    assert tags == {"request_id": "a" * 32, "model_id": "weld v3", "reference": "ab12"}


def test_no_value_leaves_the_machine(reports: tuple[Collector, ErrorReports, Clock]) -> None:
    collector, handler, _ = reports
    with bound(user_id="u-smith"):
        _fail("smith.tif")
    handler.close()
    text = collector.text.lower()
    assert "valueerror" in text
    for secret in ("smith", "hunter22", "tests/observing", "argv"):
        assert secret not in text


def test_the_same_place_tells_once_a_minute(reports: tuple[Collector, ErrorReports, Clock]) -> None:
    collector, handler, clock = reports
    for now in (0, 1, 59, 61):
        clock.now = now
        _fail("a.tif")
    handler.close()
    assert len(collector.events()) == 2


def test_warnings_and_its_own_troubles_are_not_reported(
    reports: tuple[Collector, ErrorReports, Clock],
) -> None:
    collector, handler, _ = reports
    log.warning("%s is tried again", "a.tif")
    handler.emit(logging.LogRecord("sentry_sdk.errors", logging.ERROR, "x.py", 1, "away", (), None))
    handler.close()
    assert collector.posts == []


def test_whatever_an_event_holds_only_known_fields_pass() -> None:
    event = {
        "event_id": "1",
        "user": {"ip_address": "192.0.2.7"},
        "server_name": "smiths-laptop",
        "extra": {"sys.argv": ["radikal", "smith.tif"]},
        "request": {"url": "https://x/?q=smith"},
        "breadcrumbs": [{"message": "smith"}],
        "modules": {"numpy": "2"},
        "message": "smith",
        "logentry": {"message": "%s failed", "params": ["smith.tif"]},
        "tags": {"reference": "ab12", "user_id": "u-smith"},
        "exception": {
            "values": [
                {
                    "type": "OSError",
                    "module": None,
                    "value": "smith.tif",
                    "stacktrace": {
                        "frames": [{"function": "read", "vars": {"name": "smith"}, "abs_path": "C:/smith/x"}]
                    },
                }
            ]
        },
    }
    kept = without_data(event)
    assert "smith" not in str(kept)
    assert "192.0.2.7" not in str(kept)
    assert kept["exception"]["values"][0]["stacktrace"]["frames"] == [{"function": "read"}]
    assert kept["tags"] == {"reference": "ab12"}
