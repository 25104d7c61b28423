"""`radikal work`: one long job in a process of its own. The server starts it; people need not."""

import logging
import os
import signal
import sys
from pathlib import Path

import click

from core.cli.conventions import FAILED, one_line_errors, open_services

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
    from core.domain.errors import JobTakenError
    from core.services.jobs.jobs import LOG_FILE
    from core.store.jobs import JobState

    os.nice(_NICENESS)  # whoever looks at radiographs comes first
    with open_services() as services:
        folder, worker = services.jobs.folder_of(job), services.job_worker()
        _log_to(folder / LOG_FILE)
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: worker.stop())
        try:
            state = worker.work(job)
        except JobTakenError as error:
            click.echo(f"radikal: {error}", err=True)
            sys.exit(TAKEN)
    if state is not JobState.DONE:
        sys.exit(FAILED if state is JobState.FAILED else STOPPED)


def _log_to(log_path: Path) -> None:
    log_path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(log_path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for library in ("alembic", "faster_coco_eval", "mlflow", "sqlalchemy"):
        logging.getLogger(library).setLevel(logging.WARNING)
