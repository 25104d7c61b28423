"""Files handed in to fill memory and disk, and into pages of others."""

import asyncio
import gc
import tracemalloc
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from streamlit.web.server.starlette.starlette_app_utils import generate_xsrf_token_string

from app.shared.uploads import MIB, UploadLimits, UploadStore
from app.web.middleware.uploads import Uploads
from core.domain.accounts import Identity, Role
from tests.asgi import Answer, Inner, ask, known

HERE, THERE = "192.0.2.7", "198.51.100.1"
BOUNDARY = "----a-browser"
HEAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="day/film ä.png"\r\n'
    "Content-Type: image/png\r\n\r\n"
).encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()
XSRF = generate_xsrf_token_string()
LIMITS = UploadLimits(person=8 * MIB, address=12 * MIB, guest=3 * MIB, guests=5 * MIB, reserve=MIB)


class Pages:
    """Open pages: the cookies of each."""

    def __init__(self) -> None:
        self.cookies: dict[str, dict[str, str]] = {}

    def of(self, session_id: str) -> Mapping[str, str] | None:
        return self.cookies.get(session_id)


@pytest.fixture
def store(tmp_path: Path) -> UploadStore:
    return UploadStore(tmp_path / "uploads", LIMITS)


@pytest.fixture
def pages() -> Pages:
    return Pages()


@pytest.fixture
def app(store: UploadStore, pages: Pages) -> Uploads:
    return made(store, pages)


def made(store: UploadStore, pages: Pages, *, grace_s: float = 0.0) -> Uploads:
    return Uploads(
        Inner(), store=lambda: store, visitor_of=visitor_of, cookies_of_page=pages.of, grace_s=grace_s
    )


def visitor_of(cookies: Mapping[str, str]) -> Identity | None:
    if guest := cookies.get("radikal_guest"):
        return Identity(f"guest-{guest}", "guest", Role.GUEST)
    name = cookies.get("radikal_session")
    return Identity(f"u-{name}", name, Role.INSPECTOR) if name else None


def open_page(pages: Pages, session_id: str, who: str) -> str:
    """The cookies of a browser with this page open, as it sends them."""
    kind, _, value = who.partition("=")
    pages.cookies[session_id] = {kind: value}
    return f"{who}; _streamlit_xsrf={XSRF}"


