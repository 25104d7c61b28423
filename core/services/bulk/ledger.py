"""What a run over an archive has read so far: one file of SQLite, so that a run that was killed goes on."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core.domain.errors import BadInputError
from core.services.bulk.archive import ArchiveFile
from core.services.bulk.reader import FileOutcome

FILE = "ledger.db"
_TABLES = """
CREATE TABLE IF NOT EXISTS run (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS files (
    name TEXT PRIMARY KEY, stamp TEXT NOT NULL, is_radiograph INTEGER NOT NULL, problems TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS pictures (
    file TEXT NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL, frame INTEGER NOT NULL,
    PRIMARY KEY (file, path, frame)
) STRICT;
CREATE TABLE IF NOT EXISTS readings (
    sha256 TEXT NOT NULL, frame INTEGER NOT NULL, document TEXT NOT NULL, PRIMARY KEY (sha256, frame)
) STRICT;
"""


class Ledger:
    """Files and readings of one run. One process writes it.

    A file counts once its outcome was stored, in one transaction with its readings. Two files of the same
    content have one reading.

    Args:
        folder: of the run; made when it is not there.
        run: what must not change when the run goes on, such as the version that reads.

    Raises:
        BadInputError: the folder holds a run of another kind.
    """

    def __init__(self, folder: Path, run: Mapping[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(folder / FILE, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(_TABLES)
        for name, value in run.items():
            self._database.execute("INSERT OR IGNORE INTO run VALUES (?, ?)", (name, value))
        for name, value in self._database.execute("SELECT name, value FROM run"):
            if run.get(name) != value:
                self.close()
                raise BadInputError(
                    f"{folder} holds a run with {name} {value}, not {run.get(name, 'none')}; "
                    "give another --out, or the same model and place"
                )

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def open_files(self, listed: tuple[ArchiveFile, ...]) -> list[ArchiveFile]:
        """Those of the listed files that were not read as they are now."""
        done = dict(self._database.execute("SELECT name, stamp FROM files"))
        return [file for file in listed if done.get(file.name) != file.stamp]

    def keep(self, outcome: FileOutcome) -> None:
        """Store what came of a file, all of it or nothing."""
        database = self._database
        database.execute("BEGIN IMMEDIATE")
        try:
            database.execute("DELETE FROM pictures WHERE file = ?", (outcome.name,))
            for one in outcome.readings:
                database.execute(
                    "INSERT OR IGNORE INTO readings VALUES (?, ?, ?)", (one.sha256, one.frame, one.document)
                )
                database.execute(
                    "INSERT OR REPLACE INTO pictures VALUES (?, ?, ?, ?)",
                    (outcome.name, one.path, one.sha256, one.frame),
                )
            database.execute(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)",
                (outcome.name, outcome.stamp, outcome.is_radiograph, json.dumps(outcome.problems)),
            )
        except BaseException:
            database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")

    def counts(self) -> dict[str, int]:
        """Files by what they are, distinct pictures, and files that had a problem."""
        asked = {
            "files": "SELECT count(*) FROM files",
            "other_files": "SELECT count(*) FROM files WHERE NOT is_radiograph",
            "pictures": "SELECT count(*) FROM pictures",
            "readings": "SELECT count(*) FROM readings",
            "files_with_problems": "SELECT count(*) FROM files WHERE problems <> '[]'",
        }
        return {name: int(self._database.execute(sql).fetchone()[0]) for name, sql in asked.items()}

    def readings(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """File and document of each picture, in the order of the files' names."""
        rows = self._database.execute(
            "SELECT file, path, document FROM pictures JOIN readings USING (sha256, frame) "
            "ORDER BY file, path, frame"
        )
        for file, path, packed in rows:
            document = json.loads(packed)
            document["image"]["path"] = path
            yield file, document

    def problems(self) -> Iterator[tuple[str, str]]:
        """File and sentence of whatever could not be read."""
        rows = self._database.execute("SELECT name, problems FROM files WHERE problems <> '[]' ORDER BY name")
        for name, problems in rows:
            yield from ((name, problem) for problem in json.loads(problems))
