"""`radikal models`: what follows a promotion: drift, unseen readings, frozen files, qualification."""

import sys
from datetime import UTC, datetime

import click

from core.cli.conventions import counted, one_line_errors, open_services
from core.cli.models import models
from core.domain.accounts import COMMAND_LINE
from core.domain.drift import figure_words
from core.domain.kinds import MODEL_NAMES
from core.domain.qualification import QualificationScope
from core.domain.serving import CHALLENGER, CHAMPION, served_spans

_NAME = click.argument("name", type=click.Choice(MODEL_NAMES))
_CHANGED = 1


@models.command()
@_NAME
@click.option("--acknowledge", "alarm_id", help="Id of the alarm to acknowledge; needs --note.")
@click.option("--note", default="", help="What changed, and why it is right; kept for good.")
@click.option(
    "--new-reference", is_flag=True, help="Compare later images with those since the change from now on."
)
@one_line_errors
def drift(name: str, alarm_id: str | None, note: str, new_reference: bool) -> None:
    """Tell how the images that the champion of NAME reads differ from its reference, and its alarms.

    Images that nobody has observed yet, as where no server runs, are observed first. While an alarm stands,
    no probability is verified and nothing is routed (docs/drift.md). The exit code is 1 while one stands.
    """
    with open_services(newest=True) as services:
        service = services.drift
        while service.observe_next():
            pass
        if alarm_id is not None:
            service.acknowledge(COMMAND_LINE, alarm_id, note=note, is_new_reference=new_reference)
        version, _ = services.registry.resolve(name)
        found = service.state(COMMAND_LINE, version.sha256)
    click.echo(
        f"{name} v{version.version}: {found.n_observed} images observed, {found.n_missing} more until the "
        "next window is full"
    )
    if found.sensitivity is not None:
        click.echo(f"  {found.sensitivity.words}")
    for one in () if found.last is None else found.last.shifts:
        before, now = figure_words(one.name, one.before), figure_words(one.name, one.now)
        medians = f"  {before} -> {now}" if before else ""
        mark = "  CHANGED" if one.is_shifted else ""
        click.echo(f"  {one.name:<20} distance {one.statistic:.3f}  p {one.p_adjusted:.4f}{medians}{mark}")
    for alarm in found.alarms:
        said = "STANDS" if alarm.is_standing else f"acknowledged: {alarm.note}"
        click.echo(f"  {alarm.alarm_id}  {alarm.words}: {said}")
    if any(one.is_standing for one in found.alarms):
        sys.exit(_CHANGED)


@models.command()
@_NAME
@one_line_errors
def shadow(name: str) -> None:
    """Let the challenger of NAME read what the champion read and it did not yet; tell where they differ.

    A running server does so by itself while nobody waits for a reading.
    """
    with open_services(newest=True) as services:
        while services.shadow.read_next():
            pass
        found = services.shadow.summary(COMMAND_LINE, name)
    if found is None:
        click.echo(f"{name} has no challenger beside its champion")
        return
    click.echo(
        f"{name} v{found.challenger} against v{found.champion}: {found.n_images} images read in shadow, "
        f"{len(found.differing)} of the newest differ, {found.n_failed} could not be read"
    )
    for title, counts in (("class", found.by_class), ("size", found.by_size)):
        for value, count in sorted(counts.items(), key=lambda item: -item[1]):
            click.echo(f"  {title} {value}: {counted(count, 'box', 'boxes')}")


@models.command()
@one_line_errors
def frozen() -> None:
    """Compare the files of versions in use with those that came into use; exit code 1 if any changed."""
    with open_services(newest=True) as services:
        found = services.frozen.check()
    for one in found:
        since = "frozen now" if one.since is None else f"since {one.since:%Y-%m-%d %H:%M:%S} UTC"
        click.echo(f"{one.model} v{one.version}  {since}  {one.problem or 'unchanged'}")
    if any(one.problem for one in found):
        sys.exit(_CHANGED)


@models.command()
@_NAME
@one_line_errors
def served(name: str) -> None:
    """List for each alias of NAME which version bore it from when until when, oldest first."""
    with open_services(newest=True) as services:
        changes = [one.change for one in services.alias_history.history(COMMAND_LINE, name)]
    spans = [one for alias in (CHAMPION, CHALLENGER) for one in served_spans(changes, alias)]
    if not spans:
        click.echo("nothing served yet")
    for one in spans:
        until = "now" if one.until is None else f"{one.until.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
        days = ((one.until or datetime.now(UTC)) - one.since).total_seconds() / 86_400
        click.echo(
            f"{one.alias:<11} v{one.version}  {one.since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC to {until}  "
            f"{days:.1f} days  {one.kind.label}"
        )


@models.command()
@_NAME
@click.argument("version", type=int)
@click.option("--procedure", required=True, help="Document by which it was qualified.")
@click.option("--set", "evaluation_set", required=True, help="Evaluation set that it rests on.")
@click.option("--until", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Last day on which it holds.")
@click.option("--detection", default="", help="Probability of detection, in short.")
@click.option("--equipment", multiple=True, help="As the setup names it; may be given again; none: any.")
@click.option("--material", multiple=True, help="As the setup names it; may be given again; none: any.")
@click.option("--note", default="", help="Kept with it.")
@one_line_errors
def qualify(
    name: str,
    version: int,
    procedure: str,
    evaluation_set: str,
    until: datetime,
    detection: str,
    equipment: tuple[str, ...],
    material: tuple[str, ...],
    note: str,
) -> None:
    """Record that VERSION of NAME is qualified, for which equipment and material and until when."""
    scope = QualificationScope(
        procedure=procedure,
        evaluation_set=evaluation_set,
        expires_on=until.date(),
        detection=detection,
        equipment=equipment,
        materials=material,
        note=note,
    )
    with open_services(newest=True) as services:
        record = services.qualifying.qualify(COMMAND_LINE, name, version, scope)
        unnamed = services.qualifying.unnamed_equipment(COMMAND_LINE, scope)
    click.echo(f"{record.qualification_id}: {name} v{version} is qualified until {scope.expires_on}")
    if unnamed:
        click.echo(f"warning: no image so far names the equipment {', '.join(unnamed)}", err=True)
