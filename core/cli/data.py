"""`radikal data`: data versions, and what is wrong with a data set."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from core.cli.conventions import FAILED, MODEL, VERSION, one_line_errors, open_services, show_progress
from core.cli.jobs import do_job
from core.domain.accounts import COMMAND_LINE
from core.domain.kinds import MODEL_NAMES


@click.group()
def data() -> None:
    """Data sets and data versions: what models learn from and are measured on."""


@data.command("versions")
@one_line_errors
def list_data() -> None:
    """Every data version: what it holds, for which model, under which licence."""
    with open_services(newest=True) as services:
        for one in services.data.all(COMMAND_LINE):
            parts = ", ".join(f"{name} {images}" for name, (images, _) in one.counts["parts"].items())
            click.echo(
                f"{one.number:>4}  {one.model_name:<8} {one.manifest_sha256[:12]}  "
                f"{one.counts['boxes']} boxes on {one.counts['images']} images ({parts})  {one.licence}"
            )


@data.command("make")
@MODEL
@click.option("--licence", required=True, help="What the images may be used for.")
@click.option("--note", default="", help="Why it is made.")
@click.option("--coco", type=click.Path(path_type=Path), help="COCO file to import beside the labels.")
@click.option("--images", type=click.Path(path_type=Path), help="Folder of its images; default: beside it.")
@click.option(
    "--calibration", "calibration_share", default=0.2, show_default=True, help="Share of the parts."
)
@click.option("--test", "test_share", default=0.2, show_default=True, help="Share of the parts.")
@one_line_errors
def make_data(model: str, coco: Path | None, images: Path | None, **values: Any) -> None:
    """Make a data version from what is labelled, and from a COCO file."""
    from core.services.datasets.data_versions import DataRequest

    folder = images or (coco.parent if coco else None)
    request = DataRequest(
        model,
        coco=coco.resolve() if coco else None,
        images_dir=folder.resolve() if folder else None,
        **values,
    )
    with open_services(newest=True) as services:
        result = do_job(services, services.data.start(COMMAND_LINE, request))
    said = "" if result["is_new"] else " (nothing changed since)"
    click.echo(f"data version {result['number']}  {result['manifest_sha256']}{said}")


@data.command("export")
@click.argument("number", type=int)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write into.")
@one_line_errors
def export_data(number: int, out: Path) -> None:
    """Write data version NUMBER as COCO files by part, with its images and its split list."""
    from core.services.datasets.data_export import export

    with open_services(newest=True) as services:
        version = services.data.numbered(COMMAND_LINE, number)
        for path in export(services.data.manifest(COMMAND_LINE, version), services.blobs, out):
            click.echo(path)


@data.command()
@click.option("--coco", "recorded", multiple=True, type=click.Path(path_type=Path), help="COCO file; repeat.")
@click.option("--clean", multiple=True, type=click.Path(path_type=Path),
              help="COCO file of images that are declared free of indications; repeat.")  # fmt: skip
@click.option("--images", required=True, type=click.Path(path_type=Path), help="Folder of their images.")
@click.option("--split", type=click.Path(path_type=Path), help="Split list, to find leaks.")
@click.option("--model", type=click.Choice(MODEL_NAMES), help="Model that must not know what is held out.")
@VERSION
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
