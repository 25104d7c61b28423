"""`radikal evaluate-films`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.cli.conventions import (
    ALIAS,
    MODEL,
    OUT,
    POLARITY,
    VERSION,
    one_line_errors,
    open_services,
    show_progress,
)

if TYPE_CHECKING:
    from core.evaluate.cell_classes import ClassCells
    from core.evaluate.cell_summary import CellSummary
    from core.services.evaluation.film_evaluating import FilmEvaluation


@click.command("evaluate-films")
@MODEL
@click.option("--films", required=True, type=click.Path(path_type=Path), help="CSV with the recorded cells.")
@click.option("--images", required=True, type=click.Path(path_type=Path), help="Folder of its films.")
@VERSION
@ALIAS
@click.option("--probability", type=click.FloatRange(0, 1), help="Report from here on; default: the model's.")
@click.option("--crops", type=click.Path(path_type=Path), help="COCO file of crops with their parent_film.")
@click.option("--cell-px", type=click.FloatRange(1), default=248.0, show_default=True, help="One centimetre.")
@POLARITY
@click.option("--gate", is_flag=True, help="Refuse when any of the films was trained on.")
@OUT
@one_line_errors
def evaluate_films(
    model: str,
    films: Path,
    images: Path,
    version: int | None,
    alias: str,
    probability: float | None,
    crops: Path | None,
    cell_px: float,
    polarity: str,
    gate: bool,
    out: Path | None,
) -> None:
    """Measure a model version on whole films, by recorded centimetre cell.

    A recorded cell is found when a box of at least the operating probability reaches it; a reached cell
    more than one away from anything recorded is false. Films whose crop was trained on count as trained on
    only with --crops.
    """
    from core.domain.radiograph import Polarity

    with open_services() as services:
        evaluation = services.evaluate_films.evaluate(
            films,
            images,
            model=model,
            version=version,
            alias=alias,
            crops=crops,
            probability=probability,
            cell_px=cell_px,
            polarity=Polarity(polarity),
            gate=gate,
            progress=show_progress,
        )
    if out is not None:
        out.write_text(json.dumps(evaluation.to_dict(), indent=1) + "\n", encoding="utf-8")
    _print_evaluation(evaluation)


def _print_evaluation(evaluation: "FilmEvaluation") -> None:
    from core.evaluate.cell_classes import count_classes
    from core.evaluate.cell_summary import summarise_films

    version, films, unseen = evaluation.version, evaluation.films, evaluation.unseen
    click.echo(f"{version.name} v{version.version} on {len(films)} films, cells of {evaluation.cell_px:g} px")
    click.echo(f"{len(evaluation.trained_on)} of {len(films)} films were trained on")
    for line in evaluation.not_evaluable:
        click.echo(f"  not evaluable: {line}")
    for name, chosen in (("all films", films), ("films that trained nothing", unseen)):
        if not chosen or (chosen is unseen and not evaluation.trained_on):
            continue
        click.echo(f"{name}, at probability {evaluation.probability:g}:")
        _print_summary(summarise_films(chosen, probability=evaluation.probability))
        for one in count_classes(chosen, probability=evaluation.probability):
            click.echo(f"  {one.indication_class.value:<40}{_named(one)}")
    inside = summarise_films(evaluation.unseen_in_zone, probability=evaluation.probability)
    click.echo(
        f"films that trained nothing, without boxes outside of the zone (found on {evaluation.n_zones} of "
        f"{len(films)} films):"
    )
    _print_summary(inside)
    click.echo("by operating probability, films that trained nothing (found of recorded cells):")
    for point in evaluation.sweep(unseen):
        shares = ", ".join(f"{group}: {s.found}/{s.recorded}" for group, s in point.groups.items())
        click.echo(f"  {point.probability:.2f}  {_false_cells(point)}; {shares}")


def _print_summary(summary: "CellSummary") -> None:
    click.echo(f"  {_false_cells(summary)} ({summary.n_false} of {summary.n_free} cells on "
               f"{summary.n_judged} recorded films)")  # fmt: skip
    for group, share in summary.groups.items():
        text = "not evaluable: none recorded"
        if share.interval is not None:
            low, high = share.interval
            text = f"{share.found} of {share.recorded} = {share.found / share.recorded:.2f}"
            text += f"  (95 % interval {low:.2f} to {high:.2f})"
        click.echo(f"  {group:<40}{text}")


def _named(one: "ClassCells") -> str:
    elsewhere = f"of {one.elsewhere} cells without it {one.named_elsewhere} bear its name"
    if not one.recorded:
        return f"none recorded; {elsewhere}"
    return f"named so in {one.named} of {one.found} found cells; {elsewhere}"


def _false_cells(summary: "CellSummary") -> str:
    mean = summary.false_cells_per_film
    return "false cells not evaluable" if mean is None else f"{mean:.2f} false cells a film"
