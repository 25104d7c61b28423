"""A place on this machine that takes traces (OTLP/HTTP) and reports of errors (Sentry), and keeps them."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from typing import Any

_PATIENCE_S = 20


@dataclass
class Collector:
    """What arrived.

    Attributes:
        url: of the server.
        posts: path, headers and unpacked body of each request.
    """

    url: str = ""
    posts: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    arrived: Condition = field(default_factory=Condition)

    def wait_for(self, n: int) -> list[tuple[str, dict[str, str], bytes]]:
        """The requests, once there are `n`."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.posts) >= n, _PATIENCE_S), self.posts
            return list(self.posts)

    @property
    def text(self) -> str:
        """All bodies, one after the other; bytes that are no text are replaced."""
        return b"\n".join(body for _, _, body in self.posts).decode("utf-8", "replace")

    def spans(self) -> list[Any]:
        """Spans of every batch that arrived."""
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        found = []
        for path, _, body in self.posts:
            if path == "/v1/traces":
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    found += [span for scope in resource.scope_spans for span in scope.spans]
        return found

    def events(self) -> list[dict[str, Any]]:
        """Events of every envelope that arrived."""
        found = []
        for path, _, body in self.posts:
            if path.endswith("/envelope/"):
                lines = body.split(b"\n")
                found += [json.loads(item) for head, item in zip(lines[1::2], lines[2::2], strict=False)
                          if json.loads(head)["type"] == "event"]  # fmt: skip
        return found


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector that listens on this machine while the block runs."""
    kept = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            with kept.arrived:
                kept.posts.append((self.path, dict(self.headers), body))
                kept.arrived.notify_all()
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def attributes(span: Any) -> dict[str, Any]:
    """Attributes of a span by name."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}
