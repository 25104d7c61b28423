"""`radikal evaluate`, and `radikal evaluation-sets`: the sets that the page Compare measures versions on."""

import json
from pathlib import Path
from typing import Any

import click

from core.cli.conventions import (
    ALIAS,
    COCO,
    GATE,
    IMAGES,
    MODEL,
    OUT,
    PART,
    POLARITY,
    SPLIT,
    VERSION,
    counted,
    members_of_part,
    one_line_errors,
    open_services,
    show_progress,
)


@click.command()
@MODEL
@COCO
@IMAGES
@VERSION
@ALIAS
@click.option("--artefact", type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="Folder of a version that is not registered, instead of a registered one.")  # fmt: skip
@SPLIT
@PART
@POLARITY
@GATE
@OUT
@one_line_errors
def evaluate(
    model: str,
    coco: Path,
    images: Path,
    version: int | None,
    alias: str,
    artefact: Path | None,
    split: Path | None,
    part: str,
    polarity: str,
    gate: bool,
    out: Path | None,
) -> None:
    """Measure a model version on images with recorded boxes.

    Crowds and boxes marked `ignore` count neither as found nor as missed; boxes without an area or outside of
    their image are left out. Each is told.
    """
    from core.domain.radiograph import Polarity

    with open_services() as services:
        service = services.evaluate if artefact is None else services.evaluate_artefact(artefact)
        summary = service.evaluate(
            coco,
            images,
            model=model,
            version=version,
            alias=alias,
            series=members_of_part(split, part),
            polarity=Polarity(polarity),
            gate=gate,
            progress=show_progress,
            tell=lambda line: click.echo(f"not counted: {line}", err=True),
        )
    figures = summary.to_dict()
    if out is not None:
        out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    _print_figures(figures)


def _print_figures(figures: dict[str, Any]) -> None:
    click.echo(f"{figures['model']} v{figures['version']} on {counted(figures['n_images'], 'image')}, "
               f"{counted(figures['n_boxes'], 'box', 'boxes')}")  # fmt: skip
    click.echo(f"{figures['n_trained_on']} of {figures['n_images']} images were trained on")
    for name in ("ap50", "ap50_95", "recall", "precision", "false_calls_per_image", "d_ece", "d_ece_raw",
                 "brier", "brier_raw", "brier_difference", "log_loss_difference"):  # fmt: skip
        value, interval = figures[name], figures.get(f"{name}_ci")
        if name == "d_ece":
            interval = None
        text = "not evaluable" if value is None else f"{value:.4f}"
        if value is None and (reason := figures["not_evaluable"].get(name)):
            text += f": {reason}"
        if interval:
            text += f"  (95 % interval {interval[0]:.4f} to {interval[1]:.4f})"
        if name == "d_ece" and figures["d_ece_band"]:
            low, high = figures["d_ece_band"]
            text += f"  (a perfectly calibrated model of this size: {low:.4f} to {high:.4f})"
        click.echo(f"  {name:<22}{text}")
    click.echo(f"  at probability {figures['operating_probability']}, score cut {figures['score_cut']}")


@click.group("evaluation-sets")
def evaluation_sets() -> None:
    """Evaluation sets for comparing versions: add one, list them."""


@evaluation_sets.command()
@click.option("--name", required=True, help="To choose it by.")
@MODEL
@COCO
@IMAGES
@SPLIT
@PART
@POLARITY
@one_line_errors
def add(
    name: str, model: str, coco: Path, images: Path, split: Path | None, part: str, polarity: str
) -> None:
    """Add the images of a COCO file. They stay where they lie; their boxes and sha256s are kept.

    A set never changes: images that are changed later are refused, other boxes are another set.
    """
    from core.domain.accounts import COMMAND_LINE
    from core.domain.radiograph import Polarity

    series = members_of_part(split, part)
    with open_services(newest=True) as services:
        added = services.evaluation_sets.add_files(
            COMMAND_LINE, name, model, coco, images, series=series, polarity=Polarity(polarity)
        )
    said = f"{counted(added.n_images, 'image')}, {counted(added.n_boxes, 'box', 'boxes')}"
    click.echo(f"{added.name}: {said}, digest {added.digest[:12]}")


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


@evaluation_sets.command("map")
@click.argument("name")
@click.option("--version", type=int, required=True, help="Number of a version that was measured on the set.")
@click.option("--most", type=click.IntRange(2), default=600, show_default=True, help="Boxes to place.")
@one_line_errors
def map_boxes(name: str, version: int, most: int) -> None:
    """Place the boxes of a version on a set by what they look like to its network, for Compare, Map."""
    from core.domain.accounts import COMMAND_LINE
    from core.domain.errors import BadInputError

    with open_services() as services:
        sets = services.evaluation_sets.all(COMMAND_LINE)
        chosen = next((one for one in sets if one.name == name), None)
        if chosen is None:
            raise BadInputError(f"there is no evaluation set {name!r}")
        made = services.box_maps.make(
            COMMAND_LINE, chosen, version, most=most, progress=lambda *n: show_progress(*n, of="boxes")
        )
    click.echo(f"{len(made.box)} boxes placed; the two axes hold {made.shares.sum():.0%} of the variance")
