"""ASGI by hand: a request in, the messages of the answer out."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.shared.connection import Connection, remember_connection

HTML = {"accept": "text/html"}


@dataclass
class Answer:
    """What came back: the status of HTTP, or the close code of a websocket, 101 when it was accepted."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")


class Inner:
    """The application behind a rule: answers 200 and remembers what reached it."""

    def __init__(
        self, headers: Mapping[str, str] | None = None, body: bytes = b"inner", fails: Exception | None = None
    ) -> None:
        self.scopes: list[Scope] = []
        self.read = b""
        self._headers = [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()]
        self._body = body
        self._fails = fails

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            return
        while (message := await receive())["type"] == "http.request":
            self.read += message.get("body", b"")
            if not message.get("more_body"):
                break
        if self._fails is not None:
            raise self._fails
        await send({"type": "http.response.start", "status": 200, "headers": self._headers})
        await send({"type": "http.response.body", "body": self._body})


def ask(
    app: ASGIApp,
    path: str = "/",
    *,
    method: str = "GET",
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    body: Iterable[bytes] = (b"",),
    scheme: str = "http",
    peer: str | None = "127.0.0.1",
    kind: str = "http",
    connection: Connection | None = None,
    extensions: Mapping[str, Any] | None = None,
    stalls: bool = False,
    leaves: bool = False,
) -> Answer:
    """The answer of `app`.

    Args:
        body: its pieces.
        kind: http or websocket.
        connection: what `Arrival` would have found out, where it is not part of `app`.
        stalls: nothing comes after the pieces, though more was announced.
        leaves: the client is gone after the pieces, though more was announced.
    """
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
    if not any(name.lower() == "host" for name, _ in pairs):
        pairs.append(("host", "qc.example.com"))
    scope: dict[str, Any] = {
        "type": kind,
        "path": path,
        "scheme": scheme,
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in pairs],
        "client": None if peer is None else (peer, 40_000),
        "extensions": dict(extensions or {}),
    }
    if kind == "http":
        scope["method"] = method
    if connection is not None:
        scope["state"] = {}
        remember_connection(scope["state"], connection)
    pieces = list(body)
    sent: list[Message] = []

    async def receive() -> Message:
        if pieces:
            piece = pieces.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(pieces) or stalls or leaves}
        if stalls:
            await asyncio.sleep(3600)
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return _answer(sent)


def known(client: str = "192.0.2.7", *, is_local: bool = False, is_secure: bool = False) -> Connection:
    """A connection from `client`."""
    return Connection("0123456789abcdef", client, is_local, is_secure)


def _answer(sent: list[Message]) -> Answer:
    status, headers, body = 0, [], b""
    for message in sent:
        if message["type"].endswith("response.start"):
            status, headers = message["status"], message["headers"]
        elif message["type"] == "websocket.accept":
            status, headers = 101, message.get("headers", [])
        elif message["type"] == "websocket.close":
            status = message["code"]
        else:
            body += message.get("body", b"")
    return Answer(status, {k.decode().lower(): v.decode() for k, v in headers}, body)
