"""`radikal pod`."""

import json
from pathlib import Path
from typing import Any

import click

from core.cli.conventions import (
    ALIAS,
    MODEL,
    OUT,
    PART,
    POLARITY,
    SPLIT,
    VERSION,
    members_of_part,
    one_line_errors,
    open_services,
    show_progress,
)
from core.domain.errors import BadInputError


@click.command()
@MODEL
@VERSION
@ALIAS
@click.option(
    "--coco", type=click.Path(path_type=Path), help="COCO file of flaws; without, welds are simulated."
)
@click.option("--images", type=click.Path(path_type=Path), help="Folder of its images.")
@SPLIT
@PART
@POLARITY
@click.option("--measure", type=click.Choice(["length", "width", "height"]), default="width",
              show_default=True, help="What counts as the size of a flaw.")  # fmt: skip
@click.option("--flaws", type=click.IntRange(1), default=2000, show_default=True, help="Simulated flaws.")
@click.option("--seed", type=int, default=940_000, show_default=True, help="Of the first simulated weld.")
@click.option("--card", type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="Folder of the version's files: its card gets the figures.")  # fmt: skip
@OUT
@one_line_errors
def pod(
    model: str,
    version: int | None,
    alias: str,
    coco: Path | None,
    images: Path | None,
    split: Path | None,
    part: str,
    polarity: str,
    measure: str,
    flaws: int,
    seed: int,
    card: Path | None,
    out: Path | None,
) -> None:
    """Measure with which probability a version detects flaws of a size.

    Hit/miss against size in mm after MIL-HDBK-1823A, with likelihood-ratio bounds, over all flaws and by
    class, beside the false calls an image; and the strength of responses against size as a second form. On
    simulated welds, or on a COCO file whose boxes give `size_mm` or whose images give `mm_per_px`. Kept with
    the version; docs/pod.md says what the figures mean.
    """
    from core.domain.radiograph import Polarity
    from core.services.evaluation.pod_evaluating import SizeMeasure
    from core.services.evaluation.version_records import plot_of_pod
    from core.services.lifecycle.model_card import add_pod

    if (coco is None) != (images is None):
        raise BadInputError("--coco and --images belong together")
    common: dict[str, Any] = {"model": model, "version": version, "alias": alias,
                              "measure": SizeMeasure(measure)}  # fmt: skip
    with open_services() as services:
        if coco is None or images is None:
            figures = services.pod_evaluate.on_simulated(
                flaws=flaws, seed=seed, progress=lambda *n: show_progress(*n, of="flaws"), **common
            )
        else:
            figures = services.pod_evaluate.on_coco(
                coco,
                images,
                series=members_of_part(split, part),
                polarity=Polarity(polarity),
                progress=show_progress,
                **common,
            )
        if out is not None:
            out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        if card is not None:
            add_pod(card, figures)
        services.pod_records.keep(figures)
        if (plot := plot_of_pod(figures)) is not None:
            services.pod_records.draw(figures, plot)
    _print_figures(figures)


def _print_figures(figures: dict[str, Any]) -> None:
    from core.domain.pod_words import pod_line

    who = f"{figures['model']} v{figures['version']}: {figures['n_targets']} flaws"
    click.echo(f"{who} on {figures['n_images']} images ({figures['on']}), size is the {figures['measure']}")
    click.echo(f"{figures['n_trained_on']} of {figures['n_images']} images were trained on")
    click.echo(f"{figures['false_calls_per_image']:.2f} false calls an image at probability "
               f"{figures['operating_probability']:g}")  # fmt: skip
    rows = {
        "all": figures["pod"],
        **figures["by_class"],
        "all, boxes that overlap by 0.5": figures["strict"],
        f"with {figures['n_faint']} too faint to see": figures["with_faint"],
        "all, by response": figures["response"],
    }
    for name, estimate in rows.items():
        click.echo(f"  {name:<32}{pod_line(estimate)}")
