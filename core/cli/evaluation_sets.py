"""`radikal evaluation-sets`: images with recorded boxes that the page Compare measures versions on."""

from pathlib import Path

import click

from core.cli.conventions import one_line_errors, open_services


@click.group("evaluation-sets")
def evaluation_sets() -> None:
    """Evaluation sets for comparing versions: add one, list them."""


@evaluation_sets.command()
@click.option("--name", required=True, help="To choose it by.")
@click.option("--model", required=True, type=click.Choice(["weld", "casting"]), help="Whose versions.")
@click.option("--coco", required=True, type=click.Path(path_type=Path), help="COCO file with the truth.")
@click.option("--images", required=True, type=click.Path(path_type=Path), help="Folder of its images.")
@click.option("--split", type=click.Path(path_type=Path), help="Split list: take one part of it only.")
@click.option("--part", default="test", show_default=True, help="Part of the split list.")
@click.option("--polarity", type=click.Choice(["film", "digital", "unknown"]), default="unknown",
              show_default=True, help="Of files that do not say.")  # fmt: skip
@one_line_errors
def add(
    name: str, model: str, coco: Path, images: Path, split: Path | None, part: str, polarity: str
) -> None:
    """Add the images of a COCO file. They stay where they lie; their boxes and sha256s are kept.

    A set never changes: images that are changed later are refused, other boxes are another set.
    """
    from core.domain.accounts import COMMAND_LINE
    from core.domain.radiograph import Polarity
    from core.labelling.split import members_of, read_split

    series = None if split is None else members_of(read_split(split), part)
    with open_services(newest=True) as services:
        added = services.evaluation_sets.add_files(
            COMMAND_LINE, name, model, coco, images, series=series, polarity=Polarity(polarity)
        )
    click.echo(f"{added.name}: {added.n_images} images, {added.n_boxes} boxes, digest {added.digest[:12]}")


@evaluation_sets.command("list")
@one_line_errors
def list_sets() -> None:
    """List the sets, the newest first."""
    from core.domain.accounts import COMMAND_LINE

    with open_services(newest=True) as services:
        found = services.evaluation_sets.all(COMMAND_LINE)
    for one in found:
        click.echo(f"{one.model_name:<8} {one.digest[:12]}  {one.n_images:>6} images {one.n_boxes:>7} boxes  "
                   f"{one.name}")  # fmt: skip
    if not found:
        click.echo("no evaluation sets")
