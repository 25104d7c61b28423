"""The web server: one ASGI app on one port with the pages, the pixels and the API."""

import argparse
import asyncio
import errno
import gc
import importlib
import logging
import os
import pkgutil
import socket
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import cast

import streamlit as st
import uvicorn
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import Scope
from streamlit.runtime import get_instance

from app.inspection.state import analyses
from app.shared.connection import cookies_of
from app.shared.guest_tokens import COOKIE, MAX_AGE_S
from app.shared.navigation import PAGES
from app.shared.resources import forget_resources, let_guests_in, resources
from app.shared.visitors import identity_of, session_token
from app.web.connections import BoundedHttp, BoundedWebSocket, Connections
from app.web.job_supervisor import JobSupervisor
from app.web.metrics import Metrics, MetricsPage
from app.web.middleware.measuring import Measuring
from app.web.middleware.origins import LOOPBACK
from app.web.middleware.stack import middleware_stack
from app.web.middleware.tracing import Tracing
from app.web.minute_keeping import keep_minutes
from app.web.routes import routes
from app.web.uploaded_files import WorkbenchApp
from core import logs
from core.config import Settings, load_settings
from core.domain.accounts import Identity
from core.domain.errors import ConfigurationError, WorkbenchError
from core.keys import Purpose
from core.observing import observe, stop_observing
from core.setting_up import require_ready

ROOT = Path(__file__).resolve().parents[2]
_BAD_INPUT = 2
_LIBRARIES = ("streamlit", "uvicorn", "mlflow", "alembic", "websockets", "asyncio")
_HEADER_BYTES = 32 * 1024
_GRACE_S = 20
#: What is written while it serves, by the workers of jobs, too, nobody else may open.
_PRIVATE = 0o077
_SWEEP_EVERY_S = 60
log = logging.getLogger("app.web.server")  # the module runs as __main__


def create_app(settings: Settings, *, listens_on: str = "127.0.0.1") -> st.App:
    """The ASGI app.

    Args:
        settings: decide what is refused.
        listens_on: address that the server is bound to.
    """
    metrics = Metrics()
    arrival, *inner = middleware_stack(
        settings,
        listens_on=listens_on,
        doorkeeper=_user_id_of,
        cookies_for=guest_cookies,
        is_page=_is_page,
        visitor_of=_visitor_of,
        cookies_of_page=_cookies_of_page,
    )
    return WorkbenchApp(
        ROOT / "app" / "main.py",
        routes=[Route("/metrics", MetricsPage(metrics, settings.metrics_token).__call__), *routes(settings)],
        middleware=[arrival, Middleware(Measuring, metrics=metrics), Middleware(Tracing), *inner],
        lifespan=partial(_lifespan, metrics=metrics),
    )


def serve(*, host: str, port: int, demo: bool) -> None:
    """Serve until stopped; with `demo`, guests are let in without an account.

    Raises:
        ConfigurationError: the settings do not allow a start.
    """
    settings = load_settings()
    with bound_socket(host, port) as bound:
        warnings = (*require_ready(settings), *doubts_about(settings, host))
        _serve_on(bound, settings, demo=demo, warnings=warnings)


def _serve_on(bound: socket.socket, settings: Settings, *, demo: bool, warnings: Sequence[str]) -> None:
    host, port = bound.getsockname()[:2]
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    logs.configure(settings.log_level, as_json=as_json, secrets=settings.secrets)
    observe(settings, service="radikal")
    os.environ["STREAMLIT_SERVER_MAX_UPLOAD_SIZE"] = str(settings.upload_limit_mb)
    os.umask(_PRIVATE)
    if demo:
        let_guests_in()
    _keep_temporary_files_in(resources().services.data_dir / "tmp")
    cookie_key = resources().services.key(Purpose.STREAMLIT)
    os.environ.setdefault("STREAMLIT_SERVER_COOKIE_SECRET", cookie_key.hex())  # of Streamlit's own cookies
    import_pages_code()
    app = create_app(settings, listens_on=host)
    gc.freeze()  # what is here now stays: collections look at what sessions leave, not at torch and mlflow
    largest_message = st.get_option("server.maxWidgetStateSize") * 10**6
    _take_over_logs()
    for warning in warnings:
        log.warning(warning)
    log.info("serving on http://%s:%d", f"[{host}]" if ":" in host else host, port)
    proxies = [ip_network(proxy) for proxy in settings.trusted_proxies]
    connections = Connections(most=settings.connections_per_address, trusted=proxies)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,  # everything goes through our own handler
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # `Arrival` believes the proxies that are named, and no other
        http=cast("type[asyncio.Protocol]", partial(BoundedHttp, connections=connections)),
        h11_max_incomplete_event_size=_HEADER_BYTES,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=_GRACE_S,
        limit_concurrency=2000,
        ws=cast("type[asyncio.Protocol]", partial(BoundedWebSocket, connections=connections)),
        ws_max_size=largest_message,
        ws_ping_interval=30,
        ws_ping_timeout=30,
        ws_per_message_deflate=False,
    )
    with suppress(KeyboardInterrupt):  # uvicorn has stopped in order by then
        uvicorn.Server(config).run(sockets=[bound])
    stop_observing()


