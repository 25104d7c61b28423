"""A place of backups: contents by their digest, shared by all of them, and one manifest for each."""

import hashlib
import json
import os
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.domain.errors import BackupDamagedError, BackupPlaceError
from core.store.backups.files import MANIFESTS, OBJECTS, FolderFiles, PlaceFiles
from core.store.backups.manifest import Manifest, manifest_text, parsed_manifest
from core.store.backups.object_files import ObjectFiles
from core.store.backups.sealing import PIECE_BYTES, SCRYPT_N, Codec, Plain, Sealed, check_value, master_key
from core.store.objects import Objects

_ABOUT = "backups.json"
_NAME = re.compile(r"(\d{8}T\d{6}\d{3}Z)-([0-9a-f]{16})")
_FORMAT = 1
_SHORTEST_PASSPHRASE = 12


@dataclass(frozen=True, slots=True)
class Stored:
    """Content as it was stored: its digest and size, and whether it was there before."""

    sha256: str
    n_bytes: int
    is_new: bool


class BackupPlace:
    """A place of backups; see `open_place`, which makes one.

    A content is read back and compared before it counts, see `PlaceFiles`; a manifest is written last, in the
    same way, and named by its own digest. So whatever is cut off leaves contents that no manifest names,
    never a backup that looks whole.

    Args:
        files: where it is.
        codec: how contents lie in it.
    """

    def __init__(self, files: PlaceFiles, codec: Codec) -> None:
        self._files = files
        self._codec = codec

    @property
    def where(self) -> str:
        """The place, for people."""
        return self._files.where

    @property
    def folder(self) -> Path | None:
        """Its folder; None in an object store."""
        return self._files.folder

    @property
    def is_sealed(self) -> bool:
        """True when everything in it is encrypted."""
        return isinstance(self._codec, Sealed)

    def locked(self) -> AbstractContextManager[None]:
        """Nobody else writes here meanwhile.

        Raises:
            BackupPlaceError: somebody does.
        """
        return self._files.locked()

    def has(self, sha256: str) -> bool:
        """True when content of this digest is stored; it is not read."""
        return self._files.has(self.stored_as(sha256))

    def put(self, pieces: Iterable[bytes], *, sha256: str | None = None) -> Stored:
        """Store content.

        Args:
            pieces: of it, one after the other.
            sha256: the digest it has to have; None for whatever it has.

        Raises:
            BackupDamagedError: it has another digest, or could not be read back; nothing was stored.
            StorageError: the object store does not answer.
            OSError: it could not be written, or read.
        """
        counted = _Counted(pieces)

        def named() -> str:
            found = counted.digest.hexdigest()
            if sha256 not in (None, found):
                raise BackupDamagedError(f"its digest is {found[:12]}, not {str(sha256)[:12]}")
            return self.stored_as(found)

        is_new = self._files.keep(
            self._codec.encoded(counted),
            named,
            lambda file: self._read_back(file, counted.digest.hexdigest()),
        )
        return Stored(counted.digest.hexdigest(), counted.n_bytes, is_new)

    def read(self, sha256: str) -> Iterator[bytes]:
        """The content of this digest, piece by piece; the last one only when the digest is right.

        Raises:
            BackupDamagedError: it is missing, or not what was stored.
            StorageError: the object store does not answer.
        """
        try:
            with self._files.opened(self.stored_as(sha256)) as file:
                yield from _verified(self._codec.decoded(file), sha256)
        except FileNotFoundError:
            raise BackupDamagedError("it is missing") from None

    def stored_as(self, sha256: str) -> str:
        """The name in the place of content of this digest, whether it is there or not."""
        name = self._codec.name_of(sha256)
        return f"{OBJECTS}/{name[:2]}/{name}"

    def names(self) -> list[str]:
        """Names of the backups here, the oldest first; nothing is read."""
        stems = (
            name.removesuffix(".json") for name in self._files.names(MANIFESTS) if name.endswith(".json")
        )
        return sorted(stem for stem in stems if _NAME.fullmatch(stem))

    def manifest(self, name: str) -> Manifest:
        """The manifest of that backup, verified.

        Raises:
            BackupPlaceError: there is none of that name.
            BackupDamagedError: it is not what was stored.
        """
        match = _NAME.fullmatch(name)
        if match is None or not self._files.has(_manifest_name(name)):
            known = ", ".join(self.names()[-3:]) or "none"
            raise BackupPlaceError(f"{self.where} holds no backup {name!r}; the newest: {known}")
        try:
            with self._files.opened(_manifest_name(name)) as file:
                text = b"".join(self._codec.decoded(file))
            if hashlib.sha256(text).hexdigest()[:16] != match[2]:
                raise BackupDamagedError("its manifest was changed")
            return parsed_manifest(text)
        except BackupDamagedError as error:
            raise BackupDamagedError(
                f"the backup {name} cannot be used: {error}{self._others(name)}"
            ) from None

    def add_manifest(self, manifest: Manifest) -> str:
        """The name of the backup, which is there from now on."""
        text = manifest_text(manifest)
        stamp = f"{manifest.begun_at:%Y%m%dT%H%M%S%f}"[:-3] + "Z"
        name = f"{stamp}-{hashlib.sha256(text).hexdigest()[:16]}"
        digest = hashlib.sha256(text).hexdigest()
        self._files.keep(
            self._codec.encoded([text]),
            lambda: _manifest_name(name),
            lambda file: self._read_back(file, digest),
        )
        return name

    def remove(self, name: str) -> None:
        """Remove the manifest of that backup; `sweep` removes what only it named."""
        self._files.remove(_manifest_name(name))

    def sweep(self, kept: Collection[str]) -> int:
        """Remove contents that are not among the digests `kept`, and what was cut off; bytes freed.

        Only while locked.
        """
        return self._files.sweep({self._codec.name_of(sha256) for sha256 in kept})

    def _others(self, name: str) -> str:
        others = [other for other in self.names() if other != name]
        return (
            f"; others are not touched by that, name one with --backup, e.g. {others[-1]}" if others else ""
        )

    def _read_back(self, file: BinaryIO, sha256: str) -> None:
        try:
            for _ in _verified(self._codec.decoded(file), sha256):
                pass
        except BackupDamagedError:
            raise BackupDamagedError(
                f"what was written to {self.where} reads back as something else: is the storage failing?"
            ) from None


