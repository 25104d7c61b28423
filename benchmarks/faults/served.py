"""The product served from a `Home`, people signed in, and tabs of browsers as the server sees them."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.faults.home import Home
from core.container import Container
from core.domain.accounts import Identity, Role
from tests.artefacts import write_artefact
from tests.e2e.serving import free_port
from tests.records import add_user

COOKIE = "radikal_session"
START_LIMIT_S = 600.0
_HEALTH = "/api/xai-qc/health"
#: Sent along by the browser's part of Streamlit where it has no token of its own.
_PROTOCOLS = ["streamlit", "PLACEHOLDER_AUTH_TOKEN"]


def fill(services: Container, folder: Path) -> None:
    """Register tiny real networks that report boxes on noise, two of welds."""
    for name, n_versions in (("weld", 2), ("casting", 1)):
        for seed in range(1, n_versions + 1):
            made = write_artefact(folder / f"{name}-{seed}", name=name, seed=seed, score_spread=0.3)
            services.registry.register(made, alias="champion" if seed == 1 else None)
    services.alias_mover.catch_up()


def person(services: Container) -> tuple[Identity, str]:
    """A new inspector, and a one-use ticket for a session, which lasts 30 s."""
    identity = add_user(services.store, Role.INSPECTOR)
    return identity, services.signing_in.ticket_for(identity.user_id)


@dataclass(frozen=True, slots=True)
class Server:
    """A running server.

    Attributes:
        address: its origin.
        pid: of its process.
    """

    address: str
    pid: int

    def sign_in(self, ticket: str) -> str:
        """The cookie of a new session.

        Raises:
            AssertionError: the server gave none.
        """
        form = urllib.parse.urlencode({"ticket": ticket, "next": "/"}).encode()
        request = urllib.request.Request(
            f"{self.address}/signin", form, {"Origin": self.address}, method="POST"
        )
        answer = urllib.request.build_opener(_StayHere).open(request, timeout=120)
        for header in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = header.partition("=")
            if name == COOKIE:
                return f"{COOKIE}={value.partition(';')[0]}"
        raise AssertionError("the server began no session")

    def health(self) -> dict[str, Any]:
        """What it says of itself."""
        with urllib.request.urlopen(f"{self.address}{_HEALTH}", timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def memory_mib(self) -> float:
        """Memory that its process holds."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise AssertionError("the server is gone")


class _StayHere(urllib.request.HTTPRedirectHandler):
    """Takes the answer as it is: its cookie is what is wanted."""

    def http_error_303(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> HTTPResponse:
        """The answer itself."""
        return fp  # type: ignore[no-any-return]


@contextmanager
def serving(home: Home) -> Iterator[Server]:
    """A server on a free port of this machine alone; ended at the end."""
    port = free_port()
    process = home.process("-m", "app.web.server", "--port", str(port))
    server = Server(f"http://127.0.0.1:{port}", process.pid)
    try:
        limit = time.monotonic() + START_LIMIT_S
        while True:
            assert process.poll() is None, f"the server ended: {(home.folder / 'log').read_text()[-2000:]}"
            assert time.monotonic() < limit, "the server did not become healthy"
            try:
                if server.health()["models"]["weld"]["usable"]:
                    break
            except (urllib.error.URLError, OSError, KeyError):
                time.sleep(0.3)
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=120)


class Tab:
    """One tab of a browser: it runs a page and takes what the server sends."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    @classmethod
    async def open(cls, server: Server, cookie: str) -> "Tab":
        """A tab of whoever has this cookie."""
        address = server.address.replace("http://", "ws://")
        return cls(
            await connect(
                f"{address}/_stcore/stream",
                additional_headers={"Cookie": cookie},
                origin=server.address,  # type: ignore[arg-type]  # a new type over str
                subprotocols=_PROTOCOLS,  # type: ignore[arg-type]  # the same
                max_size=None,
                open_timeout=120,
            )
        )

    async def run(self, page: str) -> float:
        """Seconds until the page `page`, "" for the first one, was drawn whole.

        Raises:
            AssertionError: it was drawn with an error.
        """
        began = time.monotonic()
        ask = BackMsg()
        ask.rerun_script.page_name = page
        await self._socket.send(ask.SerializeToString())
        while True:
            message = ForwardMsg.FromString(await self._socket.recv())  # type: ignore[arg-type]  # bytes
            kind = message.WhichOneof("type")
            if kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
                raise AssertionError(message.delta.new_element.exception.message)
            if kind == "script_finished":
                return time.monotonic() - began

    async def close(self) -> None:
        """Close it."""
        await self._socket.close()
