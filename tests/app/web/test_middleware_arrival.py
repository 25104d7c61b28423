"""Who asks, under which id, and what the log says of it."""

import asyncio
import logging
from ipaddress import ip_network

import pytest

from app.shared.connection import client_address, connection_of, cookies_of, counted_as, remember_user
from app.web.middleware.arrival import Arrival
from core.logs import current_ids
from tests.asgi import Inner, ask

PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


def seen_headers(inner: Inner) -> list[tuple[str, str]]:
    return [(name.decode(), value.decode()) for name, value in inner.scopes[-1]["headers"]]


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.7", [], "192.0.2.7"),
        ("192.0.2.7", ["203.0.113.9"], "192.0.2.7"),  # not our proxy: not believed
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["1.2.3.4, 203.0.113.9"], "203.0.113.9"),  # the client wrote the first itself
        ("10.0.0.1", ["1.2.3.4", "203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["203.0.113.9, nonsense"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("::ffff:10.0.0.1", ["203.0.113.9:5000"], "203.0.113.9"),
        ("fd00::1", ["[2001:db8::1]:443"], "2001:db8::1"),
        (None, ["203.0.113.9"], "unknown"),
        ("testclient", ["203.0.113.9"], "testclient"),
    ],
)
def test_only_what_our_proxies_wrote_is_believed(peer: str | None, forwarded: list[str], client: str) -> None:
    assert client_address(peer, forwarded, PROXIES) == client


def test_one_customer_of_ipv6_counts_once() -> None:
    assert counted_as("2001:db8::1") == counted_as("2001:db8::ffff:2") == "2001:db8::/64"
    assert counted_as("2001:db8:0:1::1") != counted_as("2001:db8::1")
    assert (counted_as("192.0.2.7"), counted_as("unknown")) == ("192.0.2.7", "unknown")


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_the_script_is_told_the_client_and_nobody_can_forge_it(kind: str) -> None:
    inner = Inner()
    forged = [
        ("X-Radikal-Client", "203.0.113.9"),
        ("x-radikal-client", "203.0.113.10"),
        ("X-Radikal-Request", "mine"),
        ("X-Request-ID", "mine"),
        ("X-Forwarded-For", "203.0.113.9"),
        ("X-Forwarded-Proto", "https"),
    ]
    answer = ask(
        Arrival(inner, trusted=PROXIES, new_id=lambda: "ours"), headers=forged, kind=kind, peer="192.0.2.7"
    )
    headers = seen_headers(inner)
    assert [value for name, value in headers if name == "x-radikal-client"] == ["192.0.2.7"]
    assert [value for name, value in headers if name == "x-radikal-request"] == ["ours"]
    assert not [name for name, _ in headers if name.startswith("x-forwarded")]
    assert inner.scopes[0]["client"] == ("192.0.2.7", 40_000)
    connection = connection_of(inner.scopes[0])
    assert (connection.client, connection.is_secure, connection.request_id) == ("192.0.2.7", False, "ours")
    assert answer.headers["x-request-id"] == "ours"


@pytest.mark.parametrize(
    ("kind", "scheme", "secured"), [("http", "http", "https"), ("websocket", "ws", "wss")]
)
def test_a_trusted_proxy_says_who_asks_and_how(kind: str, scheme: str, secured: str) -> None:
    inner = Inner()
    passed_on = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    ask(Arrival(inner, trusted=PROXIES), headers=passed_on, kind=kind, scheme=scheme, peer="10.0.0.1")
    scope = inner.scopes[0]
    assert (scope["scheme"], connection_of(scope).client) == (secured, "203.0.113.9")
    assert ("x-forwarded-for", "203.0.113.9") in seen_headers(inner)


def test_behind_an_https_address_everything_is_secure() -> None:
    inner = Inner()
    ask(Arrival(inner, is_public_secure=True))
    assert connection_of(inner.scopes[0]).is_secure


@pytest.mark.parametrize(
    ("peer", "headers", "is_local"),
    [
        ("127.0.0.1", {}, True),
        ("::1", {}, True),
        ("192.0.2.7", {}, False),
        ("127.0.0.1", {"X-Forwarded-For": "192.0.2.7"}, False),  # a proxy on this machine that nobody named
        ("127.0.0.1", {"Via": "1.1 proxy"}, False),
        ("10.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, False),
    ],
)
def test_local_is_who_sits_at_this_machine(peer: str, headers: dict[str, str], is_local: bool) -> None:
    inner = Inner()
    ask(Arrival(inner, trusted=PROXIES), peer=peer, headers=headers)
    assert connection_of(inner.scopes[0]).is_local is is_local


def test_every_request_has_an_id_of_its_own() -> None:
    inner, ids = Inner(), []

    async def noting(scope, receive, send):
        ids.append(current_ids()["request_id"])
        await inner(scope, receive, send)

    app = Arrival(noting)
    answers = [ask(app).headers["x-request-id"] for _ in range(3)]
    assert ids == answers
    assert len(set(ids)) == 3
    assert current_ids()["request_id"] is None


def test_a_request_is_one_line_without_its_query(caplog: pytest.LogCaptureFixture) -> None:
    async def signed_in(scope, receive, send):
        remember_user(scope, "u-1")
        await Inner()(scope, receive, send)

    times = iter([10.0, 10.25])
    with caplog.at_level(logging.INFO, "app.access"):
        ask(Arrival(signed_in, clock=lambda: next(times)), "/pixels/a\nb", method="POST")
    (record,) = caplog.records
    assert record.getMessage() == "POST /pixels/a%0Ab 200 250.0 ms"
    assert (record.method, record.path, record.status, record.ms) == ("POST", "/pixels/a%0Ab", 200, 250.0)


@pytest.mark.parametrize(
    "path", ["/static/js/index.js", "/favicon.png", "/_stcore/health", "/page/_stcore/host-config"]
)
def test_files_of_the_page_are_not_logged(caplog: pytest.LogCaptureFixture, path: str) -> None:
    with caplog.at_level(logging.INFO, "app.access"):
        ask(Arrival(Inner()), path)
    assert not caplog.records


def test_a_websocket_is_logged_when_it_opens(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "app.access"):
        ask(Arrival(Inner()), "/_stcore/stream", kind="websocket")
    (record,) = caplog.records
    assert (record.method, record.status) == ("WEBSOCKET", 101)


def test_a_failure_further_in_is_logged_as_500(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "app.access"), pytest.raises(RuntimeError):
        ask(Arrival(Inner(fails=RuntimeError())))
    assert caplog.records[-1].status == 500


def test_damaged_cookies_are_left_out() -> None:
    inner = Inner()
    ask(inner, headers=[("cookie", "a=1; \x01=; b=2"), ("cookie", "c=3")])
    assert {"a": "1", "b": "2", "c": "3"}.items() <= cookies_of(inner.scopes[0]).items()


def test_what_is_no_request_passes() -> None:
    passed = []

    async def inner(scope, receive, send):
        passed.append(scope["type"])

    asyncio.run(Arrival(inner)({"type": "lifespan"}, None, None))
    assert passed == ["lifespan"]
