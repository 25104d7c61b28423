"""Anchors of the audit log, one JSON line each, in a file outside of the database."""

import errno
import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.audit.canonical import canonical_json
from core.audit.chain import Anchor


@dataclass(frozen=True, slots=True)
class AnchorLines:
    """Content of the file.

    Attributes:
        anchors: in the order they were written; nothing is verified.
        notes: about lines that cannot be read, such as the one a power cut left half written.
    """

    anchors: tuple[Anchor, ...]
    notes: tuple[str, ...]


class AnchorFile:
    """A file that is only ever appended to. Copy it elsewhere: somebody may put it back with the database."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, anchor: Anchor) -> None:
        """Write the anchor; it is on the disk when this returns.

        Raises:
            OSError: it could not be written.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        line = anchor_line(anchor)
        is_new = not self._path.exists()
        handle = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(handle, "r+b", buffering=0) as file:
            if self._is_torn(file.fileno()):
                line = b"\n" + line  # in one write, so that lines of two processes do not mix
            if file.write(line) != len(line):  # what is there ends the next line, which `read` names
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
            os.fsync(file.fileno())
        if is_new:
            _flush_folder(self._path.parent)

    def read(self) -> AnchorLines:
        """Every anchor that can be read; none when there is no file."""
        try:
            lines = self._path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return AnchorLines((), ())
        anchors: list[Anchor] = []
        notes: list[str] = []
        for number, line in enumerate(lines, 1):
            if not line:
                continue
            anchor = parsed_anchor(line)
            if anchor is not None:
                anchors.append(anchor)
            else:
                notes.append(f"line {number} of the anchors cannot be read: half written, or damaged")
        return AnchorLines(tuple(anchors), tuple(notes))

    @staticmethod
    def _is_torn(handle: int) -> bool:
        size = os.fstat(handle).st_size
        return size > 0 and os.pread(handle, 1, size - 1) != b"\n"


def _flush_folder(folder: Path) -> None:
    """Make a new file in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def anchor_line(anchor: Anchor) -> bytes:
    """The anchor as one line of JSON."""
    content = {
        "seq": anchor.seq,
        "hash": anchor.hash,
        "at": anchor.at,
        "key_id": anchor.key_id,
        "seal": anchor.seal,
    }
    return canonical_json(content) + b"\n"


def parsed_anchor(line: bytes) -> Anchor | None:
    """The anchor that the line holds, None where it cannot be read."""
    try:
        content = json.loads(line)
        at = datetime.fromisoformat(content["at"])
        anchor = Anchor(
            int(content["seq"]), str(content["hash"]), at, str(content["key_id"]), str(content["seal"])
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return anchor if at.tzinfo is not None else None
