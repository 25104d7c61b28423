"""Objects below a URL of an object store, by fsspec: whole or not there, errors in one sentence."""

import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

from core.domain.errors import ConfigurationError
from core.domain.storage import StorageError

_T = TypeVar("_T")
#: Bytes that are fetched at a time where an object is read in pieces.
_BLOCK_BYTES = 16 * 2**20
#: A store that is away is told of after seconds: nobody waits at a page for longer.
_S3_CONFIG = {"connect_timeout": 5, "read_timeout": 60, "retries": {"max_attempts": 3, "mode": "standard"}}


class ObjectStoreError(StorageError):
    """The object store could not do what was asked; what it held before is as it was."""


class ObjectMissingError(ObjectStoreError):
    """There is no such object."""


@dataclass(frozen=True, slots=True)
class ObjectEntry:
    """An object as it is listed: its name below the URL, its size, and when it was written (UTC)."""

    name: str
    n_bytes: int
    written_at: datetime


class Objects:
    """The objects below one URL.

    A write is one request, or an upload in parts that counts only when its last request is done: an object is
    there whole or not at all, and S3's client sends a checksum that the server compares. Keys and address
    come from where the tools of S3 look for them: `AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, a role.

    Args:
        url: of a folder, in a scheme that fsspec knows, such as `s3://bucket/folder`.
        setting: what names it, for messages.

    Raises:
        ConfigurationError: the scheme is unknown, or needs a package that is not installed.
    """

    def __init__(self, url: str, setting: str) -> None:
        from fsspec import config
        from fsspec.core import url_to_fs  # late: who keeps files in folders loads nothing for it

        options: dict[str, Any] = {"skip_instance_cache": True, "use_listings_cache": False}
        if url.startswith(("s3://", "s3a://")) and "config_kwargs" not in config.conf.get("s3", {}):
            options["config_kwargs"] = _S3_CONFIG
        try:
            self._files, self._folder = url_to_fs(url, **options)
        except ImportError:
            raise ConfigurationError(
                f"{setting}: {url.partition(':')[0]}:// needs packages that are not installed: "
                "pip install .[scale] in the folder of RadiKal"
            ) from None
        except ValueError as error:
            raise ConfigurationError(f"{setting}: {error}") from None
        if not self._folder.strip("/"):
            raise ConfigurationError(f"{setting}: expected a URL such as s3://bucket/folder, got {url!r}")
        self._folder = self._folder.rstrip("/")
        self._setting = setting
        self.url = url.rstrip("/")

    def has(self, name: str) -> bool:
        """True when the object is there; it is not read."""
        return self.entry(name) is not None

    def entry(self, name: str) -> ObjectEntry | None:
        """What is known of the object without reading it; None when it is not there."""
        with contextlib.suppress(ObjectMissingError):
            return _entry(name, self._asked(lambda: self._files.info(self._path(name))))
        return None

    def read(self, name: str) -> bytes:
        """The object.

        Raises:
            ObjectMissingError: it is not there.
        """
        return cast("bytes", self._asked(lambda: self._files.cat_file(self._path(name))))

    def opened(self, name: str) -> BinaryIO:
        """The object as a file to read in pieces.

        Raises:
            ObjectMissingError: it is not there.
        """
        path = self._path(name)
        file = self._asked(
            lambda: self._files.open(path, "rb", block_size=_BLOCK_BYTES, cache_type="readahead")
        )
        return cast("BinaryIO", io.BufferedReader(_Reading(file, self._asked), _BLOCK_BYTES))

    def write(self, name: str, data: bytes) -> None:
        """Make the object hold `data`, whatever it held."""
        self._asked(lambda: self._prepared(name).pipe_file(self._path(name), data))

    def write_file(self, name: str, file: Path) -> None:
        """Make the object hold what the file holds."""
        self._asked(lambda: self._prepared(name).put_file(str(file), self._path(name)))

    def create(self, name: str, data: bytes) -> bool:
        """Make the object; False, and nothing changed, when there is one already (asked of the server)."""
        try:
            self._asked(lambda: self._prepared(name).pipe_file(self._path(name), data, mode="create"))
        except ObjectStoreError as error:
            if isinstance(error.__cause__, FileExistsError) or "PreconditionFailed" in str(error.__cause__):
                return False
            raise
        return True

    def remove(self, name: str) -> None:
        """Remove the object; does nothing when it is not there."""
        with contextlib.suppress(ObjectMissingError):
            self._asked(lambda: self._files.rm_file(self._path(name)))

    def entries(self, folder: str = "") -> Iterator[ObjectEntry]:
        """Every object below a folder, in the order of their names."""
        root = self._path(folder) if folder else self._folder
        try:
            found = self._asked(lambda: self._files.find(root, detail=True))
        except ObjectMissingError:
            return
        for path in sorted(found):
            name = str(path).removeprefix(self._folder).lstrip("/")
            yield _entry(name, found[path])

    def _path(self, name: str) -> str:
        return f"{self._folder}/{name}"

    def _prepared(self, name: str) -> Any:
        """The file system; folders are made in those that have some."""
        if "s3" not in self._files.protocol:
            self._files.makedirs(self._path(name).rpartition("/")[0], exist_ok=True)
        return self._files

    def _asked(self, call: Callable[[], _T]) -> _T:
        """The result; every client of an object store has errors of its own."""
        try:
            return call()
        except FileNotFoundError as error:
            if "bucket" in str(error).lower():
                raise ObjectStoreError(f"{self._setting}: {self.url}: {_told(error)}") from error
            raise ObjectMissingError(f"{self._setting}: {self.url}: there is no such object") from error
        except Exception as error:
            raise ObjectStoreError(
                f"{self._setting}: the object store {self.url} does not do it: {_told(error)}; what it held "
                "before is as it was. Please try again when it answers"
            ) from error


class _Reading(io.RawIOBase):
    """A file of fsspec whose errors are ours."""

    def __init__(self, file: Any, asked: Callable[[Callable[[], Any]], Any]) -> None:
        self._file, self._asked = file, asked

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Number of bytes that were read into `buffer`."""
        piece = self._asked(lambda: self._file.read(len(buffer)))
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        """Close it."""
        self._file.close()
        super().close()


def _entry(name: str, info: dict[str, Any]) -> ObjectEntry:
    written = info.get("LastModified") or info.get("created") or info.get("mtime")
    if isinstance(written, (int, float)):
        written = datetime.fromtimestamp(written, UTC)
    return ObjectEntry(name, int(info["size"]), written if isinstance(written, datetime) else datetime.max)


def _told(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