def _keep_temporary_files_in(folder: Path) -> None:
    """Let what the API is handed lie on the disk of the data, whose room is counted, while it is answered."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    tempfile.tempdir = str(folder)


def bound_socket(host: str, port: int) -> socket.socket:
    """A socket that is bound to the address, so that a port that is taken is told before anything is loaded.

    It does not listen yet: whoever comes too early is refused, and may ask again.

    Raises:
        ConfigurationError: the address cannot be had: says why and what to do.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except (OSError, OverflowError) as error:
        bound.close()
        raise ConfigurationError(_not_bound(host, port, error)) from error
    bound.set_inheritable(True)
    return bound


def _not_bound(host: str, port: int, error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return (
            f"port {port} is taken on {host}: another program, perhaps a second RadiKal, listens there; "
            "nothing was started or changed. Stop it, or choose another port with --port"
        )
    if number == errno.EACCES:
        return f"port {port} is kept for the system administrator; choose one above 1023 with --port"
    return f"cannot listen on {host}, port {port}: {getattr(error, 'strerror', None) or error}"


def import_pages_code() -> None:
    """Import what pages will import, before the first visitor comes.

    Two sessions whose scripts import the same modules for the first time at once can see them half made
    (a KeyError of the import system, seen when a killed server came back to open tabs).
    """
    for module in pkgutil.walk_packages([str(ROOT / "app")], "app."):
        if module.name not in {"app.main", "app.web.server"}:  # the script, and this module run as __main__
            importlib.import_module(module.name)


@asynccontextmanager
async def _lifespan(app: st.App, *, metrics: Metrics) -> AsyncIterator[None]:
    _take_over_logs()
    services = resources().services
    metrics.tally = services.tally  # runs of pages are counted there, too
    services.detect.watch(metrics.detected)
    start = services.registry_sync.start  # loads the champions, so that no visitor waits for them
    threading.Thread(target=start, name="keep-up", daemon=True).start()
    sweeping = asyncio.create_task(_end_idle_guests())
    keeping = asyncio.create_task(keep_minutes(services.tally, metrics.levels, services.minute_files))
    supervisor = JobSupervisor(services.job_queue, services.jobs.folder_of, ROOT)
    supervisor.start()
    follow_up = services.follow_up(lambda: analyses().is_busy)
    follow_up.start()
    yield
    sweeping.cancel()
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)  # it keeps the minute that was cut short
    await asyncio.to_thread(follow_up.close)
    await asyncio.to_thread(supervisor.close)
    forget_resources()


async def _end_idle_guests() -> None:
    """End guests' workspaces that nobody uses any more, also when nobody comes by."""
    while True:
        await asyncio.sleep(_SWEEP_EVERY_S)
        try:
            await asyncio.to_thread(resources().services.demo.sweep)
        except Exception:
            log.exception("guests' workspaces could not be swept")


def _take_over_logs() -> None:
    """Send all logs through our handler; uvicorn's own access log would hold the query of every address."""
    logs.adopt(*_LIBRARIES)
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("uvicorn.error").addFilter(_is_no_refused_handshake)


def _is_no_refused_handshake(record: logging.LogRecord) -> bool:
    """False for what uvicorn calls an error although we answered a handshake with a status of our own."""
    return "without completing handshake" not in record.getMessage()


def _is_page(path: str) -> bool:
    return path.strip("/") in {"", *(page.url_path for page in PAGES)}


def _visitor_of(cookies: Mapping[str, str]) -> Identity | None:
    return identity_of(cookies, touch=False)  # whoever answers the request says whether it is a use


def _user_id_of(cookies: Mapping[str, str]) -> str | None:
    identity = _visitor_of(cookies)
    return None if identity is None else identity.user_id


def _cookies_of_page(session_id: str) -> Mapping[str, str] | None:
    client = get_instance().get_client(session_id)
    return None if client is None else client.client_context.cookies


def guest_cookies(scope: Scope) -> list[str]:
    """A guest's cookie for whoever opens a page of the demo as nobody; an ended session stays one."""
    held, cookies = resources(), cookies_of(scope)
    if not held.is_demo or session_token(cookies) or identity_of(cookies, touch=False) is not None:
        return []
    return [f"{COOKIE}={held.tokens.issue()}; Path=/; Max-Age={MAX_AGE_S}; HttpOnly; SameSite=Lax"]


def doubts_about(settings: Settings, host: str) -> list[str]:
    """Warnings to the administrator about this way of serving."""
    doubts = []
    if host not in LOOPBACK and not settings.public_url.startswith("https://"):
        doubts.append(
            f"listening on {host} without TLS: passwords and images can be read on the way; put a proxy with "
            "TLS before it and set PUBLIC_URL to its https address"
        )
    if host not in LOOPBACK and not settings.hosts:
        doubts.append(f"listening on {host} under any name: set ALLOWED_HOSTS")
    return doubts


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `python -m app.web.server`; the exit code."""
    parser = argparse.ArgumentParser(prog="radikal serve", description=serve.__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--demo", action="store_true", help="let guests in, without an account")
    asked = parser.parse_args(arguments)
    os.chdir(ROOT)  # Streamlit finds .streamlit/config.toml in the working directory only
    try:
        serve(host=asked.host, port=asked.port, demo=asked.demo)
    except WorkbenchError as error:
        sys.stderr.write(f"radikal: {error}\n")
        return _BAD_INPUT if isinstance(error, ConfigurationError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
