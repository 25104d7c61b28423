"""`radikal setup` and `radikal serve`."""

import os
import sys

import click

from core.cli.conventions import FAILED, one_line_errors, read_settings
from core.config import ROOT


@click.command()
@click.option("--demo", is_flag=True, help="Prepare for guest sessions on the samples.")
@one_line_errors
def setup(demo: bool) -> None:
    """Create database, registry and the first admin, register the shipped models; idempotent.

    Looks at database, signing key, folders, disk, registry and weights, and refuses (exit code 2) before it
    changes anything when one of the first four is wrong.
    """
    from core.setting_up import set_up

    done = set_up(read_settings())
    for name, numbers in done.registered.items():
        word = "version" if len(numbers) == 1 else "versions"
        click.echo(f"{name}: {word} {', '.join(map(str, numbers))} registered")
    if not done.registered:
        click.echo("no model versions are shipped in models/checkpoints", err=True)
    for warning in (*done.warnings, *done.problems):
        click.echo(f"radikal: {warning}", err=True)
    if (first := done.first_admin) is not None:  # last, where nothing scrolls it away
        click.echo(
            f"first sign-in: {first.user.name} / {first.password} (shown this once; it must be changed)"
        )
    if done.problems:
        sys.exit(FAILED)
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
