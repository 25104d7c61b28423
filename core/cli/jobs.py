"""Long jobs in this process: `radikal work`, which the server starts, and jobs that a command waits for."""

import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.cli.conventions import FAILED, one_line_errors, open_services
from core.domain.errors import JobTakenError

if TYPE_CHECKING:
    from core.container import Container

_NICENESS = 10
STOPPED = 3
#: The job is somebody else's, and stays what it is.
TAKEN = 4


@click.command(hidden=True)
@click.option("--job", required=True, help="Id of a queued job.")
@one_line_errors
def work(job: str) -> None:
    """Do the queued job; its log lies in DATA_DIR/jobs/ID/log.txt.

    SIGTERM stops it at the next point where it can go on later. Exit code 1 when it failed, 3 when it was
    stopped, 4 when it was not there to be done.
    """
    from core.observing import observe, stop_observing
    from core.services.jobs.jobs import LOG_FILE
    from core.store.jobs import JobState

    os.nice(_NICENESS)  # whoever looks at radiographs comes first
    with open_services() as services:
        folder, worker = services.jobs.folder_of(job), services.job_worker()
        _log_to(folder / LOG_FILE)
        observe(services.settings, service="radikal-work")
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: worker.stop())
        try:
            state = worker.work(job)
        except JobTakenError as error:
            click.echo(f"radikal: {error}", err=True)
            sys.exit(TAKEN)
        finally:
            stop_observing()
    if state is not JobState.DONE:
        sys.exit(FAILED if state is JobState.FAILED else STOPPED)


def do_job(services: "Container", job_id: str) -> dict[str, Any]:
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


def _log_to(log_path: Path) -> None:
    log_path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(log_path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for library in ("alembic", "faster_coco_eval", "mlflow", "sqlalchemy"):
        logging.getLogger(library).setLevel(logging.WARNING)
