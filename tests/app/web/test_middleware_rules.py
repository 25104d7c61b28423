"""Who is refused: by host, by origin, by size, by rate, without a session."""

import pytest

from app.shared.connection import user_of
from app.web.middleware.gate import Gate
from app.web.middleware.limits import BodyLimits, body_limits
from app.web.middleware.origins import AllowedHosts, SameOrigin
from app.web.middleware.rates import RateLimits, TokenBuckets, rate_rules
from app.web.middleware.stack import answered_hosts
from core.config import Settings
from tests.asgi import HTML, Inner, ask, known

UPLOAD = "/_stcore/upload_file/session/file"
STREAM = "/_stcore/stream"


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


# --- hosts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "is_allowed"),
    [
        ("qc.example.com", True),
        ("QC.Example.com.:8000", True),
        ("a.plant.example", True),
        ("localhost:8000", True),
        ("127.0.0.1", True),
        ("[::1]:8000", True),
        ("plant.example", False),
        ("evilplant.example", False),
        ("qc.example.com.evil.example", False),
        ("evil.example", False),
        ("user@qc.example.com", False),
        ("qc.example.com/x", False),
        ("qc.example.com:port", False),
        ("", False),
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_only_our_names_are_answered(host: str, is_allowed: bool, kind: str) -> None:
    inner = Inner()
    app = AllowedHosts(inner, hosts=["qc.example.com", "*.plant.example"])
    expected = {"http": (200, 400), "websocket": (101, 1008)}[kind]
    assert ask(app, headers={"host": host}, kind=kind).status == expected[not is_allowed]
    assert bool(inner.scopes) is is_allowed


def test_two_hosts_are_none() -> None:
    app = AllowedHosts(Inner(), hosts=["qc.example.com"])
    assert ask(app, headers=[("host", "qc.example.com"), ("host", "evil.example")]).status == 400


@pytest.mark.parametrize(
    ("environment", "listens_on", "hosts"),
    [
        ({}, "127.0.0.1", ()),
        ({}, "0.0.0.0", ("*",)),
        ({"allowed_hosts": "qc.example.com"}, "0.0.0.0", ("qc.example.com",)),
        ({"public_url": "https://qc.example.com"}, "127.0.0.1", ("qc.example.com",)),
    ],
)
def test_without_names_only_a_server_for_this_machine_is_strict(
    environment: dict[str, str], listens_on: str, hosts: tuple[str, ...]
) -> None:
    assert answered_hosts(Settings(_env_file=None, **environment), listens_on) == hosts


# --- origins ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("origin", "is_secure", "is_ours"),
    [
        ("http://qc.example.com", False, True),
        ("https://qc.example.com", True, True),
        ("https://public.example", True, True),
        ("http://qc.example.com", True, False),  # a page that anybody on the way can write
        ("http://qc.example.com:8000", False, False),
        ("https://evil.example", False, False),
        ("https://qc.example.com.evil.example", False, False),
        ("https://line.example", False, False),  # may call the API, not our forms
        ("null", False, False),
        ("", False, False),
        ("qc.example.com", False, False),
        ("ftp://qc.example.com", False, False),
        ("http://qc.example.com:port", False, False),
    ],
)
@pytest.mark.parametrize(("kind", "method"), [("http", "POST"), ("http", "DELETE"), ("websocket", "GET")])
def test_only_our_own_pages_may_act(
    origin: str, is_secure: bool, is_ours: bool, kind: str, method: str
) -> None:
    inner = Inner()
    app = SameOrigin(inner, public_url="https://public.example", api_origins=["https://line.example"])
    ask(
        app,
        "/signin",
        kind=kind,
        method=method,
        headers={"origin": origin, "cookie": "a=1"},
        connection=known(is_secure=is_secure),
    )
    assert bool(inner.scopes) is is_ours


def test_reading_needs_no_origin() -> None:
    app = SameOrigin(Inner())
    for method in ("GET", "HEAD", "OPTIONS"):
        assert ask(app, method=method, headers={"origin": "https://evil.example"}).status == 200


def test_without_an_origin_no_session_rides_along() -> None:
    app = SameOrigin(Inner())
    assert ask(app, method="POST", headers={"cookie": "a=1"}, connection=known()).status == 403
    assert ask(app, method="POST", headers={"authorization": "token"}, connection=known()).status == 200