def hand_in(
    app: Uploads,
    cookies: str,
    session_id: str,
    size: int,
    *,
    file_id: str = "f",
    address: str = HERE,
    body: Iterable[bytes] | None = None,
    headers: Mapping[str, str] = {},
    leaves: bool = False,
) -> Answer:
    pieces = [HEAD, *[b"x" * 65_536] * (size // 65_536), TAIL] if body is None else list(body)
    told = {
        "content-length": str(sum(map(len, pieces))),
        "content-type": f"multipart/form-data; boundary={BOUNDARY}",
        "cookie": cookies,
        "x-xsrftoken": XSRF,
        **headers,
    }
    return ask(
        app,
        f"/_stcore/upload_file/{session_id}/{file_id}",
        method="PUT",
        headers={name: value for name, value in told.items() if value},
        body=pieces,
        connection=known(address),
        leaves=leaves,
    )


def on_disk(tmp_path: Path) -> int:
    return sum(path.stat().st_size for path in (tmp_path / "uploads").rglob("*") if path.is_file())


def test_a_file_lies_on_disk_until_it_was_read(
    app: Uploads, store: UploadStore, pages: Pages, tmp_path
) -> None:
    cookies = open_page(pages, "page", "radikal_session=ann")
    assert hand_in(app, cookies, "page", MIB).status == 204
    held = store.take("page", "f")
    assert held is not None
    assert (held.name, held.media_type) == ("day/film ä.png", "image/png")
    assert held.read() == b"x" * MIB
    assert on_disk(tmp_path) == MIB
    del held
    assert on_disk(tmp_path) == 0
    assert store.n_bytes("person", "u-ann") == store.n_bytes("address", HERE) == 0


def test_large_files_are_not_held_in_memory(app: Uploads, store: UploadStore, pages: Pages, tmp_path) -> None:
    cookies = open_page(pages, "page", "radikal_session=ann")
    piece = b"x" * MIB
    body = [HEAD, *[piece] * 7, TAIL]  # the pieces are one object
    gc.collect()
    tracemalloc.start()
    try:
        for number in range(8):
            assert hand_in(app, cookies, "page", 0, file_id=f"{number}", body=body).status in (204, 413)
            assert store.find("page", "0")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert on_disk(tmp_path) == 7 * MIB
    assert peak < 5 * MIB


@pytest.mark.parametrize(
    ("who", "fits"), [("radikal_session=ann", 7), ("radikal_guest=g1", 2)], ids=["inspector", "guest"]
)
def test_what_waits_of_one_person_is_capped_over_all_tabs(
    app: Uploads, pages: Pages, store: UploadStore, tmp_path: Path, who: str, fits: int
) -> None:
    statuses = []
    for number in range(12):
        cookies = open_page(pages, f"tab{number}", who)
        statuses.append(hand_in(app, cookies, f"tab{number}", MIB).status)
    assert statuses == [204] * fits + [413] * (12 - fits)
    assert on_disk(tmp_path) == fits * MIB


@pytest.mark.parametrize(("kind", "fits"), [("radikal_session", 11), ("radikal_guest", 4)])
def test_what_waits_of_one_address_is_capped_and_other_addresses_are_free(
    app: Uploads, pages: Pages, kind: str, fits: int
) -> None:
    statuses = []
    for number in range(15):
        cookies = open_page(pages, f"tab{number}", f"{kind}=n{number}")
        statuses.append(hand_in(app, cookies, f"tab{number}", MIB).status)
    assert statuses == [204] * fits + [413] * (15 - fits)
    cookies = open_page(pages, "other", f"{kind}=other")
    assert hand_in(app, cookies, "other", MIB, address=THERE).status == 204


def test_too_much_is_refused_before_it_comes(app: Uploads, pages: Pages, tmp_path: Path) -> None:
    cookies = open_page(pages, "page", "radikal_session=ann")

    def never() -> Iterable[bytes]:
        yield b""

    answer = hand_in(app, cookies, "page", 0, body=never(), headers={"content-length": str(9 * MIB)})
    assert answer.status == 413
    assert "at most 8 MB may" in answer.text
    assert on_disk(tmp_path) == 0


def test_a_file_without_a_length_is_refused(app: Uploads, pages: Pages) -> None:
    cookies = open_page(pages, "page", "radikal_session=ann")
    assert hand_in(app, cookies, "page", MIB, headers={"content-length": ""}).status == 411


def test_a_browser_that_leaves_midway_leaves_nothing(
    app: Uploads, pages: Pages, store: UploadStore, tmp_path: Path
) -> None:
    cookies = open_page(pages, "page", "radikal_session=ann")
    for _ in range(20):  # without room given back the ninth would be refused
        hand_in(
            app,
            cookies,
            "page",
            0,
            body=[HEAD, b"x" * MIB],
            headers={"content-length": str(2 * MIB)},
            leaves=True,
        )
    assert store.find("page", "f") is None
    assert on_disk(tmp_path) == 0
    assert store.n_bytes("person", "u-ann") == 0


@pytest.mark.parametrize(
    "body",
    [
        [b"no form at all"],
        [HEAD, b"x", f"\r\n--{BOUNDARY}\r\n".encode(), HEAD.split(b"\r\n", 1)[1], b"y", TAIL],
        [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="a"\r\n\r\nb'.encode(), TAIL],
        [f"--{BOUNDARY}\r\nX: {'y' * 20_000}".encode(), TAIL],
        [HEAD, b"it breaks off"],
    ],
    ids=["no form", "two files", "no file", "endless header", "breaks off"],
)
def test_what_no_browser_sends_leaves_nothing(
    app: Uploads, pages: Pages, store: UploadStore, tmp_path: Path, body: list[bytes]
) -> None:
    cookies = open_page(pages, "page", "radikal_session=ann")
    assert hand_in(app, cookies, "page", 0, body=body).status == 400
    assert (on_disk(tmp_path), store.n_bytes("address", HERE)) == (0, 0)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("who", ["radikal_session=bob", "radikal_guest=g1", ""])
def test_nobody_reaches_into_a_page_of_another(
    app: Uploads, pages: Pages, store: UploadStore, who: str, method: str
) -> None:
    mine = open_page(pages, "mine", "radikal_session=ann")
    assert hand_in(app, mine, "mine", MIB).status == 204
    theirs = f"{who}; _streamlit_xsrf={XSRF}"
    headers = {"cookie": theirs, "x-xsrftoken": XSRF, "content-length": "0"}
    path = "/_stcore/upload_file/mine/f"
    assert ask(app, path, method=method, headers=headers, connection=known()).status == 403
    held = store.find("mine", "f")
    assert held is not None
    assert held.read() == b"x" * MIB


def test_a_page_that_is_gone_or_never_was_takes_nothing(app: Uploads, pages: Pages) -> None:
    cookies = open_page(pages, "page", "radikal_session=ann")
    assert hand_in(app, cookies, "another", MIB).status == 403
    assert hand_in(app, cookies.replace(XSRF, generate_xsrf_token_string()), "page", MIB).status == 403


def test_a_file_that_comes_after_its_page_was_closed_is_dropped(
    store: UploadStore, pages: Pages, tmp_path: Path
) -> None:
    cookies = open_page(pages, "page", "radikal_session=ann")
    opened = dict(pages.cookies)

    def closed_meanwhile(session_id: str) -> Mapping[str, str] | None:
        return opened.pop(session_id, None)

    app = Uploads(
        Inner(), store=lambda: store, visitor_of=visitor_of, cookies_of_page=closed_meanwhile, grace_s=0
    )
    assert hand_in(app, cookies, "page", MIB).status == 403
    assert (on_disk(tmp_path), store.sessions()) == (0, [])


def test_files_of_a_page_go_with_it(store: UploadStore, pages: Pages, tmp_path: Path) -> None:
    cookies = open_page(pages, "page", "radikal_session=ann")
    other = open_page(pages, "open", "radikal_session=ann")
    app = made(store, pages)
    assert hand_in(app, cookies, "page", MIB).status == 204
    assert hand_in(app, other, "open", MIB).status == 204
    del pages.cookies["page"]

    async def connection_ends() -> None:
        async def nothing(*_: object) -> dict[str, object]:
            return {"type": "websocket.disconnect"}

        await app({"type": "websocket", "path": "/_stcore/stream"}, nothing, nothing)
        await asyncio.sleep(0.05)

    asyncio.run(connection_ends())
    assert store.sessions() == ["open"]
    assert on_disk(tmp_path) == MIB


def test_the_disk_is_never_filled(tmp_path: Path, pages: Pages) -> None:
    store = UploadStore(tmp_path / "uploads", LIMITS, free_bytes=lambda _folder: 2 * MIB)
    cookies = open_page(pages, "page", "radikal_session=ann")
    answer = hand_in(made(store, pages), cookies, "page", MIB)
    assert answer.status == 507
    assert answer.text.startswith("There is no room for it. Nothing was stored: the server's disk is nearly")
    assert on_disk(tmp_path) == 0


def test_files_of_a_guest_who_was_put_out_go_with_the_guest(
    app: Uploads, store: UploadStore, pages: Pages, tmp_path: Path
) -> None:
    cookies = open_page(pages, "page", "radikal_guest=g1")
    assert hand_in(app, cookies, "page", MIB).status == 204
    store.forget("guest-g1")
    assert on_disk(tmp_path) == 0


def test_what_a_killed_server_left_is_removed_and_what_another_one_holds_is_not(tmp_path: Path) -> None:
    folder, somebody = tmp_path / "uploads", Identity("u-ann", "ann", Role.INSPECTOR)
    other = UploadStore(folder, LIMITS)
    held = other.expect(somebody, HERE, MIB)
    left = folder / "left by a killed one"
    left.mkdir()
    (left / "film").write_bytes(b"x")
    UploadStore(folder, LIMITS).close()
    assert not left.exists()
    assert held.read() == b""
    other.close()
