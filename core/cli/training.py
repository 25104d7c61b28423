"""`radikal train` and `radikal simulate`."""

from pathlib import Path
from typing import Any

import click

from core.cli.conventions import one_line_errors, open_services
from core.cli.jobs import do_job
from core.domain.accounts import COMMAND_LINE


@click.command()
@click.option("--recipe", type=click.Path(path_type=Path), help="Recipe YAML.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the recipe's COCO files, images.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the run; default below DATA_DIR.")
@click.option("--job", help="Id of the job row that follows this run.")
@click.option("--resume", is_flag=True, help="Go on from the newest checkpoint.")
@click.option("--data-version", type=int, help="Instead of a recipe: train on with this data version.")
@click.option("--base", type=int, help="Version to start from; default: the champion. With --data-version.")
@click.option("--steps", type=int, help="With --data-version.")
@click.option("--learning-rate", type=float, help="With --data-version.")
@click.option("--budget", "budget_minutes", type=float, help="Minutes at most. With --data-version.")
@click.option("--device", default="cpu", show_default=True, help="cpu or cuda. With --data-version.")
@one_line_errors
def train(
    recipe: Path | None,
    data: Path | None,
    out: Path | None,
    job: str | None,
    resume: bool,
    data_version: int | None,
    base: int | None,
    device: str,
    **changes: float | None,
) -> None:
    """Train by a recipe, or train a version on with a data version until there is a challenger.

    Parameters, data hashes and losses go to MLflow too. With --data-version the result is calibrated,
    measured and registered as challenger.
    """
    if data_version is not None:
        given = {name: value for name, value in changes.items() if value is not None}
        _retrain(data_version, base=base, device=device, changes=given)
        return
    if recipe is None or data is None:
        raise click.UsageError("name a recipe and its data by --recipe and --data, or a --data-version")
    with open_services(newest=True) as services:
        click.echo(services.training(job).run(recipe, data, out=out, should_resume=resume))


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write into.")
@click.option("--count", required=True, type=click.IntRange(1, 100_000), help="How many radiographs.")
@click.option("--seed", required=True, type=click.IntRange(0), help="Seed of the first; the others follow.")
@one_line_errors
def simulate(out: Path, count: int, seed: int) -> None:
    """Write simulated weld radiographs with their ground truth (16-bit PNG, COCO)."""
    from core.simulate.dataset import write_dataset

    click.echo(write_dataset(out, count=count, seed=seed))


def _retrain(number: int, *, base: int | None, device: str, changes: dict[str, Any]) -> None:
    """Train on with a data version, here and now, and print the challenger."""
    from core.services.training.retraining import RetrainRequest

    with open_services(newest=True) as services:
        model = services.data.numbered(COMMAND_LINE, number).model_name
        version = services.registry.resolve(model, version=base)[0].version
        request = RetrainRequest(model, version, number, **changes)
        result = do_job(services, services.retraining.start(COMMAND_LINE, request, device=device))
    click.echo(f"{result['model']} v{result['version']} is the challenger")
