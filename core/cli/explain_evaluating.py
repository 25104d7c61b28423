"""`radikal explain-eval`."""

import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click

from core.cli.conventions import (
    ALIAS,
    COCO,
    GATE,
    IMAGES,
    MODEL,
    PART,
    POLARITY,
    SPLIT,
    VERSION,
    members_of_part,
    one_line_errors,
    open_services,
    show_progress,
)

_DONE = {"detecting": "images", "explaining": "boxes"}


@click.command("explain-eval")
@MODEL
@COCO
@IMAGES
@VERSION
@ALIAS
@SPLIT
@PART
@POLARITY
@click.option("--boxes", type=click.IntRange(1), default=300, show_default=True, help="Boxes to measure on.")
@click.option(
    "--masks", type=click.IntRange(4), default=200, show_default=True, help="Masks of a perturbation."
)
@click.option("--references", type=click.IntRange(0), default=20, show_default=True,
              help="Boxes with a reference of 2,000 masks.")  # fmt: skip
@click.option("--randomised", type=click.IntRange(0), default=20, show_default=True,
              help="Boxes whose maps are made with drawn weights too.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Of all that is drawn by chance.")
@GATE
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="JSON file for all figures; of the boxes so far while it runs.",
)
@one_line_errors
def explain_eval(
    model: str,
    coco: Path,
    images: Path,
    version: int | None,
    alias: str,
    split: Path | None,
    part: str,
    polarity: str,
    boxes: int,
    masks: int,
    references: int,
    randomised: int,
    seed: int,
    gate: bool,
    out: Path | None,
) -> None:
    """Measure how far the explanations of a version can be believed.

    Boxes are drawn evenly over true, false and low-score ones, three sizes and the classes. Each map is
    tested by deletion and insertion against noise, edges and a Gaussian drawn on the box; the Gaussian itself
    is in the suite and must fail. docs/explanations.md says what the figures mean. Takes hours on a CPU.
    """
    from core.domain.radiograph import Polarity
    from core.services.evaluation.explain_evaluating import ExplainPlan

    plan = ExplainPlan(boxes=boxes, masks=masks, references=references, randomised=randomised, seed=seed)
    with open_services() as services:
        figures = services.explain_evaluate.evaluate(
            coco,
            images,
            model=model,
            version=version,
            alias=alias,
            series=members_of_part(split, part),
            polarity=Polarity(polarity),
            plan=plan,
            gate=gate,
            progress=lambda what, done, total: show_progress(done, total, of=_DONE[what]),
            so_far=partial(_write, out),
        )
        figures["at"] = f"{datetime.now(UTC):%Y-%m-%d}"
        _write(out, figures)
        services.explanation_records.keep(figures)
    _print_figures(figures)


def _write(out: Path | None, figures: dict[str, Any]) -> None:
    if out is not None:
        out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def _print_figures(figures: dict[str, Any]) -> None:
    click.echo(
        f"{figures['model']} v{figures['version']}: {figures['n_boxes']} boxes, "
        f"{figures['n_images']} images; of the whole set {figures['n_trained_on']} images were trained on"
    )
    for name, method in figures["methods"].items():
        verdict = "passes" if method["passes"] else "fails: " + "; ".join(method["fails"])
        click.echo(f"  {name:<11} insertion minus deletion {method['gain']:.3f}, {verdict}")
    without = figures["without_it"]
    if (added := without.get("added")) is not None:
        click.echo(f"  without it: adds {added['value']:.3f} to the AUROC of the probability, "
                   f"95 % interval {added['interval']}")  # fmt: skip
