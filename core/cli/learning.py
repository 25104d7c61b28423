"""`radikal data versions|make|export`, and retraining for `radikal train --data-version`."""

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.cli.conventions import FAILED, one_line_errors, open_services
from core.cli.working import STOPPED
from core.domain.accounts import COMMAND_LINE
from core.domain.errors import JobTakenError

if TYPE_CHECKING:
    from core.container import Container


@click.command("versions")
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


@click.command("make")
@click.option(
    "--model", required=True, type=click.Choice(["weld", "casting"]), help="That will learn from it."
)
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
    from core.services.datasets.data_request import DataRequest

    folder = images or (coco.parent if coco else None)
    request = DataRequest(
        model,
        coco=coco.resolve() if coco else None,
        images_dir=folder.resolve() if folder else None,
        **values,
    )
    with open_services(newest=True) as services:
        result = _do_job(services, services.data.start(COMMAND_LINE, request))
    said = "" if result["is_new"] else " (nothing changed since)"
    click.echo(f"data version {result['number']}  {result['manifest_sha256']}{said}")


@click.command("export")
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


def retrain(number: int, *, base: int | None, device: str, changes: dict[str, Any]) -> None:
    """Train on with a data version, here and now, and print the challenger."""
    from core.services.training.retrain_request import RetrainRequest

    with open_services(newest=True) as services:
        model = services.data.numbered(COMMAND_LINE, number).model_name
        version = services.registry.resolve(model, version=base)[0].version
        request = RetrainRequest(model, version, number, **changes)
        result = _do_job(services, services.retraining.start(COMMAND_LINE, request, device=device))
    click.echo(f"{result['model']} v{result['version']} is the challenger")


def _do_job(services: "Container", job_id: str) -> dict[str, Any]:
    """The result of a queued job, done in this process; ends the process when there is none.

    Where a server runs, it may have begun the job already: then its id is told, and where to watch it.
    """
    from core.store.jobs import JobState

    logging.getLogger("core").setLevel(logging.INFO)
    worker = services.job_worker()
    try:
        state = worker.work(job_id)
    except JobTakenError:
        click.echo(f"job {job_id} waits for its device or is done by the server: see its page", err=True)
        sys.exit(STOPPED)
    except KeyboardInterrupt:
        sys.exit(STOPPED)
    job = worker.job(job_id)
    if state is not JobState.DONE:
        click.echo(f"radikal: {job.message}", err=True)
        sys.exit(FAILED if state is JobState.FAILED else STOPPED)
    return dict(job.result)
