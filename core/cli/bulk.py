"""`radikal batch`."""

import os
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.cli.conventions import (
    ALIAS,
    FAILED,
    MODEL,
    POLARITY,
    VERSION,
    counted,
    one_line_errors,
    open_services,
)

if TYPE_CHECKING:
    from core.services.bulk.archive import ArchiveFile
    from core.services.bulk.bulk import Engine
    from core.services.bulk.reader import FileOutcome, ReaderSpec

_EVERY_S = 5.0


@click.command("batch")
@click.argument("place")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of this run.")
@MODEL
@VERSION
@ALIAS
@POLARITY
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Processes of this machine, or a Ray cluster.",
)
@click.option(
    "--workers", type=click.IntRange(1), help="Readers at a time; default: one for each core of this machine."
)
@click.option(
    "--gpus-each",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="GPUs of one reader on a Ray cluster, such as 0.25.",
)
@one_line_errors
def batch_command(
    place: str,
    out: Path,
    model: str,
    version: int | None,
    alias: str,
    polarity: str,
    engine: str,
    workers: int | None,
    gpus_each: float,
) -> None:
    """Read a whole archive of radiographs once, on all cores or on a Ray cluster.

    PLACE is a folder or a URL such as s3://bucket/folder. Every file in it that is a radiograph, or a ZIP
    archive of some, is read by one model version. Nothing is stored in the workbench; --out gets
    pictures.parquet (a row a picture), detections.parquet (a row a box), report.html, problems.txt and
    ledger.db, which holds what was read as it comes. A run that was killed goes on with the same command:
    a file is read again only where it changed, and what has the same content is stored once.

    Without --engine ray nothing else is needed. A Ray cluster is the one that RAY_ADDRESS names, or one of
    this machine for as long as the run takes; its machines need RadiKal and a way to PLACE, while the model
    is handed to them. Exit code 1 when a file could not be read.
    """
    from core.domain.radiograph import Polarity

    n_workers = workers or os.cpu_count() or 1
    with open_services() as services:
        result = services.bulk.read(
            place,
            out,
            _engine(engine, n_workers, gpus_each),
            model=model,
            version=version,
            alias=alias,
            polarity=Polarity(polarity),
            n_threads=1 if n_workers > 1 else 0,
            tell=_Told(),
        )
    counts = result.counts
    click.echo(
        f"{counted(counts['pictures'], 'picture')} in {counted(counts['files'], 'file')}, "
        f"{counts['readings']} of distinct content; {counted(result.n_read_now, 'file')} read now in "
        f"{result.seconds:.0f} s"
    )
    if counts["other_files"]:
        says = "is no radiograph" if counts["other_files"] == 1 else "are no radiographs"
        click.echo(f"{counted(counts['other_files'], 'file')} {says}")
    click.echo(str(out / "report.html"))
    if counts["files_with_problems"]:
        click.echo(
            f"radikal: {counted(counts['files_with_problems'], 'file')} could not be read whole: "
            f"{out / 'problems.txt'}",
            err=True,
        )
        sys.exit(FAILED)


def _engine(name: str, n_workers: int, gpus_each: float) -> "Engine":
    if name == "ray":
        from core.services.bulk.ray_engine import read_on_ray

        return partial(read_on_ray, n_workers=n_workers, gpus_each=gpus_each)
    from core.services.bulk.local_engine import read_locally

    def run(spec: "ReaderSpec", files: "Sequence[ArchiveFile]") -> "Iterator[FileOutcome]":
        return read_locally(spec, files, n_workers=min(n_workers, len(files)))

    return run


class _Told:
    """Progress with the time left, now and then."""

    def __init__(self) -> None:
        self._next_s = 0.0

    def __call__(self, done: int, total: int, seconds: float) -> None:
        if seconds < self._next_s and done < total:
            return
        self._next_s = seconds + (1.0 if sys.stderr.isatty() else _EVERY_S)
        left = (total - done) * seconds / done
        end = "\n" if done == total or not sys.stderr.isatty() else "\r"
        pace = done / seconds if seconds else 0.0
        sys.stderr.write(f"{done} of {total} files, {pace:.1f} a second, {_time(left)} left {end}")
        sys.stderr.flush()


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
