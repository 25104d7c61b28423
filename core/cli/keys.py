"""`radikal key`: the signing key, which seals the audit log, and the API keys of programs."""

import json
from collections.abc import Sequence
from typing import Any

import click

from core.cli.conventions import one_line_errors, open_services, read_settings
from core.domain.accounts import COMMAND_LINE
from core.domain.api_keys import LONGEST_LIFE, Scope

_SCOPE = click.Choice([scope.value for scope in Scope])


@click.group("key")
def key_commands() -> None:
    """API keys of programs (add, list, revoke), and the signing key (rotate)."""


@key_commands.command()
@click.argument("name")
@click.option("--user", required=True, help="Account in whose name the key acts; best one of its own.")
@click.option("--scope", "scopes", required=True, multiple=True, type=_SCOPE,
              help="What it may do; several times for more.")  # fmt: skip
@click.option("--days", default=365, show_default=True, type=click.IntRange(1, LONGEST_LIFE.days),
              help="It expires so many days from now.")  # fmt: skip
@one_line_errors
def add(name: str, user: str, scopes: Sequence[str], days: int) -> None:
    """Add an API key; NAME says what it is for.

    The key is the only line on standard output. It is shown this once: nobody can see it again.
    """
    with open_services(newest=True) as services:
        issued = services.api_keys.add(COMMAND_LINE, user, name, [Scope(one) for one in scopes], days=days)
    click.echo(f"API key {issued.key.key_id}, until {issued.key.expires_at:%Y-%m-%d %H:%M} UTC:", err=True)
    click.echo(issued.token)


@key_commands.command("list")
@click.option("--json", "as_json", is_flag=True, help="A list of objects instead of a table.")
@one_line_errors
def list_keys(as_json: bool) -> None:
    """Every API key with its account, scopes, state and last use; never the key itself."""
    with open_services(newest=True) as services:
        found = services.api_keys.all(COMMAND_LINE)
    rows: list[dict[str, Any]] = [
        {
            "key_id": key.key_id,
            "name": key.name,
            "account": found.names.get(key.user_id, key.user_id),
            "scopes": sorted(key.scopes),
            "state": found.states[key.key_id],
            "expires_at": key.expires_at.isoformat(timespec="seconds"),
            "last_used_at": key.last_used_at.isoformat(timespec="seconds") if key.last_used_at else None,
        }
        for key in found.keys
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    if not rows:
        click.echo("no API keys: radikal key add makes one", err=True)
    for row in rows:
        used = (row["last_used_at"] or "never")[:16].replace("T", " ")
        click.echo(
            f"{row['key_id']}  {row['state']:<8}{row['account']:<16}{','.join(row['scopes']):<28}"
            f"until {row['expires_at'][:10]}  last used {used}  {row['name']}"
        )


@key_commands.command()
@click.argument("key_id")
@one_line_errors
def revoke(key_id: str) -> None:
    """Refuse the API key KEY_ID from now on; `radikal key list` names it."""
    with open_services(newest=True) as services:
        key = services.api_keys.revoke(COMMAND_LINE, key_id)
    click.echo(f"{key.key_id} is revoked")


@key_commands.command()
@click.option("--lost", is_flag=True, help="The key until now is gone for good: what it sealed cannot be "
              "verified any more.")  # fmt: skip
@one_line_errors
def rotate(lost: bool) -> None:
    """Let another signing key seal from now on; the audit log says so, and the earlier one goes on verifying.

    Stop the server first. Without JWT_SECRET a new key is made in DATA_DIR; with it, put the new one into
    JWT_SECRET and the old one into JWT_SECRET_PREVIOUS before you run this. Everybody has to sign in again.
    """
    from core.setting_up import rotate_key

    change = rotate_key(read_settings(), is_lost=lost)
    click.echo(f"the key {change.after} seals from now on, {change.before or 'none'} did until now")
    click.echo("start the server again; everybody has to sign in again")
