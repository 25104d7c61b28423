"""Encrypting what a backup stores: AES-256-GCM in pieces, under a key that a passphrase gives."""

import hashlib
import hmac
import os
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Protocol

from core.domain.errors import BackupDamagedError

#: Bytes of content that are sealed, or read, at a time.
PIECE_BYTES = 2**20
_MAGIC = b"RKB1"
_SALT_BYTES, _TAG_BYTES = 16, 16
#: Cost of deriving the key: 64 MiB of memory, a fifth of a second.
SCRYPT_N = 2**16


class Codec(Protocol):
    """How content lies in the place of backups."""

    def name_of(self, sha256: str) -> str:
        """The name, 64 hex digits, under which content of this digest is stored."""

    def encoded(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The bytes to store."""

    def decoded(self, file: BinaryIO) -> Iterator[bytes]:
        """The content of a stored file.

        Raises:
            BackupDamagedError: it is not what was stored.
        """


class Plain:
    """Content as it is, named by its digest."""

    def name_of(self, sha256: str) -> str:
        """The digest."""
        return sha256

    def encoded(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The content."""
        return iter(pieces)

    def decoded(self, file: BinaryIO) -> Iterator[bytes]:
        """The content; whoever reads it compares the digest."""
        while piece := file.read(PIECE_BYTES):
            yield piece


class Sealed:
    """Content encrypted and authenticated; names do not tell whether a known film is among it.

    A file is `RKB1`, a random salt of 16 bytes, then pieces of up to 1 MiB, each followed by its tag. The key
    of a file is HKDF-SHA256 of the master key and its salt, so nonces never meet; a nonce is the number of
    the piece and whether it is the last: pieces cannot be left out, moved or cut off unnoticed.

    Args:
        master: 32 bytes, see `master_key`.
    """

    def __init__(self, master: bytes) -> None:
        self._master = master
        self._naming = hmac.new(master, b"radikal backup names", hashlib.sha256).digest()

    def name_of(self, sha256: str) -> str:
        """The keyed digest of the digest."""
        return hmac.new(self._naming, sha256.encode("ascii"), hashlib.sha256).hexdigest()

    def encoded(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The bytes of the file."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        salt = os.urandom(_SALT_BYTES)
        cipher = AESGCM(self._key(salt))
        yield _MAGIC + salt
        held, number = b"", 0
        for piece in pieces:
            held += piece
            while len(held) > PIECE_BYTES:  # one is kept back: it may be the last
                yield cipher.encrypt(_nonce(number, is_last=False), held[:PIECE_BYTES], _MAGIC)
                held, number = held[PIECE_BYTES:], number + 1
        yield cipher.encrypt(_nonce(number, is_last=True), held, _MAGIC)

    def decoded(self, file: BinaryIO) -> Iterator[bytes]:
        """The content, each piece after it was verified."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        head = file.read(len(_MAGIC) + _SALT_BYTES)
        if len(head) != len(_MAGIC) + _SALT_BYTES or not head.startswith(_MAGIC):
            raise BackupDamagedError("it is not what was stored")
        cipher = AESGCM(self._key(head[len(_MAGIC) :]))
        piece, number = file.read(PIECE_BYTES + _TAG_BYTES), 0
        while True:
            following = file.read(PIECE_BYTES + _TAG_BYTES)
            try:
                yield cipher.decrypt(_nonce(number, is_last=not following), piece, _MAGIC)
            except (InvalidTag, ValueError):  # a ValueError where it is shorter than a tag
                raise BackupDamagedError("it is not what was stored") from None
            if not following:
                return
            piece, number = following, number + 1

    def _key(self, salt: bytes) -> bytes:
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        return HKDF(SHA256(), 32, salt, b"radikal backup file").derive(self._master)


def master_key(passphrase: str, salt: bytes, *, cost: int = SCRYPT_N) -> bytes:
    """The 32 bytes that scrypt makes of a passphrase; `cost` is its n, with r = 8 and p = 1."""
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return Scrypt(salt, 32, cost, 8, 1).derive(passphrase.encode("utf-8"))


def check_value(master: bytes) -> str:
    """Tells a wrong passphrase from damage without telling the key."""
    return hmac.new(master, b"radikal backup check", hashlib.sha256).hexdigest()[:32]


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(8, "big") + int(is_last).to_bytes(4, "big")
