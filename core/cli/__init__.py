"""The command line: `radikal`, one command a service, one module a group of commands."""

import logging
import os

import click

from core.cli.audit import audit
from core.cli.backup import backup, drill, restore
from core.cli.bulk import batch_command
from core.cli.data import data
from core.cli.detecting import detect
from core.cli.evaluating import evaluate, evaluation_sets
from core.cli.explain_evaluating import explain_eval
from core.cli.film_evaluating import evaluate_films
from core.cli.jobs import work
from core.cli.keys import key_commands
from core.cli.labels import labels
from core.cli.models import models
from core.cli.models_in_use import drift as _drift  # noqa: F401  # adds its commands to `models`
from core.cli.originals import originals
from core.cli.pod import pod
from core.cli.report import report
from core.cli.routing import route
from core.cli.serving import serve, setup
from core.cli.training import simulate, train
from core.cli.users import user_commands
from core.cli.watching import receive, send, watch


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="radikal", prog_name="radikal")
def main() -> None:
    """Inspection workbench for industrial radiographs."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    # Read when PyTorch loads. Threads that spin while they wait for each other take 20 s instead of 1.6 s for
    # a film as soon as anything else wants the processor.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")


for command in (setup, serve, detect, batch_command, evaluate, evaluation_sets, evaluate_films,
                explain_eval, pod, route, train, simulate, data, labels, models, originals, report, audit,
                backup, restore, drill, key_commands, user_commands, watch, receive, send, work):  # fmt: skip
    main.add_command(command)
