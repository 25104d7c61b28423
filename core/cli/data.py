"""`radikal data`: data versions, and what is wrong with a data set."""

import json
import sys
from pathlib import Path

import click

from core.cli.conventions import FAILED, one_line_errors, open_services, show_progress
from core.cli.learning import export_data, list_data, make_data


@click.group()
def data() -> None:
    """Data sets and data versions: what models learn from and are measured on."""


data.add_command(list_data)
data.add_command(make_data)
data.add_command(export_data)


@data.command()
@click.option("--coco", "recorded", multiple=True, type=click.Path(path_type=Path), help="COCO file; repeat.")
@click.option("--clean", multiple=True, type=click.Path(path_type=Path),
              help="COCO file of images that are declared free of indications; repeat.")  # fmt: skip
@click.option("--images", required=True, type=click.Path(path_type=Path), help="Folder of their images.")
@click.option("--split", type=click.Path(path_type=Path), help="Split list, to find leaks.")
@click.option(
    "--model", type=click.Choice(["weld", "casting"]), help="Model that must not know what is held out."
)
@click.option("--version", type=int, help="Version number; wins over --alias.")
@click.option("--alias", default="champion", show_default=True, help="Alias of the version.")
@click.option("--held-out", multiple=True, help="Part of the split that judges or calibrates; repeat. "
              "Default: calibration and test. Without --split every image is held out.")  # fmt: skip
@click.option("--quick", is_flag=True, help="Leave out the search for near-duplicates.")
@click.option("--json", "json_path", type=click.Path(), help="File for the findings, - for standard output.")
@one_line_errors
def check(
    recorded: tuple[Path, ...],
    clean: tuple[Path, ...],
    images: Path,
    split: Path | None,
    model: str | None,
    version: int | None,
    alias: str,
    held_out: tuple[str, ...],
    quick: bool,
    json_path: str | None,
) -> None:
    """Find what is wrong with COCO files: boxes, images, duplicates, leaks.

    One line a finding, errors first. Exit code 1 when there is an error, 0 with warnings alone.
    """
    from core.services.datasets.data_checking import CheckRequest

    if not recorded and not clean:
        raise click.UsageError("name at least one file by --coco or --clean")
    request = CheckRequest(
        recorded=recorded,
        clean=clean,
        images_dir=images,
        split=split,
        model=model,
        version=version,
        alias=alias,
        held_out=held_out or None,
        should_search_copies=not quick,
    )
    with open_services() as services:
        result = services.data_checks.check(request, progress=show_progress)
    content = json.dumps(result.to_dict(), indent=1)
    if json_path == "-":
        click.echo(content)
    else:
        if json_path is not None:  # first, so that a closed pipe loses nothing
            Path(json_path).write_text(content + "\n", encoding="utf-8")
        for finding in result.findings:
            click.echo(str(finding))
        click.echo(f"{result.n_images} images, {result.n_boxes} boxes; errors: {result.n_errors}, "
                   f"warnings: {len(result.findings) - result.n_errors}")  # fmt: skip
    if result.n_errors:
        sys.exit(FAILED)
