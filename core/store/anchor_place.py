"""A second place of anchors, apart from the database: a file elsewhere, or objects in an object store."""

from pathlib import Path
from typing import Any, Protocol

from core.audit.chain import Anchor
from core.domain.errors import ConfigurationError
from core.store.anchor_file import AnchorFile, AnchorLines, anchor_line, parsed_anchor


class AnchorPlace(Protocol):
    """Keeps anchors."""

    def append(self, anchor: Anchor) -> None:
        """Keep the anchor.

        Raises:
            OSError: it could not be written.
        """

    def read(self) -> AnchorLines:
        """Every anchor that can be read.

        Raises:
            OSError: the place cannot be reached.
        """


class AnchorObjects:
    """One object for each anchor below a URL, never written twice, so that the store may refuse changes.

    Args:
        url: of a folder, in a scheme that fsspec knows.

    Raises:
        ConfigurationError: the scheme is unknown, or needs a package that is not installed.
    """

    def __init__(self, url: str) -> None:
        from fsspec.core import url_to_fs  # late: commands that write no anchors load nothing for it

        try:
            self._files, self._folder = url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise ConfigurationError(f"AUDIT_ANCHORS_COPY: {error}") from None

    def append(self, anchor: Anchor) -> None:
        """Keep the anchor as an object of its own."""
        path = f"{self._folder.rstrip('/')}/{anchor.seq:012d}-{anchor.seal[:16]}.json"
        self._try(lambda: self._files.makedirs(self._folder, exist_ok=True))
        self._try(lambda: self._files.pipe_file(path, anchor_line(anchor)))

    def read(self) -> AnchorLines:
        """Every anchor, in the order of events."""
        self._files.invalidate_cache()
        if not self._try(lambda: self._files.exists(self._folder)):
            return AnchorLines((), ())
        paths = self._try(lambda: sorted(self._files.find(self._folder)))
        anchors, notes = [], []
        for path, line in self._try(lambda: self._files.cat(paths)).items() if paths else ():
            anchor = parsed_anchor(line)
            if anchor is not None:
                anchors.append(anchor)
            else:
                notes.append(f"{path} of the second place of anchors cannot be read")
        return AnchorLines(tuple(anchors), tuple(notes))

    @staticmethod
    def _try(call: Any) -> Any:
        """The result; every client of an object store has errors of its own."""
        try:
            return call()
        except OSError:
            raise
        except Exception as error:
            raise OSError(f"{type(error).__name__}: {error}") from error


def open_place(where: str, root: Path) -> AnchorPlace | None:
    """The second place that the setting names; None where it names none.

    Args:
        where: a URL, or the path of a file.
        root: relative paths lie below it.

    Raises:
        ConfigurationError: as `AnchorObjects`.
    """
    if not where:
        return None
    return AnchorObjects(where) if "://" in where else AnchorFile(root / where)
