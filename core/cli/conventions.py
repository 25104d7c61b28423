"""Conventions of every command: settings, services, exit codes, errors as one line, progress."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec

import click

from core.config import ROOT, Settings, load_settings
from core.domain.errors import BadInputError, WorkbenchError
from core.domain.kinds import MODEL_NAMES
from core.domain.storage import storage_problem

if TYPE_CHECKING:
    from core.container import Container

BAD_INPUT, FAILED = 2, 1
#: Forms in which a moment may be given, UTC.
MOMENTS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")
#: Options that several commands have.
MODEL = click.option("--model", required=True, type=click.Choice(MODEL_NAMES), help="Registered model.")
VERSION = click.option("--version", type=int, help="Version number; wins over --alias.")
ALIAS = click.option("--alias", default="champion", show_default=True, help="Alias of the version to run.")
COCO = click.option("--coco", required=True, type=click.Path(path_type=Path),
                    help="COCO file: recorded boxes.")  # fmt: skip
IMAGES = click.option("--images", required=True, type=click.Path(path_type=Path),
                      help="Folder of its images.")  # fmt: skip
GATE = click.option("--gate", is_flag=True, help="Refuse when any of the images was trained on.")
OUT = click.option("--out", type=click.Path(path_type=Path), help="JSON file for all figures.")
SPLIT = click.option("--split", type=click.Path(path_type=Path), help="Split list: use one part of it only.")
PART = click.option("--part", default="test", show_default=True, help="Part of the split list.")
POLARITY = click.option("--polarity", type=click.Choice(["film", "digital", "unknown"]), default="unknown",
                        show_default=True, help="Of files that do not say.")  # fmt: skip
P = ParamSpec("P")


def read_settings() -> Settings:
    """The settings of this process, `.env` of the project included.

    Raises:
        ConfigurationError: names every key that is wrong.
    """
    return load_settings(ROOT / ".env")


@contextmanager
def open_services(*, newest: bool = False) -> "Iterator[Container]":
    """The services over the settings of this process; see `open_container`, imported late for `--help`."""
    from core.container import open_container

    with open_container(read_settings(), newest=newest) as services:
        yield services


def one_line_errors(command: Callable[P, None]) -> Callable[P, None]:
    """Turn an error that is fit for users into one line on stderr and its exit code."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except WorkbenchError as error:
            click.echo(f"radikal: {error}", err=True)
            sys.exit(BAD_INPUT if isinstance(error, BadInputError) else FAILED)
        except OSError as error:
            place, problem = error.filename or "", storage_problem(error)
            told = (
                f"{place}: {problem}".removeprefix(": ") if problem else f"{error.strerror or error}: {place}"
            )
            click.echo(f"radikal: {told}".rstrip(": "), err=True)
            sys.exit(FAILED)

    return run


def counted(n: int, one: str, many: str = "") -> str:
    """A number with its noun, such as "1 box" or "2 boxes"; the plural is made with s unless it is told."""
    return f"{n} {one if n == 1 else many or f'{one}s'}"


def members_of_part(split: Path | None, part: str) -> list[str] | None:
    """The series and views in one part of a split list; None without a list."""
    from core.labelling.split import members_of, read_split

    return None if split is None else members_of(read_split(split), part)


def show_progress(done: int, total: int, *, of: str = "images") -> None:
    """Say on stderr how many images, or what `of` names, are done; every fiftieth where nobody watches."""
    if sys.stderr.isatty() or done == total or done % 50 == 0:
        end = "\n" if done == total or not sys.stderr.isatty() else "\r"
        sys.stderr.write(f"{done} of {total} {of}{end}")
        sys.stderr.flush()
