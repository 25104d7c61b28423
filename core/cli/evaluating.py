"""`radikal evaluate`."""

import json
from pathlib import Path
from typing import Any

import click

from core.cli.conventions import one_line_errors, open_services, show_progress


@click.command()
@click.option("--model", required=True, type=click.Choice(["weld", "casting"]), help="Registered model.")
@click.option("--coco", required=True, type=click.Path(path_type=Path), help="COCO file with the truth.")
@click.option("--images", required=True, type=click.Path(path_type=Path), help="Folder of its images.")
@click.option("--version", type=int, help="Version number; wins over --alias.")
@click.option("--alias", default="champion", show_default=True, help="Alias of the version to run.")
@click.option("--artefact", type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="Folder of a version that is not registered, instead of a registered one.")  # fmt: skip
@click.option("--split", type=click.Path(path_type=Path), help="Split list: evaluate one part of it only.")
@click.option("--part", default="test", show_default=True, help="Part of the split list.")
@click.option("--polarity", type=click.Choice(["film", "digital", "unknown"]), default="unknown",
              show_default=True, help="Of files that do not say.")  # fmt: skip
@click.option("--gate", is_flag=True, help="Refuse when any of the images was trained on.")
@click.option("--out", type=click.Path(path_type=Path), help="JSON file for all figures.")
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
    """Measure a model version on images with recorded boxes."""
    from core.domain.radiograph import Polarity
    from core.labelling.split import members_of, read_split

    members = None if split is None else members_of(read_split(split), part)
    with open_services() as services:
        service = services.evaluate if artefact is None else services.evaluate_artefact(artefact)
        summary = service.evaluate(
            coco,
            images,
            model=model,
            version=version,
            alias=alias,
            series=members,
            polarity=Polarity(polarity),
            gate=gate,
            progress=show_progress,
        )
    figures = summary.to_dict()
    if out is not None:
        out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    _print_figures(figures)


def _print_figures(figures: dict[str, Any]) -> None:
    click.echo(f"{figures['model']} v{figures['version']} on {figures['n_images']} images, "
               f"{figures['n_boxes']} boxes")  # fmt: skip
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
