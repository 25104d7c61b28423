"""`radikal models promote`, `rollback` and `history`: which version serves, and which served when."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from core.cli.conventions import one_line_errors, open_services
from core.domain.accounts import COMMAND_LINE
from core.domain.errors import BadInputError
from core.domain.serving import CHALLENGER, CHAMPION, NO_VERSION, ServingChange

if TYPE_CHECKING:
    from core.container import Container

_MOMENTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
_NAME = click.argument("name", type=click.Choice(["weld", "casting"]))


def _alias_option(what: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    choice = click.Choice([CHAMPION, CHALLENGER])
    return click.option("--alias", type=choice, default=CHAMPION, show_default=True, help=what)


@click.command()
@_NAME
@click.argument("version", type=int)
@_alias_option("Alias to move.")
@click.option(
    "--set", "set_name", help="Evaluation set to judge on; default: the largest both were measured on."
)
@click.option("--override", is_flag=True, help="In an emergency: also when the gate refuses. Needs --note.")
@click.option("--note", default="", help="Why; kept for good.")
@one_line_errors
def promote(name: str, version: int, alias: str, set_name: str | None, override: bool, note: str) -> None:
    """Let an alias of the model NAME point to VERSION, when the gate is green (docs/promotion.md).

    What the gate refuses is told with every reason, and nothing is changed. A running server follows within
    two seconds.
    """
    from core.services.lifecycle.alias_moves import Move

    with open_services(newest=True) as services:
        seen, promoting, digest = _pointing(services, name, alias), services.promoting, None
        if set_name is not None:
            sets = {one.name: one.digest for one in promoting.sets(COMMAND_LINE, name, version)}
            if set_name not in sets:
                known = ", ".join(sets) or "none"
                raise BadInputError(f"there is no evaluation set {set_name!r} of {name}; known: {known}")
            digest = sets[set_name]
        move = Move(name, version, alias, seen, digest, note)
        change = (promoting.force if override else promoting.promote)(COMMAND_LINE, move)
    _tell(change)
    for reason in change.gate.get("reasons", ()):
        click.echo(f"against the gate: {reason}", err=True)


@click.command()
@_NAME
@_alias_option("Alias to move back.")
@click.option("--note", default="", help="Why; kept for good.")
@one_line_errors
def rollback(name: str, alias: str, note: str) -> None:
    """Let an alias of the model NAME point to what it pointed to before."""
    with open_services(newest=True) as services:
        seen = _pointing(services, name, alias)
        _tell(services.promoting.roll_back(COMMAND_LINE, name, seen=seen, alias=alias, note=note))


@click.command()
@_NAME
@_alias_option("Alias that --at asks for.")
@click.option("--at", "moment", type=click.DateTime(_MOMENTS), help="Only what served at this moment, UTC.")
@click.option("--inspection", "inspection_id", help="Only what served when this inspection was made.")
@one_line_errors
def history(name: str, alias: str, moment: datetime | None, inspection_id: str | None) -> None:
    """Which version of the model NAME served when, who changed it and how, oldest first."""
    with open_services(newest=True) as services:
        serving = services.alias_history
        if inspection_id is not None:
            then = serving.of_inspection(COMMAND_LINE, inspection_id)
            click.echo(
                f"{inspection_id} was made at {_when(then.created_at)} by {then.model_name} v{then.version}"
            )
            found = [] if then.champion is None else [then.champion]
        elif moment is not None:
            change = serving.at(COMMAND_LINE, name, moment.replace(tzinfo=UTC), alias=alias)
            found = [] if change is None else [change]
        else:
            found = serving.history(COMMAND_LINE, name)
    if not found:
        click.echo("nothing was recorded until then")
    for one in found:
        who = " and ".join(filter(None, (one.changed_by, one.consent_by)))
        note = f"  ({one.change.note})" if one.change.note else ""
        click.echo(f"{_when(one.change.changed_at)}  {_line(one.change)}{f'  by {who}' if who else ''}{note}")


def _pointing(services: "Container", name: str, alias: str) -> int | None:
    """The version that the alias points to now; None when to nothing."""
    services.registry.refresh()
    return services.registry.aliases(name).get(alias)


def _tell(change: ServingChange) -> None:
    click.echo(f"{change.model_name} {change.alias} is version {change.version}: {change.kind.label}")


def _line(change: ServingChange) -> str:
    before = "nothing" if change.previous_version is None else f"v{change.previous_version}"
    after = "nothing" if change.version == NO_VERSION else f"v{change.version}"
    return f"{change.model_name} {change.alias}  {before} -> {after}  {change.kind.label}"


def _when(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
