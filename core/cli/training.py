"""`radikal train` and `radikal simulate`."""

from pathlib import Path

import click

from core.cli.conventions import one_line_errors, read_settings


@click.command()
@click.option("--recipe", required=True, type=click.Path(path_type=Path), help="Recipe YAML.")
@click.option("--data", required=True, type=click.Path(path_type=Path), help="Folder of COCO files, images.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the run; default below DATA_DIR.")
@click.option("--job", help="Id of the job row that follows this run.")
@click.option("--resume", is_flag=True, help="Go on from the newest checkpoint.")
@one_line_errors
def train(recipe: Path, data: Path, out: Path | None, job: str | None, resume: bool) -> None:
    """Train by a recipe; parameters, data hashes and losses go to MLflow too."""
    from core.bootstrap import build_training

    weights = build_training(read_settings(), job=job).run(recipe, data, out=out, should_resume=resume)
    click.echo(weights)


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write into.")
@click.option("--count", required=True, type=click.IntRange(1, 100_000), help="How many radiographs.")
@click.option("--seed", required=True, type=click.IntRange(0), help="Seed of the first; the others follow.")
@one_line_errors
def simulate(out: Path, count: int, seed: int) -> None:
    """Write simulated weld radiographs with their truth (16-bit PNG, COCO)."""
    from core.simulate.dataset import write_dataset

    click.echo(write_dataset(out, count=count, seed=seed))
