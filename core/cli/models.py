"""`radikal models`: registered model versions."""

from pathlib import Path

import click

from core.cli.conventions import ROOT, one_line_errors, read_settings


@click.group()
def models() -> None:
    """Registered model versions."""


@models.command("list")
@one_line_errors
def list_models() -> None:
    """Every version with its aliases, release state and data licence."""
    from core.bootstrap import make_registry

    registry = make_registry(read_settings())
    for name in registry.names():
        for version in registry.versions(name):
            aliases = ", ".join(version.aliases) or "-"
            note = (version.card.get("release") or {}).get("note", "")
            click.echo(f"{name} v{version.version}  {version.sha256[:12]}  {aliases:<12} {note}".rstrip())
            if version.data_notice:
                click.echo(f"    {version.data_notice}")


@models.command("import")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--alias", help="Alias to give the version, e.g. challenger.")
@one_line_errors
def import_model(folder: Path, alias: str | None) -> None:
    """Register the model version in FOLDER (weights, card, calibration, manifest)."""
    from core.bootstrap import make_registry

    number = make_registry(read_settings()).register(folder, alias=alias)
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
    from core.services.releasing import ReleaseSettings, build_release, read_release

    content = read_release(specification)
    target = out or ROOT / "models" / "checkpoints" / f"{content['name']}-v{content['version']}"
    click.echo(
        build_release(content, ReleaseSettings(run, data, target, ROOT / "data" / "splits", device, date))
    )


@models.command()
@click.argument("name", type=click.Choice(["weld", "casting"]))
@click.argument("version", type=int)
@click.option("--alias", default="champion", show_default=True, help="Alias to move.")
@one_line_errors
def promote(name: str, version: int, alias: str) -> None:
    """Let an alias of the model NAME point to VERSION."""
    from core.bootstrap import make_registry

    make_registry(read_settings()).set_alias(name, alias, version)
    click.echo(f"{name} {alias} is version {version}")
