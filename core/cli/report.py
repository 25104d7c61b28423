"""`radikal report`: writing and verifying reports of inspections."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.cli.conventions import FAILED, one_line_errors, read_settings
from core.domain.accounts import COMMAND_LINE
from core.domain.errors import BadInputError, ConfigurationError

if TYPE_CHECKING:
    from core.bootstrap.services import Services

_SUFFIXES = (".pdf", ".csv", ".json")


@click.group()
def report() -> None:
    """Reports of inspections: write one as PDF, CSV or JSON; verify one."""


@report.command()
@click.argument("inspection_id")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False),
              help="File to write; its ending .pdf, .csv or .json says what.")  # fmt: skip
@click.option("--window", nargs=2, type=float, help="Grey values shown black and white; default: automatic.")
@click.option("--invert", is_flag=True, help="Swap black and white in --window.")
@one_line_errors
def write(inspection_id: str, out: Path, window: tuple[float, float] | None, invert: bool) -> None:
    """Write the report of an inspection; unsigned ones say so on every page."""
    from core.bootstrap.services import build_services
    from core.services.reports.reporting import ChosenWindow, ReportingService

    form = out.suffix.lower()
    if form not in _SUFFIXES:
        raise BadInputError(
            f"--out: expected a file name that ends in {', '.join(_SUFFIXES)}, got {out.name}"
        )
    if invert and window is None:
        raise BadInputError("--invert: say which --window is inverted")
    services = _with_records(build_services(read_settings()))
    service = ReportingService(services.workspace, services.registry)
    chosen = None if window is None else ChosenWindow(*window, is_inverted=invert)
    content = service.report(COMMAND_LINE, inspection_id, window=chosen)
    data = {".pdf": service.pdf, ".csv": service.csv, ".json": service.json}[form](content)
    out.write_bytes(data)
    click.echo(f"{content.reference()} written to {out} ({content.signed_words})")


@report.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@one_line_errors
def verify(file: Path) -> None:
    """Say whether a report (.json, .pdf) is whole, is what the record says, and reproduces.

    The model version runs again on the stored original. Exit code 0 when all of it holds, 1 when something
    differs: then one line for each difference.
    """
    from core.bootstrap.services import build_services
    from core.services.reports.reporting import ReportingService
    from core.services.reports.verifying import BOX_PX, PROBABILITY, VerifyingService

    if not file.is_file():
        raise BadInputError(f"{file}: no such file")
    services = _with_records(build_services(read_settings()))
    reporting = ReportingService(services.workspace, services.registry)
    service = VerifyingService(reporting, services.workspace.images, services.detect)
    result = service.verify(COMMAND_LINE, file.read_bytes())
    for difference in result.differences:
        click.echo(f"{difference.subject.value}: {difference.sentence}")
    for note in result.notes:
        click.echo(f"note: {note}", err=True)
    if not result.reproduces:
        click.echo(f"{result.reference}: DIFFERS in {len(result.differences)} points", err=True)
        sys.exit(FAILED)
    click.echo(
        f"{result.reference}: reproduces; {result.n_boxes} boxes found again within {BOX_PX} px and "
        f"{PROBABILITY} of probability"
    )


def _with_records(services: "Services") -> "Services":
    """The services, when their database is one that `radikal setup` made."""
    from sqlalchemy import inspect

    if not inspect(services.database).has_table("inspections"):
        raise ConfigurationError(
            "DATABASE_URL: this database holds no inspections: run `radikal setup` first"
        )
    return services
