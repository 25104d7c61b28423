"""`radikal user`: accounts and their sessions, for whoever may run commands on the server."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.cli.certificates import certificate_commands
from core.cli.conventions import one_line_errors, open_services
from core.domain.accounts import ACCOUNT_ROLES, COMMAND_LINE, Role, User
from core.domain.errors import BadInputError

if TYPE_CHECKING:
    from core.container import Container

_ROLE = click.Choice([role.value for role in ACCOUNT_ROLES])
_MUST_CHANGE = "it must be changed at the next sign-in"


@click.group("user")
def user_commands() -> None:
    """Accounts: who may sign in, and as what."""


user_commands.add_command(certificate_commands)


@user_commands.command()
@click.argument("name")
@click.option("--role", required=True, type=_ROLE, help="What the person is here for.")
@click.option("--full-name", help="As printed under a signature; default: NAME.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, one line.")
@one_line_errors
def add(name: str, role: str, full_name: str | None, password_stdin: bool) -> None:
    """Add the account NAME with a password that must be changed at the first sign-in.

    Without --password-stdin one is generated and printed, this once.
    """
    password = _password_from(password_stdin)
    with open_services(newest=True) as services:
        added = services.accounts.add(COMMAND_LINE, name, full_name or name, Role(role), password)
        click.echo(f"{added.user.name} added as {added.user.role.value}")
        _print_password(added.password)


@user_commands.command("list")
@click.option("--json", "as_json", is_flag=True, help="A list of objects instead of a table.")
@one_line_errors
def list_users(as_json: bool) -> None:
    """Every account with role, state, last sign-in and open sessions."""
    with open_services(newest=True) as services:
        n_open = services.signing_in.n_open_sessions()
        rows = [_row(user, n_open.get(user.user_id, 0)) for user in services.accounts.all(COMMAND_LINE)]
        if as_json:
            click.echo(json.dumps(rows, indent=1))
            return
        if not rows:
            click.echo("no accounts: radikal setup makes the first one", err=True)
            return
        table = [("NAME", "ROLE", "STATE", "LAST SIGN-IN (UTC)", "SESSIONS", "FULL NAME")]
        for row in rows:
            signed_in = (row["signed_in_at"] or "never")[:16].replace("T", " ")
            shown = row["name"] or f"erased user {row['user_id']}"
            table.append(
                (shown, row["role"], row["state"], signed_in, str(row["n_sessions"]), row["full_name"] or "")
            )
        widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
        for line in table:
            click.echo(
                "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            )


@user_commands.command()
@click.argument("name")
@one_line_errors
def disable(name: str) -> None:
    """Refuse NAME from now on; open sessions are over."""
    with open_services(newest=True) as services:
        user = services.accounts.disable(COMMAND_LINE, _id_of(services, name))
        click.echo(f"{user.name} is disabled")


@user_commands.command()
@click.argument("name")
@one_line_errors
def enable(name: str) -> None:
    """Let NAME sign in again, with the password as it was."""
    with open_services(newest=True) as services:
        user = services.accounts.enable(COMMAND_LINE, _id_of(services, name))
        click.echo(f"{user.name} is enabled")


@user_commands.command()
@click.argument("name")
@click.argument("role", type=_ROLE)
@one_line_errors
def role(name: str, role: str) -> None:
    """Make NAME an inspector, reviewer, ...: it holds from the next click on."""
    with open_services(newest=True) as services:
        user = services.accounts.set_role(COMMAND_LINE, _id_of(services, name), Role(role))
        click.echo(f"{user.name} is {user.role.value}")


@user_commands.command()
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, one line.")
@one_line_errors
def password(name: str, password_stdin: bool) -> None:
    """Give NAME a new password that must be changed; ends sessions and any lock-out.

    Without --password-stdin one is generated and printed, this once.
    """
    chosen = _password_from(password_stdin)
    with open_services(newest=True) as services:
        reset = services.accounts.reset_password(COMMAND_LINE, _id_of(services, name), chosen)
        click.echo(f"{reset.user.name} has a new password")
        _print_password(reset.password)


@user_commands.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do it: it cannot be undone.")
@one_line_errors
def erase(name: str, yes: bool) -> None:
    """Remove the person NAME for good; records and the audit log keep the account's id."""
    if not yes:
        raise BadInputError(f"erasing {ascii(name[:64])} cannot be undone: add --yes to do it")
    with open_services(newest=True) as services:
        user = services.accounts.erase(COMMAND_LINE, _id_of(services, name), confirmation=name)
        click.echo(f"erased; what is left is {user.user_id}")


@user_commands.command()
@click.argument("name")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Not to standard output.")
@one_line_errors
def export(name: str, out: Path | None) -> None:
    """Write what is stored about the person NAME as JSON: account, certificates, sessions, keys, acts.

    The audit log tells that it was exported. What other people wrote in notes is not searched.
    """
    with open_services(newest=True) as services:
        exported = services.personal_data.export(COMMAND_LINE, _id_of(services, name))
    written = json.dumps(exported, indent=1, default=str, ensure_ascii=False)
    if out is None:
        click.echo(written)
        return
    out.write_text(written + "\n", encoding="utf-8")
    click.echo(f"{out}: {len(exported['acts'])} acts of {name}")


@user_commands.command()
@click.argument("name")
@click.option("--end", is_flag=True, help="End them all.")
@one_line_errors
def sessions(name: str, end: bool) -> None:
    """List where NAME is signed in, in UTC."""
    with open_services(newest=True) as services:
        user = services.accounts.named(COMMAND_LINE, name)
        if end:
            n_ended = services.signing_in.end_sessions(COMMAND_LINE, user.user_id, "ended by an admin")
            click.echo(f"{n_ended} sessions ended")
            return
        for stored in services.signing_in.sessions_of(user.user_id):
            began, seen = (f"{moment:%Y-%m-%d %H:%M}" for moment in (stored.created_at, stored.seen_at))
            click.echo(f"{stored.session_id}  began {began}  last used {seen}  {stored.agent}")


def _id_of(services: "Container", name: str) -> str:
    return services.accounts.named(COMMAND_LINE, name).user_id


def _password_from(is_stdin: bool) -> str | None:
    if not is_stdin:
        return None
    if sys.stdin.isatty():
        click.echo("password, then Enter (it is shown as you type): ", nl=False, err=True)
    line = sys.stdin.readline()
    if not line:
        raise BadInputError("expected a password on standard input, got nothing")
    return line.rstrip("\r\n")


def _print_password(generated: str | None) -> None:
    click.echo(f"password: {generated}  (shown this once; {_MUST_CHANGE})" if generated else _MUST_CHANGE)


def _row(user: User, n_sessions: int) -> dict[str, Any]:
    return {
        "user_id": user.user_id,
        "name": user.name,
        "full_name": user.full_name,
        "role": user.role.value,
        "state": user.state,
        "must_change_password": user.must_change_password,
        "signed_in_at": _moment(user.signed_in_at),
        "created_at": _moment(user.created_at),
        "n_sessions": n_sessions,
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")
