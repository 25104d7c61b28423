"""A folder of backups: contents by their digest, shared by all of them, and one manifest for each."""

import fcntl
import hashlib
import json
import os
import re
import secrets
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.domain.errors import BackupDamagedError, BackupPlaceError
from core.store.backups.manifest import Manifest, manifest_text, parsed_manifest
from core.store.backups.sealing import PIECE_BYTES, SCRYPT_N, Codec, Plain, Sealed, check_value, master_key
from core.store.private_files import FOLDER_MODE

_ABOUT, _LOCK, _OBJECTS, _MANIFESTS = "backups.json", ".lock", "objects", "manifests"
_INCOMING = ".incoming-"
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
    """A folder that holds backups; see `open_place`, which makes one.

    A content is written to a temporary file, flushed, read back and compared, then renamed to its digest; a
    manifest is written last, in the same way, and named by its own digest. So whatever is cut off leaves
    contents that no manifest names, never a backup that looks whole.

    Args:
        root: the folder.
        codec: how contents lie in it.
    """

    def __init__(self, root: Path, codec: Codec) -> None:
        self.root = root
        self._codec = codec

    @property
    def is_sealed(self) -> bool:
        """True when everything in it is encrypted."""
        return isinstance(self._codec, Sealed)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else writes here meanwhile.

        Raises:
            BackupPlaceError: somebody does.
        """
        handle = os.open(self.root / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BackupPlaceError(
                    f"another backup to {self.root} is under way; try again when it is done"
                ) from None
            yield
        finally:
            os.close(handle)

    def has(self, sha256: str) -> bool:
        """True when content of this digest is stored; it is not read."""
        return self.stored_as(sha256).is_file()

    def put(self, pieces: Iterable[bytes], *, sha256: str | None = None) -> Stored:
        """Store content.

        Args:
            pieces: of it, one after the other.
            sha256: the digest it has to have; None for whatever it has.

        Raises:
            BackupDamagedError: it has another digest, or could not be read back; nothing was stored.
            OSError: it could not be written, or read.
        """
        counted = _Counted(pieces)
        temporary = self._written(self._codec.encoded(counted))
        try:
            found = counted.digest.hexdigest()
            if sha256 not in (None, found):
                raise BackupDamagedError(f"its digest is {found[:12]}, not {str(sha256)[:12]}")
            self._read_back(temporary, found)
            target = self.stored_as(found)
            if target.is_file():
                return Stored(found, counted.n_bytes, is_new=False)
            _made(target.parent)
            temporary.rename(target)
            _flush(target.parent)
            return Stored(found, counted.n_bytes, is_new=True)
        finally:
            temporary.unlink(missing_ok=True)

    def read(self, sha256: str) -> Iterator[bytes]:
        """The content of this digest, piece by piece; the last one only when the digest is right.

        Raises:
            BackupDamagedError: it is missing, or not what was stored.
        """
        try:
            with self.stored_as(sha256).open("rb") as file:
                yield from _verified(self._codec.decoded(file), sha256)
        except FileNotFoundError:
            raise BackupDamagedError("it is missing") from None

    def stored_as(self, sha256: str) -> Path:
        """The file for content of this digest, whether it is there or not."""
        name = self._codec.name_of(sha256)
        return self.root / _OBJECTS / name[:2] / name

    def names(self) -> list[str]:
        """Names of the backups here, the oldest first; nothing is read."""
        folder = self.root / _MANIFESTS
        return sorted(path.stem for path in folder.glob("*.json") if _NAME.fullmatch(path.stem))

    def manifest(self, name: str) -> Manifest:
        """The manifest of that backup, verified.

        Raises:
            BackupPlaceError: there is none of that name.
            BackupDamagedError: it is not what was stored.
        """
        match = _NAME.fullmatch(name)
        if match is None or not self._manifest_path(name).is_file():
            known = ", ".join(self.names()[-3:]) or "none"
            raise BackupPlaceError(f"{self.root} holds no backup {name!r}; the newest: {known}")
        try:
            with self._manifest_path(name).open("rb") as file:
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
        temporary = self._written(self._codec.encoded([text]))
        try:
            self._read_back(temporary, hashlib.sha256(text).hexdigest())
            temporary.rename(self._manifest_path(name))
        finally:
            temporary.unlink(missing_ok=True)
        _flush(self.root / _MANIFESTS)
        return name

    def remove(self, name: str) -> None:
        """Remove the manifest of that backup; `sweep` removes what only it named."""
        self._manifest_path(name).unlink()
        _flush(self.root / _MANIFESTS)

    def sweep(self, kept: Collection[str]) -> int:
        """Remove contents that are not among the digests `kept`, and what was cut off; bytes freed.

        Only while locked.
        """
        names, freed = {self._codec.name_of(sha256) for sha256 in kept}, 0
        for path in [*(self.root / _OBJECTS).glob("??/*"), *self.root.glob(f"{_INCOMING}*")]:
            if path.name not in names:
                freed += path.stat().st_size
                path.unlink()
        return freed

    def _manifest_path(self, name: str) -> Path:
        return self.root / _MANIFESTS / f"{name}.json"

    def _others(self, name: str) -> str:
        others = [other for other in self.names() if other != name]
        return (
            f"; others are not touched by that, name one with --backup, e.g. {others[-1]}" if others else ""
        )

    def _written(self, pieces: Iterable[bytes]) -> Path:
        temporary = self.root / f"{_INCOMING}{secrets.token_hex(8)}"
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                for piece in pieces:
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
                if hasattr(os, "posix_fadvise"):  # so that it is read back from the disk, not from memory
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return temporary

    def _read_back(self, path: Path, sha256: str) -> None:
        try:
            with path.open("rb") as file:
                for _ in _verified(self._codec.decoded(file), sha256):
                    pass
        except BackupDamagedError:
            raise BackupDamagedError(
                f"what was written to {self.root} reads back as something else: is the disk failing?"
            ) from None


def open_place(root: Path, passphrase: str | None, *, new_sealed: bool | None = None) -> BackupPlace:
    """The place of backups at `root`.

    Args:
        root: the folder.
        passphrase: of an encrypted place.
        new_sealed: make the place where there is none, encrypted or not; None makes none.

    Raises:
        BackupPlaceError: there are no backups, the folder holds something else, or the passphrase is missing,
            too short or wrong.
    """
    about = root / _ABOUT
    if not about.is_file():
        if new_sealed is None:
            raise BackupPlaceError(f"{root} holds no backups")
        _make_place(root, passphrase if new_sealed else None, is_sealed=new_sealed)
    try:
        content = json.loads(about.read_text(encoding="utf-8"))
        is_sealed, known = bool(content["encrypted"]), content["format"] == _FORMAT
        key = (bytes.fromhex(content["salt"]), int(content["cost"])) if is_sealed else None
        check = content["check"] if is_sealed else ""
    except (ValueError, KeyError, TypeError) as error:
        raise BackupDamagedError(
            f"{about} is damaged ({error}): put it back, it is needed to read {root}"
        ) from None
    if not known:
        raise BackupPlaceError(f"a later release wrote the backups in {root}: install that one")
    if key is None:
        if new_sealed:
            raise BackupPlaceError(
                f"the backups in {root} are not encrypted: name another folder for those that are"
            )
        return BackupPlace(root, Plain())
    if not passphrase:
        raise BackupPlaceError(
            f"the backups in {root} are encrypted: put the passphrase into BACKUP_PASSPHRASE, or into a file "
            "for --passphrase-file"
        )
    master = master_key(passphrase, key[0], cost=key[1])
    if check_value(master) != check:
        raise BackupPlaceError(f"wrong passphrase for the backups in {root}")
    return BackupPlace(root, Sealed(master))


def _make_place(root: Path, passphrase: str | None, *, is_sealed: bool) -> None:
    if root.is_dir() and any(root.iterdir()):
        raise BackupPlaceError(
            f"{root} holds something else than backups: name an empty folder, or a new one"
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
    for folder in (root, root / _OBJECTS, root / _MANIFESTS):
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    temporary = root / f"{_INCOMING}{secrets.token_hex(8)}"
    with temporary.open("w", encoding="utf-8") as file:
        file.write(json.dumps(content, indent=1) + "\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(root / _ABOUT)
    _flush(root)


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


def _made(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
        _flush(folder.parent)


def _flush(folder: Path) -> None:
    """Make new names in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
