"""What users of the load test do: programs that call the API, and people who draw pages.

`python -m benchmarks.load` prepares a server and runs it. Against a server of yours, run locust with `--host`
and with RADIKAL_KEYS and RADIKAL_COOKIES: API keys, and cookies `radikal_session=...`, parted by spaces.
"""

import itertools
import os
import time
from pathlib import Path
from typing import Any

from locust import HttpUser, between, task
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websocket import WebSocket, create_connection

API = "/api/xai-qc"
SAMPLES = Path(__file__).resolve().parents[1] / "data" / "samples"
_FILMS = sorted(Path(os.environ.get("RADIKAL_FILMS", SAMPLES)).glob("*.png"))
_KEYS = itertools.cycle(os.environ["RADIKAL_KEYS"].split())
_COOKIES = itertools.cycle(os.environ["RADIKAL_COOKIES"].split())
_PATIENCE_S = 120


class Program(HttpUser):
    """A station: hands in a radiograph now and then, and looks up what was found."""

    weight = 2
    wait_time = between(2, 8)

    def on_start(self) -> None:
        """Take a key."""
        self.client.headers["Authorization"] = f"Bearer {next(_KEYS)}"
        self._films = itertools.cycle(_FILMS)
        self._latest = ""

    @task(2)
    def detect(self) -> None:
        """Have one radiograph inspected."""
        film = next(self._films)
        files = {"files": (film.name, film.read_bytes())}
        with self.client.post(f"{API}/detect", data={"model": "weld", "polarity": "film"}, files=files,
                              name="detect", catch_response=True) as answer:  # fmt: skip
            if answer.ok and answer.json()["results"]:
                self._latest = answer.json()["results"][0]["inspection_id"]
            elif answer.ok:
                answer.failure("nothing was read")

    @task(4)
    def look_up(self) -> None:
        """The newest inspections, and one of them."""
        self.client.get(f"{API}/inspections", params={"limit": 20}, name="inspections")
        if self._latest:
            self.client.get(f"{API}/inspections/{self._latest}", name="inspections/ID")

    @task(1)
    def report(self) -> None:
        """The report of an inspection as JSON."""
        if self._latest:
            address = f"{API}/inspections/{self._latest}/report"
            self.client.get(address, params={"format": "json"}, name="inspections/ID/report")

    @task(1)
    def ready(self) -> None:
        """Whether it can be used, as a load balancer asks."""
        self.client.get(f"{API}/health/ready", name="health/ready")


class Person(HttpUser):
    """A tab of a browser: draws one page after the other over its WebSocket."""

    weight = 3
    wait_time = between(2, 8)

    def on_start(self) -> None:
        """Load the page as a browser does, then connect."""
        cookie = next(_COOKIES)
        self.client.get("/", headers={"Cookie": cookie}, name="/")
        origin = str(self.host).rstrip("/")
        self._socket: WebSocket = create_connection(
            origin.replace("http", "ws", 1) + "/_stcore/stream",
            cookie=cookie,
            origin=origin,
            subprotocols=["streamlit", "PLACEHOLDER_AUTH_TOKEN"],
            timeout=_PATIENCE_S,
        )

    def on_stop(self) -> None:
        """Close the tab."""
        self._socket.close()

    @task(3)
    def inspect(self) -> None:
        """The worklist."""
        self._draw("")

    @task(3)
    def history(self) -> None:
        """The history."""
        self._draw("history")

    @task(1)
    def how_to_read(self) -> None:
        """The help."""
        self._draw("how-to-read")

    def _draw(self, page: str) -> None:
        """Run a page until it is drawn whole; an error on it is a failure."""
        ask, began, failure = BackMsg(), time.perf_counter(), None
        ask.rerun_script.page_name = page
        n_bytes = 0
        try:
            self._socket.send_binary(ask.SerializeToString())
            while True:
                data = self._socket.recv()
                n_bytes += len(data)
                message: Any = ForwardMsg.FromString(data)
                kind = message.WhichOneof("type")
                if kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
                    failure = RuntimeError(message.delta.new_element.exception.message)
                if kind == "script_finished":
                    break
        except OSError as error:
            failure = error
        self.environment.events.request.fire(
            request_type="PAGE",
            name=page or "inspect",
            response_time=1000 * (time.perf_counter() - began),
            response_length=n_bytes,
            exception=failure,
            context={},
        )
