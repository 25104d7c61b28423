"""`radikal user certificate`: certificates of people, and whether signing needs one."""

from datetime import datetime
from typing import TYPE_CHECKING

import click

from core.cli.conventions import one_line_errors, open_services
from core.domain.accounts import COMMAND_LINE
from core.domain.certificates import LEVELS, RADIOGRAPHIC, Certificate, Scheme
from core.domain.errors import UnknownRecordError

if TYPE_CHECKING:
    from core.container import Container

_SCHEME = click.Choice([one.value for one in Scheme])
_LEVEL = click.Choice([str(one) for one in LEVELS])
_DAY = click.DateTime(["%Y-%m-%d"])


@click.group("certificate")
def certificate_commands() -> None:
    """Certificates of people, and whether signing needs a valid one."""


@certificate_commands.command("list")
@click.argument("name")
@one_line_errors
def list_certificates(name: str) -> None:
    """List the certificates of NAME, and whether each is valid today in UTC."""
    with open_services(newest=True) as services:
        user_id = services.accounts.named(COMMAND_LINE, name).user_id
        today = services.certificates.today()
        for one in services.certificates.all(COMMAND_LINE).get(user_id, []):
            click.echo(f"{one.words}  {'valid' if one.is_valid(today) else 'ended'}")


@certificate_commands.command()
@click.argument("name")
@click.option("--scheme", required=True, type=_SCHEME, help="Scheme that the person is certified by.")
@click.option("--method", default=RADIOGRAPHIC, show_default=True, help="RT, or a part of it such as RT-D.")
@click.option("--level", required=True, type=_LEVEL, help="Level in that method.")
@click.option("--number", required=True, help="As its issuer wrote it.")
@click.option("--valid-until", required=True, type=_DAY, help="The last day on which it holds, in UTC.")
@one_line_errors
def add(name: str, scheme: str, method: str, level: str, number: str, valid_until: datetime) -> None:
    """Add a certificate of NAME."""
    with open_services(newest=True) as services:
        user = services.accounts.named(COMMAND_LINE, name)
        added = services.certificates.add(
            COMMAND_LINE,
            user.user_id,
            scheme=Scheme(scheme),
            method=method,
            level=int(level),
            number=number,
            valid_until=valid_until.date(),
        )
        click.echo(f"{user.name}: {added.words}")


@certificate_commands.command()
@click.argument("name")
@click.argument("number")
@one_line_errors
def remove(name: str, number: str) -> None:
    """Remove the certificate NUMBER of NAME; signatures keep it."""
    with open_services(newest=True) as services:
        user_id, certificate = _numbered(services, name, number)
        services.certificates.remove(COMMAND_LINE, user_id, certificate.certificate_id)
        click.echo(f"removed: {certificate.words}")


@certificate_commands.command()
@click.argument("needed", type=click.Choice(["on", "off"]))
@one_line_errors
def required(needed: str) -> None:
    """Let signing need a valid certificate of level 2 or 3 (on), or not (off)."""
    with open_services(newest=True) as services:
        services.certificates.set_required(COMMAND_LINE, needed == "on")
        click.echo(f"signing needs {'a valid' if needed == 'on' else 'no'} certificate")


def _numbered(services: "Container", name: str, number: str) -> tuple[str, Certificate]:
    user_id = services.accounts.named(COMMAND_LINE, name).user_id
    for one in services.certificates.all(COMMAND_LINE).get(user_id, []):
        if one.number == number:
            return user_id, one
    raise UnknownRecordError(f"{name} has no certificate {ascii(number[:64])}")
