"""Many files at once: files, folders and archives taken apart; one that fails does not stop the others."""

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.cli.conventions import show_progress
from core.domain.errors import BadInputError, WorkbenchError

if TYPE_CHECKING:
    from core.imaging.uploads import IncomingFile

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Failures:
    """Files of a batch that could not be done, each told on stderr when it happens.

    Attributes:
        n_refused: are no radiographs that can be read.
        n_failed: failed for another reason.
    """

    n_refused: int = 0
    n_failed: int = 0

    @contextmanager
    def told(self, name: str) -> Iterator[None]:
        """Count and tell, in one line, whatever goes wrong with the file `name` inside; the batch goes on."""
        try:
            yield
        except BadInputError as error:
            self.n_refused += 1
            click.echo(f"radikal: {error}", err=True)
        except WorkbenchError as error:
            self.n_failed += 1
            click.echo(f"radikal: {error} ({name})", err=True)
        except OSError as error:
            self.n_failed += 1
            click.echo(f"radikal: {error.strerror or error}: {error.filename or name}", err=True)
        except Exception as error:  # the edge of one file: told, the next one goes on
            self.n_failed += 1
            log.debug("%s failed", name, exc_info=True)
            first = (str(error).splitlines() or [""])[0]
            click.echo(f"radikal: {name} failed unexpectedly: {type(error).__name__}: {first}", err=True)


def incoming(paths: Sequence[Path], failures: Failures) -> Iterator[tuple[str, "IncomingFile"]]:
    """How to call it, and the file or frame, of every radiograph at `paths`: files, archives, folders.

    Stray files of folders are named on stderr and are no failures. One file is held at once.
    """
    from core.imaging.uploads import told_skipped

    listed = _listed(paths, failures)
    skipped: list[str] = []
    for n_done, (path, below) in enumerate(listed, 1):
        found: list[tuple[str, IncomingFile]] = []
        with failures.told(path.name):
            found = _taken_apart(path, below, skipped)
        for name, file in found:
            yield from _frames_of(name, file, failures)
        if sys.stderr.isatty():
            show_progress(n_done, len(listed))
    if skipped:
        click.echo(f"radikal: {told_skipped(skipped)}", err=True)


def _listed(paths: Sequence[Path], failures: Failures) -> list[tuple[Path, Path | None]]:
    """Every file, with the folder that it was found in; None for one that was named itself."""
    from core.imaging.uploads import files_below

    listed: list[tuple[Path, Path | None]] = []
    for path in paths:
        if not path.is_dir():
            listed.append((path, None))
            continue
        with failures.told(path.name):
            listed += [(file, path) for file in files_below(path)]
    return listed


def _taken_apart(path: Path, below: Path | None, skipped: list[str]) -> "list[tuple[str, IncomingFile]]":
    """The file, or the members of the archive; nothing, and noted, for a stray file of a folder."""
    from core.imaging.archive import is_archive
    from core.imaging.read import read_file
    from core.imaging.uploads import may_be_radiograph, unpack

    data = read_file(path)
    if below is not None and not may_be_radiograph(str(path.relative_to(below)), lambda: data):
        skipped.append(str(path.relative_to(below)))
        return []
    files = unpack(data, path.name)
    return [(str(path / file.name) if is_archive(data) else str(path), file) for file in files]


def _frames_of(name: str, file: "IncomingFile", failures: Failures) -> "Iterator[tuple[str, IncomingFile]]":
    """The file, or each of its frames where a member of an archive turns out to hold several."""
    from core.imaging.uploads import frames_in

    files: tuple[IncomingFile, ...] = ()
    with failures.told(file.name):
        files = (file,) if file.frame is not None else frames_in(file.read(), file.name)
    for one in files:
        yield name, one
