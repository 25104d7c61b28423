"""`radikal setup` and `radikal serve`."""

import os
import sys

import click

from core.cli.conventions import one_line_errors, read_settings
from core.config import ROOT


@click.command()
@click.option("--demo", is_flag=True, help="Prepare for guest sessions on the samples.")
@one_line_errors
def setup(demo: bool) -> None:
    """Create database, registry and the first admin, register the shipped models; idempotent."""
    from core.setting_up import set_up, set_up_first_admin

    settings = read_settings()
    registered = set_up(settings)
    for name, numbers in registered.items():
        click.echo(f"{name}: versions {', '.join(map(str, numbers))} registered")
    if not registered:
        click.echo("no model versions are shipped in models/checkpoints", err=True)
    if (first := set_up_first_admin(settings)) is not None:  # last, where nothing scrolls it away
        click.echo(
            f"first sign-in: {first.user.name} / {first.password} (shown this once; it must be changed)"
        )
    click.echo("ready for the demo" if demo else "ready")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=int, help="Port to listen on.")
@click.option("--demo", is_flag=True, help="Guest sessions without accounts.")
def serve(host: str, port: int, demo: bool) -> None:
    """Serve the workbench in the browser."""
    arguments = ["-m", "app.web.server", "--host", host, "--port", str(port), *(["--demo"] if demo else [])]
    os.chdir(ROOT)  # Streamlit finds .streamlit/config.toml in the working directory only
    os.execv(sys.executable, [sys.executable, *arguments])
