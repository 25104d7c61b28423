"""`radikal key`: the key that seals the audit log and signatures."""

import click

from core.cli.conventions import one_line_errors, read_settings


@click.group("key")
def key_commands() -> None:
    """The key that seals the audit log and signatures."""


@key_commands.command()
@click.option("--lost", is_flag=True, help="The key until now is gone for good: what it sealed cannot be "
              "verified any more.")  # fmt: skip
@one_line_errors
def rotate(lost: bool) -> None:
    """Let another key seal from now on; the audit log says so, and the earlier one goes on verifying.

    Stop the server first. Without JWT_SECRET a new key is made in DATA_DIR; with it, put the new one into
    JWT_SECRET and the old one into JWT_SECRET_PREVIOUS before you run this. Everybody has to sign in again.
    """
    from core.setting_up import rotate_key

    change = rotate_key(read_settings(), is_lost=lost)
    click.echo(f"the key {change.after} seals from now on, {change.before or 'none'} did until now")
    click.echo("start the server again; everybody has to sign in again")