def test_named_origins_may_call_the_api() -> None:
    app = SameOrigin(Inner(), api_origins=["https://line.example"])
    line = {"origin": "https://line.example"}
    assert ask(app, "/api/x", method="POST", headers=line, connection=known()).status == 200
    assert ask(app, "/signin", method="POST", headers=line, connection=known()).status == 403
    everybody = SameOrigin(Inner(), api_origins=["*"])
    assert ask(everybody, "/api/x", method="POST", headers=line, connection=known()).status == 200


@pytest.mark.parametrize(
    ("cookie", "status"),
    [("radikal_replica=a", 200), ("radikal_replica=a; s=1", 403), ("s=1; radikal_replica=a", 403), ("", 403)],
)
def test_the_cookie_of_a_proxy_is_nobodys_session(cookie: str, status: int) -> None:
    headers = {"host": "localhost", "cookie": cookie}
    assert ask(SameOrigin(Inner()), "/api/x", method="POST", headers=headers).status == status


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("origin", "keeps"), [("https://line.example", False), ("http://qc.example.com", True), (None, True)]
)
def test_a_page_of_another_origin_calls_the_api_without_cookies(
    method: str, origin: str | None, keeps: bool
) -> None:
    inner = Inner()
    headers = {"cookie": "a=1", **({} if origin is None else {"origin": origin})}
    app = SameOrigin(inner, api_origins=["https://line.example"])
    answer = ask(app, "/api/x", method=method, headers=headers, connection=known())
    if origin is None and method == "POST":  # a cookie alone writes nothing
        assert answer.status == 403
    else:
        assert answer.status == 200
        assert (b"cookie" in dict(inner.scopes[-1]["headers"])) is keeps


def test_streamlit_is_not_asked_whether_another_origin_may_read() -> None:
    inner = Inner()
    for path, keeps in (("/media/x", False), ("/_stcore/health", False), ("/api/x", True)):
        ask(SameOrigin(inner), path, headers={"origin": "https://evil.example"}, connection=known())
        assert (b"origin" in dict(inner.scopes[-1]["headers"])) is keeps


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_behind_a_proxy_with_another_host_streamlit_sees_the_public_one(kind: str) -> None:
    inner = Inner()
    headers = {"origin": "https://qc.example.com", "host": "10.0.0.5:8000"}
    app = SameOrigin(inner, public_url="https://qc.example.com")
    ask(app, STREAM, method="POST", kind=kind, headers=headers, connection=known())
    assert [v for k, v in inner.scopes[0]["headers"] if k == b"host"] == [b"qc.example.com"]


def test_two_origins_are_none() -> None:
    twice = [("origin", "http://qc.example.com"), ("origin", "https://evil.example")]
    assert ask(SameOrigin(Inner()), method="POST", headers=twice, connection=known()).status == 403


# --- sizes ------------------------------------------------------------------------------------------


def limited(inner: Inner) -> BodyLimits:
    return BodyLimits(inner, largest={"/_stcore/upload_file/": 1000}, otherwise=100, idle_s=0.05)