def open_place(root: Path | str, passphrase: str | None, *, new_sealed: bool | None = None) -> BackupPlace:
    """The place of backups at `root`.

    Args:
        root: the folder, or the URL of one in an object store.
        passphrase: of an encrypted place.
        new_sealed: make the place where there is none, encrypted or not; None makes none.

    Raises:
        BackupPlaceError: there are no backups, the folder holds something else, or the passphrase is missing,
            too short or wrong.
    """
    files = (
        FolderFiles(root) if isinstance(root, Path) else ObjectFiles(Objects(root, "the place of backups"))
    )
    if not files.has(_ABOUT):
        if new_sealed is None:
            raise BackupPlaceError(f"{root} holds no backups")
        _make_place(files, passphrase if new_sealed else None, is_sealed=new_sealed)
    try:
        with files.opened(_ABOUT) as file:
            content = json.loads(file.read().decode("utf-8"))
        is_sealed, known = bool(content["encrypted"]), content["format"] == _FORMAT
        key = (bytes.fromhex(content["salt"]), int(content["cost"])) if is_sealed else None
        check = content["check"] if is_sealed else ""
    except (ValueError, KeyError, TypeError) as error:
        raise BackupDamagedError(
            f"{_ABOUT} in {root} is damaged ({error}): put it back, it is needed to read {root}"
        ) from None
    if not known:
        raise BackupPlaceError(f"a later release wrote the backups in {root}: install that one")
    if key is None:
        if new_sealed:
            raise BackupPlaceError(
                f"the backups in {root} are not encrypted: name another folder for those that are"
            )
        return BackupPlace(files, Plain())
    if not passphrase:
        raise BackupPlaceError(
            f"the backups in {root} are encrypted: put the passphrase into BACKUP_PASSPHRASE, or into a file "
            "for --passphrase-file"
        )
    master = master_key(passphrase, key[0], cost=key[1])
    if check_value(master) != check:
        raise BackupPlaceError(f"wrong passphrase for the backups in {root}")
    return BackupPlace(files, Sealed(master))


def _make_place(files: PlaceFiles, passphrase: str | None, *, is_sealed: bool) -> None:
    if not files.is_empty():
        raise BackupPlaceError(
            f"{files.where} holds something else than backups: name an empty folder, or a new one"
        )
    content: dict[str, object] = {"format": _FORMAT, "encrypted": is_sealed}
    if is_sealed:
        if len(passphrase or "") < _SHORTEST_PASSPHRASE:
            raise BackupPlaceError(
                f"to encrypt, a passphrase of at least {_SHORTEST_PASSPHRASE} characters is needed, in "
                "BACKUP_PASSPHRASE or in a file for --passphrase-file"
            )
        salt = os.urandom(16)
        check = check_value(master_key(str(passphrase), salt))
        content |= {"salt": salt.hex(), "cost": SCRYPT_N, "check": check}
    files.prepare()
    text = (json.dumps(content, indent=1) + "\n").encode("utf-8")
    files.keep([text], lambda: _ABOUT, lambda _: None)


def _manifest_name(name: str) -> str:
    return f"{MANIFESTS}/{name}.json"


class _Counted:
    """Passes pieces on, and knows their digest and size when all have gone by."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self.digest = hashlib.sha256()
        self.n_bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.digest.update(piece)
            self.n_bytes += len(piece)
            yield piece


def _verified(pieces: Iterable[bytes], sha256: str) -> Iterator[bytes]:
    """The pieces, the last of them only when all together have this digest."""
    digest, held = hashlib.sha256(), None
    for piece in pieces:
        digest.update(piece)
        if held is not None:
            yield held
        held = piece
    if digest.hexdigest() != sha256:
        raise BackupDamagedError("it is not what was stored")
    if held is not None:
        yield held


def pieces_of(path: Path) -> Iterator[bytes]:
    """The content of a file, piece by piece."""
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece
