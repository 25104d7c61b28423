"""The web server: one ASGI app on one port with the pages, the pixels and the API."""

import argparse
import logging
import os
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
import uvicorn
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from app.middleware import PageShell, SecurityHeaders
from app.resources import forget_resources, load_champions, resources
from app.routes import routes
from core.domain.errors import ConfigurationError, WorkbenchError

ROOT = Path(__file__).resolve().parents[1]
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_BAD_INPUT = 2
log = logging.getLogger(__name__)


def create_app(*, hosts: Sequence[str] = ("*",)) -> st.App:
    """The ASGI app.

    Args:
        hosts: names under which it may be addressed; others are refused (DNS rebinding).
    """
    middleware = [
        Middleware(SecurityHeaders),
        Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
        Middleware(PageShell),
    ]
    script = Path(__file__).with_name("main.py")
    return st.App(script, routes=routes(), middleware=middleware, lifespan=_lifespan)


@asynccontextmanager
async def _lifespan(app: st.App) -> AsyncIterator[None]:
    threading.Thread(target=load_champions, name="load-champions", daemon=True).start()
    yield
    forget_resources()


def serve(*, host: str, port: int, demo: bool) -> None:
    """Serve until stopped.

    Raises:
        ConfigurationError: not in demo mode, or the settings do not allow a start.
    """
    if not demo:
        raise ConfigurationError("accounts do not exist yet: start with --demo")
    level = resources().services.settings.log_level
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    hosts = _LOOPBACK if host in _LOOPBACK else ("*",)
    uvicorn.run(
        create_app(hosts=hosts),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `python -m app.server`; the exit code."""
    parser = argparse.ArgumentParser(prog="radikal serve", description=serve.__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--demo", action="store_true", help="guest sessions on samples and own uploads")
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