@pytest.mark.parametrize(
    ("path", "size", "status"), [(UPLOAD, 1000, 200), (UPLOAD, 1001, 413), ("/x", 100, 200), ("/x", 101, 413)]
)
@pytest.mark.parametrize("is_announced", [True, False])
def test_a_body_over_its_limit_is_refused(path: str, size: int, status: int, is_announced: bool) -> None:
    inner = Inner()
    headers = {"content-length": str(size)} if is_announced else {}
    pieces = [b"x" * (size // 2), b"x" * (size - size // 2)]
    answer = ask(limited(inner), path, method="PUT", headers=headers, body=pieces)
    assert answer.status == status
    assert len(inner.read) <= 1000
    if status == 413:
        assert answer.headers["connection"] == "close"
        assert bool(inner.scopes) is not is_announced  # announced: nobody further in hears of it


def test_a_length_that_lies_does_not_help() -> None:
    answer = ask(limited(Inner()), method="POST", headers={"content-length": "1"}, body=[b"x" * 200])
    assert answer.status == 413


@pytest.mark.parametrize("length", ["-1", "1e3", "", "٣"])
def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    assert ask(limited(Inner()), method="POST", headers={"content-length": length}).status == 400


def test_a_body_that_stalls_is_given_up() -> None:
    assert ask(limited(Inner()), method="POST", body=[b"x"], stalls=True).status == 408


def test_waiting_for_the_end_of_the_connection_is_no_stall() -> None:
    async def waits(scope, receive, send):
        await receive()
        assert (await receive())["type"] == "http.disconnect"
        await Inner()(scope, receive, send)

    assert ask(BodyLimits(waits, largest={}, idle_s=0.05)).status == 200


def test_uploads_may_be_large_and_forms_may_not() -> None:
    app = BodyLimits(Inner(), largest=body_limits(500))
    too_large = {"content-length": str(502 * 2**20)}
    assert ask(app, UPLOAD, method="PUT", headers={"content-length": str(500 * 2**20)}).status == 200
    assert "501 MB" in ask(app, UPLOAD, method="PUT", headers=too_large).text
    assert "64 kB" in ask(app, "/signin", method="POST", headers={"content-length": "65537"}).text


# --- rates ------------------------------------------------------------------------------------------


def test_a_bucket_empties_and_refills_with_time() -> None:
    clock = FakeClock()
    buckets = TokenBuckets(capacity=2, per_s=0.5, clock=clock)
    assert [buckets.take("a"), buckets.take("a")] == [0, 0]
    assert buckets.take("a") == 2
    assert buckets.take("b") == 0
    clock.now += 1.9
    assert buckets.take("a") == pytest.approx(0.1)
    clock.now += 0.1
    assert buckets.take("a") == 0
    clock.now += 3600
    assert [buckets.take("a"), buckets.take("a"), buckets.take("a")] == [0, 0, 2]


def test_being_refused_costs_nothing_and_no_cost_is_out_of_reach() -> None:
    clock = FakeClock()
    buckets = TokenBuckets(capacity=10, per_s=1, clock=clock)
    buckets.take("a", 4)
    assert [buckets.take("a", 1000) for _ in range(3)] == [4, 4, 4]
    clock.now += 4
    assert buckets.take("a", 1000) == 0


def test_only_so_many_clients_are_remembered() -> None:
    buckets = TokenBuckets(capacity=1, per_s=0.001, clock=FakeClock(), max_keys=100)
    for n in range(1000):
        buckets.take(str(n))
    assert len(buckets) == 100
    assert buckets.take("999") > 0


@pytest.mark.parametrize(
    ("kind", "method", "path", "headers", "n_allowed", "refill_s"),
    [
        ("http", "POST", "/signin", {}, 30, 2),
        ("websocket", "GET", STREAM, {}, 120, 1),
        ("http", "PUT", UPLOAD, {"content-length": str(2**29)}, 16, 8),
        ("http", "PUT", UPLOAD, {}, 16, 8),  # without a length: as much as is allowed at all
        ("http", "PUT", UPLOAD, {"content-length": "10"}, 8192, 1),
    ],
)
def test_a_client_that_does_too_much_waits(
    kind: str, method: str, path: str, headers: dict[str, str], n_allowed: int, refill_s: int
) -> None:
    clock = FakeClock()
    app = RateLimits(Inner(), rules=rate_rules(upload_limit_mb=512, clock=clock))

    def once(client: str = "192.0.2.7") -> int:
        answer = ask(
            app,
            path,
            kind=kind,
            method=method,
            headers=headers,
            connection=known(client),
            extensions={"websocket.http.response": {}},
        )
        if answer.status == 429:
            assert int(answer.headers["retry-after"]) >= 1
        return answer.status

    good = 200 if kind == "http" else 101
    assert {once() for _ in range(n_allowed)} == {good}
    assert once() == 429
    assert once("192.0.2.8") == good
    clock.now += refill_s
    assert once() == good


def test_a_server_that_cannot_refuse_a_websocket_in_words_closes_it() -> None:
    app = RateLimits(Inner(), rules=rate_rules(upload_limit_mb=500, clock=FakeClock()))
    closed = [ask(app, STREAM, kind="websocket", connection=known()).status for _ in range(121)]
    assert closed == [101] * 120 + [1008]


def test_a_department_that_opens_its_pages_at_once_is_not_slowed_down() -> None:
    reading = rate_rules(upload_limit_mb=500, clock=FakeClock())[0]

    def waits(path: str, accept: bytes = b"*/*") -> float:
        scope = {"type": "http", "method": "GET", "path": path, "headers": [(b"accept", accept)]}
        return reading.buckets.take("192.0.2.7", reading.cost(scope))

    for _ in range(40):  # people
        assert not waits("/", b"text/html")
        assert not any(waits("/static/js/x.js") for _ in range(80))
        assert not any(waits("/pixels/x") for _ in range(20))


@pytest.mark.parametrize(
    ("path", "headers", "at_once"),
    [("/", HTML, 20), ("/pixels/x", {}, 200), ("/static/x.js", {}, 2000)],
)
def test_reading_without_end_is_slowed_down(path: str, headers: dict[str, str], at_once: int) -> None:
    clock = FakeClock()
    rules = rate_rules(upload_limit_mb=500, requests_per_second=5, clock=clock)
    reading = RateLimits(Inner(), rules=rules)

    def reads() -> bool:
        return ask(reading, path, headers=headers, connection=known()).status == 200

    n_read = 0
    while reads():
        n_read += 1
    assert n_read in (at_once, at_once - 1)  # a tenth is not exact
    clock.now += 2  # ten tokens
    assert [reads() for _ in range(at_once // 20)] == [True] * (at_once // 20)
    assert ask(reading, path, headers=headers, connection=known("192.0.2.8")).status == 200


# --- sessions ---------------------------------------------------------------------------------------


def doorkeeper(cookies: dict[str, str]) -> str | None:
    return "u-1" if cookies.get("session") == "good" else None


@pytest.mark.parametrize(
    "path", ["/media/a.png", UPLOAD, "/pixels/ab", "/thumbnails/ab", "/results/ab/map", "/media/../x"]
)
@pytest.mark.parametrize("cookies", [{}, {"cookie": "session=forged"}, {"cookie": "other=good"}])
def test_what_belongs_to_visitors_is_closed_without_a_session(path: str, cookies: dict[str, str]) -> None:
    inner = Inner()
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS"):
        assert ask(Gate(inner, doorkeeper=doorkeeper), path, method=method, headers=cookies).status == 403
    assert not inner.scopes


def test_with_a_session_it_is_open_and_the_log_knows_whose() -> None:
    inner = Inner()
    app = Gate(inner, doorkeeper=doorkeeper)
    good = {"cookie": "session=good"}
    for path in ("/pixels/ab", "/api/xai-qc/health", "/signout"):
        assert ask(app, path, headers=good, connection=known()).status == 200
        assert user_of(inner.scopes[-1]) == "u-1"
    ask(app, STREAM, kind="websocket", headers=good, connection=known())
    assert user_of(inner.scopes[-1]) == "u-1"


def test_pages_health_and_the_sign_in_are_open_to_everybody() -> None:
    inner = Inner()
    app = Gate(inner, doorkeeper=doorkeeper)
    for path in (
        "/",
        "/how-to-read",
        "/api/xai-qc/health",
        "/signin",
        "/static/js/x.js",
        "/samples/x/thumbnail",
    ):
        assert ask(app, path, connection=known()).status == 200
    assert ask(app, STREAM, kind="websocket", connection=known()).status == 101


def test_what_nobody_needs_is_closed_to_everybody() -> None:
    app = Gate(Inner(), doorkeeper=lambda cookies: "u-1")
    for path in ("/_stcore/metrics", "/_stcore/agent/mcp", "/_stcore/script-health-check"):
        assert ask(app, path, headers={"cookie": "session=good", **HTML}).status == 404


def test_a_doorkeeper_that_breaks_lets_nobody_in() -> None:
    def broken(cookies: dict[str, str]) -> str | None:
        raise OSError("the database is away")

    inner = Inner()
    with pytest.raises(OSError, match="away"):
        ask(Gate(inner, doorkeeper=broken), "/pixels/ab", headers={"cookie": "session=good"})
    assert not inner.scopes
