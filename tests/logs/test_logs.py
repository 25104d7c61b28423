"""What the log holds, and what it never holds."""

import io
import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.logs import HIDDEN, Redaction, adopt, bound, configure, current_ids

SECRET = 'vN4-q0Zk"Wm7xTgB2\\sYhLr9dUe'
BCRYPT = "$2b$12$" + "a" * 53


@pytest.fixture
def log() -> Iterator[Callable[..., io.StringIO]]:
    """Configures the root logger onto a text stream; afterwards everything is as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level

    def start(*, as_json: bool = True) -> io.StringIO:
        stream = io.StringIO()
        configure("INFO", as_json=as_json, secrets=[SECRET, "abc"], stream=stream)
        return stream

    yield start
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_record_is_one_json_object_with_the_ids(log: Callable[..., io.StringIO]) -> None:
    stream = log()
    with bound(request_id="r1", user_id="u-1"), bound(model_id="weld/2"):
        logging.getLogger("app.x").info("done\nwell", extra={"status": 200, "reference": "ab12"})
    (line,) = stream.getvalue().splitlines()
    content = json.loads(line)
    assert content.pop("time").endswith("+00:00")
    assert content == {
        "level": "INFO",
        "logger": "app.x",
        "message": "done\nwell",
        "request_id": "r1",
        "user_id": "u-1",
        "model_id": "weld/2",
        "reference": "ab12",
        "status": 200,
    }


def test_ids_end_with_the_block_and_are_not_seen_by_other_threads() -> None:
    seen: list[dict[str, str | None]] = []
    with bound(request_id="outer"):
        with pytest.raises(RuntimeError), bound(request_id="inner", user_id="u-1"):
            raise RuntimeError
        assert current_ids() == {"request_id": "outer", "user_id": None, "model_id": None}
        thread = threading.Thread(target=lambda: seen.append(current_ids()))
        thread.start()
        thread.join()
    assert seen == [dict.fromkeys(("request_id", "user_id", "model_id"))]


def test_an_exception_comes_with_its_traceback(log: Callable[..., io.StringIO]) -> None:
    stream = log()
    try:
        raise ValueError(f"no such password={SECRET}")
    except ValueError:
        logging.getLogger("app").exception("failed")
    content = json.loads(stream.getvalue())
    assert content["exception"].startswith("Traceback")
    assert SECRET not in content["exception"]
    assert "exc_info" not in content


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize(
    ("arguments", "secret"),
    [
        ((f"the key is {SECRET}",), SECRET),
        (("the key is %r", {"anything": SECRET}), SECRET),
        (("password=hunter22",), "hunter22"),
        (("{'new_password': 'hunter 22', 'a': 1}",), "hunter 22"),
        (("%s", {"password": "hunter22"}), "hunter22"),
        (("cannot reach postgresql+psycopg://radikal:hunt/er22@db/radikal",), "hunt/er22"),
        (("Cookie: radikal_session=hunter22; other=hunter22",), "hunter22"),
        (("%s", [(b"cookie", b"radikal_session=hunter22"), (b"accept", b"*")]), "hunter22"),
        (("Authorization: Bearer hunter22",), "hunter22"),
        (("sent Bearer hunter22.x",), "hunter22"),
        (("radikal_session=hunter22",), "hunter22"),
        (("ticket=hunter22&next=/",), "hunter22"),
        ((f"parameters: ('a', '{BCRYPT}')",), BCRYPT),
    ],
)
def test_no_secret_is_written(
    log: Callable[..., io.StringIO], as_json: bool, arguments: tuple[object, ...], secret: str
) -> None:
    stream = log(as_json=as_json)
    logging.getLogger("app").warning(*arguments)
    written = stream.getvalue()
    assert HIDDEN in written
    assert secret not in written
    assert json.dumps(secret)[1:-1] not in written
    if as_json:
        json.loads(written)


def test_secrets_in_extras_are_hidden_by_name_and_by_value(log: Callable[..., io.StringIO]) -> None:
    stream = log()
    extra = {"session_token": "short", "asked": {"password": ["a", "b"], "path": f"/x/{SECRET}"}, "n": 3}
    logging.getLogger("app").info("asked", extra=extra)
    content = json.loads(stream.getvalue())
    assert content["session_token"] == HIDDEN
    assert content["asked"] == {"password": HIDDEN, "path": f"/x/{HIDDEN}"}
    assert content["n"] == 3


@pytest.mark.parametrize(
    "text", ["no cookie, no session", "abc", "12 tokens", "https://a.example/x@y", "the password was changed"]
)
def test_what_only_speaks_of_secrets_stays_readable(text: str) -> None:
    assert Redaction(["abc"]).text(text) == text


@given(st.text(), st.text(min_size=6))
def test_a_known_secret_never_survives(text: str, secret: str) -> None:
    if secret in HIDDEN or any(secret in f"{HIDDEN}{HIDDEN}"[i:] for i in range(len(HIDDEN))):
        return
    assert secret not in Redaction([secret]).text("x y " + text.replace(secret, "") + " " + secret + " z")


@pytest.mark.parametrize("unit", ["a-", "://a:", "://", "cookie", "password=", "basic "])
def test_no_text_takes_long_to_search(unit: str) -> None:
    started = time.process_time()
    Redaction().text(unit * 20_000)
    assert time.process_time() - started < 5


def test_as_text_a_line_break_cannot_begin_a_new_record(log: Callable[..., io.StringIO]) -> None:
    stream = log(as_json=False)
    with bound(request_id="r1"):
        logging.getLogger("app").info("one\r\n2026-01-01 ERROR forged", extra={"reference": "ab12"})
    (line,) = stream.getvalue().splitlines()
    assert line.endswith("INFO app: one\\r\\n2026-01-01 ERROR forged [request_id=r1 reference=ab12]")


def test_handlers_of_libraries_are_taken_over(log: Callable[..., io.StringIO]) -> None:
    stream, own = log(), io.StringIO()
    library = logging.getLogger("streamlikely.inner")
    library.addHandler(logging.StreamHandler(own))
    library.propagate = False
    adopt("streamlikely")
    library.warning("heard")
    assert own.getvalue() == ""
    assert json.loads(stream.getvalue())["message"] == "heard"


def test_without_a_stream_it_goes_to_standard_error(
    log: Callable[..., io.StringIO], capsys: pytest.CaptureFixture[str]
) -> None:
    log()
    configure("INFO", as_json=True, stream=sys.stderr)
    logging.getLogger("app").debug("too quiet")
    logging.getLogger("app").info("loud enough")
    assert json.loads(capsys.readouterr().err)["message"] == "loud enough"
