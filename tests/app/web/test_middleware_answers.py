"""What every answer carries, how no is said, and what a page starts from."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from app.shared.incident import incident
from app.shared.policy import hash_source, inline_scripts, page_policy
from app.web.middleware.arrival import Arrival
from app.web.middleware.failures import Failures
from app.web.middleware.page_shell import PageShell
from app.web.middleware.refusal import Refusal
from app.web.middleware.security_headers import SecurityHeaders
from app.web.middleware.stack import middleware_stack
from core.config import Settings
from core.logs import JsonLines, Redaction
from core.store.failures import DatabaseUnavailableError
from tests.asgi import HTML, Inner, ask, known

SHELL = b"""<html><head><title>Streamlit</title>
<link rel="service-desc" href="./_stcore/agent/openapi.json" />
<script>window.prerenderReady = false</script><script type="module" src="./x.js"></script></head>
<body><noscript><p>agents</p></noscript><div id="root"></div></body></html>"""
PAGE_HEADERS = {"content-type": "text/html; charset=utf-8", "etag": "x", "content-length": str(len(SHELL))}
SECRET = "hunter22hunter22"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What the log writes, as JSON lines."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines(Redaction([SECRET])))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def stacked(inner: Inner, **settings: str) -> object:
    """The whole stack around `inner`, for visitors whose session is "good"."""
    app = inner
    stack = middleware_stack(
        Settings(_env_file=None, **settings),
        listens_on="127.0.0.1",
        doorkeeper=lambda cookies: "u-1" if cookies.get("session") == "good" else None,
        cookies_for=lambda scope: [],
        is_page=lambda path: path == "/",
        visitor_of=lambda cookies: None,
        cookies_of_page=lambda session_id: None,
    )
    for rule in reversed(stack):
        app = rule.cls(app, *rule.args, **rule.kwargs)
    return app


# --- headers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {"host": "localhost"}),
        ("/pixels/ab", {"host": "localhost"}),  # refused: no session
        ("/", {"host": "evil.example"}),
        ("/_stcore/metrics", {"host": "localhost"}),
    ],
)
def test_every_answer_carries_the_security_headers(path: str, headers: dict[str, str]) -> None:
    answer = ask(stacked(Inner()), path, headers=headers)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in answer.headers["permissions-policy"]
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "strict-transport-security" not in answer.headers
    assert len(answer.headers["x-request-id"]) == 32  # as long as the id of a trace


def test_data_may_run_nothing_and_files_of_the_page_run_as_the_page() -> None:
    app = SecurityHeaders(Inner())
    assert "script-src" not in ask(app, "/pixels/ab", connection=known()).headers["content-security-policy"]
    assert ask(app, "/static/js/x.js", connection=known()).headers["content-security-policy"] == page_policy()
    own = SecurityHeaders(Inner({"Content-Security-Policy": "mine"}))
    assert ask(own, connection=known()).headers["content-security-policy"] == "mine"


@pytest.mark.parametrize("source", ["'unsafe-eval'", "http:", "https:", "*"])
def test_the_policy_of_pages_allows_nothing_from_elsewhere_and_no_eval(source: str) -> None:
    assert source not in page_policy().replace("'wasm-unsafe-eval'", "").split()
    assert "'unsafe-inline'" not in page_policy().partition("script-src")[2].partition(";")[0]


def test_over_https_cookies_are_secure_and_https_is_remembered() -> None:
    app = SecurityHeaders(Inner({"Set-Cookie": "a=secure; Path=/"}))
    answer = ask(app, connection=known(is_secure=True))
    assert answer.headers["set-cookie"] == "a=secure; Path=/; Secure"
    assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
    assert ask(app, connection=known()).headers["set-cookie"] == "a=secure; Path=/"
    secure = SecurityHeaders(Inner({"Set-Cookie": "a=b; secure"}))
    assert ask(secure, connection=known(is_secure=True)).headers["set-cookie"] == "a=b; secure"


def test_no_other_origin_may_read_what_streamlit_answers() -> None:
    app = SecurityHeaders(Inner({"Access-Control-Allow-Origin": "*"}))
    assert "access-control-allow-origin" not in ask(app, "/media/x", connection=known()).headers
    assert "access-control-allow-origin" in ask(app, "/api/x", connection=known()).headers


# --- refusals and failures --------------------------------------------------------------------------


def test_a_refusal_is_a_page_a_line_or_an_object() -> None:
    refusal = Refusal(418, "No <tea>", "Nothing was brewed.", reference="ab12cd", headers={"X-Pot": "1"})
    page = ask(refusal, headers=HTML)
    assert page.headers["content-type"].startswith("text/html")
    assert "No &lt;tea&gt;" in page.text
    assert "Reference ab12cd" in page.text
    style = page.text.partition("<style>")[2].partition("</style>")[0]
    assert hash_source(style) in page.headers["content-security-policy"]
    assert ask(refusal).text == "No <tea>. Nothing was brewed. Reference ab12cd.\n"
    told = json.loads(ask(refusal, "/api/x", headers=HTML).text)
    assert told == {
        "type": "/api/docs#refused",
        "title": "No <tea>",
        "status": 418,
        "detail": "Nothing was brewed.",
        "instance": "/api/x",
        "request_id": "",
        "reference": "ab12cd",
    }
    for path in ("/", "/api/x"):
        assert ask(refusal, path).headers["x-pot"] == "1"
        assert ask(refusal, path).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("path", "headers"), [("/x", {}), ("/x", HTML), ("/api/x", {})])
def test_what_nobody_foresaw_is_a_reference_for_the_user_and_a_traceback_in_the_log(
    lines: io.StringIO, path: str, headers: dict[str, str]
) -> None:
    broken = Inner(fails=RuntimeError(f"inner detail {SECRET} password=hunter23"))
    answer = ask(stacked(broken), path, headers={**headers, "host": "localhost", "cookie": f"s={SECRET}"})
    assert answer.status == 500
    assert "inner detail" not in answer.text
    assert "What was stored is safe" in answer.text
    logged = [json.loads(line) for line in lines.getvalue().splitlines()]
    (failure,) = [line for line in logged if line["level"] == "ERROR"]
    assert failure["reference"] in answer.text
    assert failure["request_id"] == answer.headers["x-request-id"]
    assert "RuntimeError: inner detail" in failure["exception"]
    assert SECRET not in lines.getvalue()
    assert "hunter23" not in lines.getvalue()


def test_a_database_that_is_away_is_said_and_may_be_asked_again(lines: io.StringIO) -> None:
    away = Inner(fails=DatabaseUnavailableError("the database cannot be reached; nothing was changed"))
    answer = ask(stacked(away), "/api/x", headers={"host": "localhost"})
    assert (answer.status, answer.headers["retry-after"]) == (503, "2")
    assert "The database cannot be reached; nothing was changed." in answer.text


def test_the_log_names_request_and_user_of_every_answer(lines: io.StringIO) -> None:
    headers = {"host": "localhost", "cookie": f"session=good; other={SECRET}"}
    answer = ask(stacked(Inner()), "/pixels/ab", headers=headers)
    (line,) = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert (line["request_id"], line["user_id"]) == (answer.headers["x-request-id"], "u-1")
    assert (line["method"], line["path"], line["status"]) == ("GET", "/pixels/ab", 200)
    assert SECRET not in lines.getvalue()


def test_half_an_answer_does_not_look_whole() -> None:
    async def breaks_late(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError

    with pytest.raises(RuntimeError):
        ask(Failures(breaks_late))


def test_a_websocket_that_breaks_is_closed_with_a_reference_in_the_log(lines: io.StringIO) -> None:
    async def breaks(scope, receive, send):
        raise RuntimeError

    assert ask(Arrival(Failures(breaks)), kind="websocket").status == 1008
    assert any(json.loads(line)["reference"] for line in lines.getvalue().splitlines())


def test_a_worker_tells_the_reference_that_is_in_the_log(lines: io.StringIO) -> None:
    try:
        raise RuntimeError("inner detail")
    except RuntimeError:
        told = incident("Reading film.png")
    assert told.startswith("Reading film.png failed unexpectedly")
    assert json.loads(lines.getvalue())["reference"] in told


# --- pages ------------------------------------------------------------------------------------------


def test_the_shell_is_dark_by_default_and_ours_and_always_whole() -> None:
    inner = Inner(PAGE_HEADERS, SHELL)
    page = ask(PageShell(inner), headers={**HTML, "if-none-match": "x", "range": "bytes=0-3"})
    assert "<title>RadiKal</title>" in page.text
    assert '"Dark"' in page.text
    assert "agent" not in page.text
    assert int(page.headers["content-length"]) == len(page.body)
    assert page.headers["cache-control"] == "no-store"
    assert "etag" not in page.headers
    assert not {b"if-none-match", b"range"} & {name for name, _ in inner.scopes[0]["headers"]}


def test_the_policy_of_a_page_names_exactly_its_inline_scripts() -> None:
    page = ask(PageShell(Inner(PAGE_HEADERS, SHELL)), headers=HTML)
    sources = page.headers["content-security-policy"].partition("script-src ")[2].partition(";")[0].split()
    assert sources[-2:] == inline_scripts(page.body)
    assert hash_source("window.prerenderReady = false") in sources
    assert "'unsafe-inline'" not in sources


def test_an_address_that_is_no_page_is_not_found() -> None:
    app = PageShell(Inner(PAGE_HEADERS, SHELL), is_page=lambda path: path == "/known")
    assert ask(app, "/known", headers=HTML).status == 200
    missing = ask(app, "/unknown", headers=HTML)
    assert missing.status == 404
    assert "There is nothing here" in missing.text


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("headers", [{}, {"accept": "*/*"}, {"accept": "application/json"}])
def test_a_program_that_asks_for_no_page_of_ours_gets_404_without_html(
    method: str, headers: dict[str, str]
) -> None:
    app = PageShell(Inner(PAGE_HEADERS, SHELL), is_page=lambda path: path == "/known")
    missing = ask(app, "/unknown/address", method=method, headers=headers)
    assert missing.status == 404
    assert "html" not in missing.headers["content-type"]
    assert b"<" not in missing.body
    assert ask(app, "/known", method=method, headers=headers).status == 200


def test_html_of_ours_that_is_no_shell_passes_to_programs() -> None:
    app = PageShell(Inner({"content-type": "text/html"}, b"<p>report</p>"), is_page=lambda path: False)
    assert ask(app, "/reports/1.html").body == b"<p>report</p>"


@pytest.mark.parametrize(
    ("number", "words"), [(28, "The disk is full"), (30, "The disk is read-only"), (13, "may not be written")]
)
def test_a_disk_that_takes_nothing_is_told_in_words_once(lines: io.StringIO, number: int, words: str) -> None:
    answer = ask(stacked(Inner(fails=OSError(number, "x"))), headers={"host": "localhost"})
    assert answer.status == 507
    assert words in answer.text
    assert "what was stored before is safe" in answer.text
    assert "Reference" not in answer.text
    assert lines.getvalue().count("what was stored before is safe") == 1
    assert "Traceback" not in lines.getvalue()


def test_whoever_opens_a_page_gets_the_cookies_meant_for_it() -> None:
    app = PageShell(Inner(PAGE_HEADERS, SHELL), cookies_for=lambda scope: ["a=1", "b=2"])
    assert ask(app, headers=HTML).headers["set-cookie"] == "b=2"
    assert "set-cookie" not in ask(app).headers
    assert "set-cookie" not in ask(app, method="POST", headers=HTML).headers


def test_what_is_no_shell_passes_unchanged() -> None:
    answer = ask(PageShell(Inner({"content-type": "text/plain"}, SHELL)), headers=HTML)
    assert answer.body == SHELL
    assert ask(PageShell(Inner(PAGE_HEADERS, SHELL))).body == SHELL
