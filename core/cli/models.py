"""`radikal models`: registered model versions, which of them serves, and which served when."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.cli.conventions import MOMENTS, one_line_errors, open_services, show_progress
from core.config import ROOT
from core.domain.accounts import COMMAND_LINE
from core.domain.errors import BadInputError
from core.domain.kinds import MODEL_NAMES
from core.domain.model_version import VersionEntry
from core.domain.serving import CHALLENGER, CHAMPION, NO_VERSION, ChangeKind, ServingChange
from core.registry.artefact import read_artefact

if TYPE_CHECKING:
    from core.container import Container

_NAME = click.argument("name", type=click.Choice(MODEL_NAMES))


def _alias_option(what: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    choice = click.Choice([CHAMPION, CHALLENGER])
    return click.option("--alias", type=choice, default=CHAMPION, show_default=True, help=what)


@click.group()
def models() -> None:
    """Registered model versions."""


@models.command("list")
@one_line_errors
def list_models() -> None:
    """Every version with its aliases, release state and data licence."""
    with open_services() as services:
        known = [(name, services.registry.entries(name)) for name in services.registry.names()]
    for name, entries in known:
        for entry in reversed(entries):
            _tell_version(name, entry)


@models.command("import")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--alias", help="Alias to give the version, e.g. challenger; champion only when there is none.")
@one_line_errors
def import_model(folder: Path, alias: str | None) -> None:
    """Register the model version in FOLDER (weights, card, calibration, manifest)."""
    with open_services(newest=True) as services:
        name = read_artefact(folder).name
        if alias == CHAMPION and CHAMPION in services.registry.aliases(name):
            raise BadInputError(
                f"{name} has a champion: import it without an alias, then `radikal models promote`"
            )
        number = services.registry.register(folder, alias=alias)
        services.alias_history.observe(kind=ChangeKind.SETUP, by=COMMAND_LINE, note="imported")
    click.echo(f"registered as version {number}")


@models.command("card")
@_NAME
@click.argument("version", type=int)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="File to write, e.g. README.md.")
@one_line_errors
def write_hub_card(name: str, version: int, out: Path) -> None:
    """Write the card of a version with the fields of the Hugging Face Hub."""
    from core.services.evaluation.version_records import pod_of
    from core.services.lifecycle.hub_card import hub_card

    with open_services() as services:
        found, _ = services.registry.resolve(name, version=version)
        out.write_text(hub_card(found, pod_of(services.pod_records, found)), encoding="utf-8")
    click.echo(f"{out} written")


@models.command("build")
@click.argument("specification", type=click.Path(path_type=Path))
@click.option("--run", required=True, type=click.Path(path_type=Path), help="Folder of the training run.")
@click.option("--data", required=True, type=click.Path(path_type=Path), help="Folder of COCO files, images.")
@click.option("--out", type=click.Path(path_type=Path), help="Default: its place in models/checkpoints.")
@click.option("--device", required=True, help="What trained it, in words, for the card.")
@click.option("--date", required=True, help="When the training ended, YYYY-MM-DD.")
@one_line_errors
def build_model(specification: Path, run: Path, data: Path, out: Path | None, device: str, date: str) -> None:
    """Calibrate and measure a training run and write its card, as SPECIFICATION says."""
    from core.services.lifecycle.releasing import ReleaseSettings, build_release, read_release

    content = read_release(specification)
    target = out or _place_of(content)
    click.echo(
        build_release(content, ReleaseSettings(run, data, target, ROOT / "data" / "splits", device, date))
    )


@models.command()
@click.argument("specification", type=click.Path(path_type=Path))
@click.option("--data", required=True, type=click.Path(path_type=Path), help="Folder of COCO files, images.")
@click.option("--out", type=click.Path(path_type=Path), help="Default: its place in models/checkpoints.")
@one_line_errors
def familiar(specification: Path, data: Path, out: Path | None) -> None:
    """Write what the images looked like that a version learnt from, as `familiar` in SPECIFICATION says.

    It lies beside the weights as familiarity.json; `radikal setup` takes it into the registry. An image that
    looks unlike those that calibrated the version is told from then on.
    """
    from core.services.lifecycle.familiarising import write_familiarity
    from core.services.lifecycle.releasing import read_release

    content = read_release(specification)
    folder = out or _place_of(content)
    found = write_familiarity(
        content, folder, data=data, splits=ROOT / "data" / "splits", progress=show_progress
    )
    click.echo(f"{folder}: {len(found.examples)} views, familiar up to a distance of {found.limit:.2f}")


@models.command()
@click.argument("specification", type=click.Path(path_type=Path))
@click.option("--data", required=True, type=click.Path(path_type=Path), help="Folder of COCO files, images.")
@click.option("--out", type=click.Path(path_type=Path), help="Default: its place in models/checkpoints.")
@one_line_errors
def ranges(specification: Path, data: Path, out: Path | None) -> None:
    """Measure the ranges that a version needs to detect in 8-bit integers, as `ranges` in SPECIFICATION says.

    They are taken over images that taught it. The file lies beside the weights as ranges.json; `radikal
    setup` takes it into the registry. Without it, and on processors that are not faster with 8-bit integers,
    a version detects in floating point.
    """
    from core.services.lifecycle.ranging import write_ranges
    from core.services.lifecycle.releasing import read_release

    content = read_release(specification)
    folder = out or _place_of(content)
    found = write_ranges(content, folder, data=data, splits=ROOT / "data" / "splits", progress=show_progress)
    click.echo(f"{folder}: the ranges of {len(found.limits)} maps")


@models.command()
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


@models.command()
@_NAME
@_alias_option("Alias to move back.")
@click.option("--note", default="", help="Why; kept for good.")
@one_line_errors
def rollback(name: str, alias: str, note: str) -> None:
    """Let an alias of the model NAME point to what it pointed to before."""
    with open_services(newest=True) as services:
        seen = _pointing(services, name, alias)
        _tell(services.promoting.roll_back(COMMAND_LINE, name, seen=seen, alias=alias, note=note))


@models.command()
@_NAME
@_alias_option("Alias that --at asks for.")
@click.option("--at", "moment", type=click.DateTime(MOMENTS), help="Only what served at this moment, UTC.")
@click.option("--inspection", "inspection_id", help="Only what served when this inspection was made.")
@one_line_errors
def history(name: str, alias: str, moment: datetime | None, inspection_id: str | None) -> None:
    """List which version of the model NAME served when, who changed it and how, oldest first."""
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


def _place_of(content: Mapping[str, Any]) -> Path:
    """The folder of the version that a release specification describes."""
    return ROOT / "models" / "checkpoints" / f"{content['name']}-v{content['version']}"


def _pointing(services: "Container", name: str, alias: str) -> int | None:
    """The version that the alias points to now; None when to nothing."""
    services.registry.refresh()
    return services.registry.aliases(name).get(alias)


def _tell(change: ServingChange) -> None:
    click.echo(f"{change.model_name} {change.alias} is version {change.version}: {change.kind.label}")


def _tell_version(name: str, entry: VersionEntry) -> None:
    aliases, version = ", ".join(entry.aliases) or "-", entry.version
    if version is None:
        click.echo(f"{name} v{entry.number}  {aliases:<12} {entry.problem}")
        return
    note = (version.card.get("release") or {}).get("note", "")
    shipped = f"(shipped as v{entry.about.shipped_as}) " if entry.is_renumbered else ""
    click.echo(f"{name} v{entry.number}  {version.sha256[:12]}  {aliases:<12} {shipped}{note}".rstrip())
    if version.data_notice:
        click.echo(f"    {version.data_notice}")


def _line(change: ServingChange) -> str:
    before = "nothing" if change.previous_version is None else f"v{change.previous_version}"
    after = "nothing" if change.version == NO_VERSION else f"v{change.version}"
    return f"{change.model_name} {change.alias}  {before} -> {after}  {change.kind.label}"


def _when(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
