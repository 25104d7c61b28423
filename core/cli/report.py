"""`radikal report`: writing and verifying reports of inspections."""

import sys
from pathlib import Path

import click

from core.cli.conventions import FAILED, one_line_errors, open_services
from core.domain.accounts import COMMAND_LINE
from core.domain.errors import BadInputError

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
    from core.services.reports.reporting import ChosenWindow

    form = out.suffix.lower()
    if form not in _SUFFIXES:
        raise BadInputError(
            f"--out: expected a file name that ends in {', '.join(_SUFFIXES)}, got {out.name}"
        )
    if invert and window is None:
        raise BadInputError("--invert: say which --window is inverted")
    chosen = None if window is None else ChosenWindow(*window, is_inverted=invert)
    with open_services() as services:
        services.require_table("inspections", "inspections")
        service = services.reporting(COMMAND_LINE)
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
    from core.services.reports.verifying import BOX_PX, PROBABILITY

    if not file.is_file():
        raise BadInputError(f"{file}: no such file")
    with open_services() as services:
        services.require_table("inspections", "inspections")
        result = services.verifying.verify(COMMAND_LINE, file.read_bytes())
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
