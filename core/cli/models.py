"""`radikal models`: registered model versions."""

from pathlib import Path

import click

from core.cli.conventions import one_line_errors, open_services
from core.cli.promoting import history, promote, rollback
from core.config import ROOT
from core.domain.accounts import COMMAND_LINE
from core.domain.errors import BadInputError
from core.domain.serving import CHAMPION, ChangeKind
from core.registry.artefact import read_artefact


@click.group()
def models() -> None:
    """Registered model versions."""


@models.command("list")
@one_line_errors
def list_models() -> None:
    """Every version with its aliases, release state and data licence."""
    with open_services() as services:
        known = [(name, services.registry.versions(name)) for name in services.registry.names()]
    for name, versions in known:
        for version in versions:
            aliases = ", ".join(version.aliases) or "-"
            note = (version.card.get("release") or {}).get("note", "")
            click.echo(f"{name} v{version.version}  {version.sha256[:12]}  {aliases:<12} {note}".rstrip())
            if version.data_notice:
                click.echo(f"    {version.data_notice}")


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
    target = out or ROOT / "models" / "checkpoints" / f"{content['name']}-v{content['version']}"
    click.echo(
        build_release(content, ReleaseSettings(run, data, target, ROOT / "data" / "splits", device, date))
    )


models.add_command(promote)
models.add_command(rollback)
models.add_command(history)
