"""Encrypted contents: what comes back, and that nothing else does."""

import io

import pytest

from core.domain.errors import BackupDamagedError
from core.store.backups.sealing import PIECE_BYTES, Sealed, check_value, master_key

KEY = Sealed(b"k" * 32)
PIECE = PIECE_BYTES + 16


def sealed(content: bytes) -> bytes:
    pieces = [content[i : i + 700_001] for i in range(0, len(content), 700_001)]
    return b"".join(KEY.encoded(pieces))


def opened(stored: bytes, codec: Sealed = KEY) -> bytes:
    return b"".join(codec.decoded(io.BytesIO(stored)))


def content(n_bytes: int) -> bytes:
    return bytes(range(256)) * (n_bytes // 256) + bytes(n_bytes % 256)


@pytest.mark.parametrize(
    "n_bytes", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 2 * PIECE_BYTES, 2 * PIECE_BYTES + 5]
)
def test_what_was_sealed_comes_back(n_bytes: int) -> None:
    assert opened(sealed(content(n_bytes))) == content(n_bytes)


def test_the_same_content_is_sealed_differently_each_time_under_the_same_name() -> None:
    assert sealed(b"film") != sealed(b"film")
    assert KEY.name_of("a" * 64) == KEY.name_of("a" * 64) != Sealed(b"j" * 32).name_of("a" * 64)


@pytest.mark.parametrize("place", [0, 3, 4, 19, 20, 21, 20 + PIECE, -1, -17])
def test_a_changed_byte_is_noticed(place: int) -> None:
    stored = bytearray(sealed(content(PIECE_BYTES + 9)))
    stored[place] ^= 1
    with pytest.raises(BackupDamagedError):
        opened(bytes(stored))


def test_pieces_cannot_be_left_out_swapped_added_or_taken_from_another_file() -> None:
    stored, other = sealed(content(3 * PIECE_BYTES)), sealed(content(3 * PIECE_BYTES))
    head, a, b, c = (
        stored[:20],
        stored[20 : 20 + PIECE],
        stored[20 + PIECE : 20 + 2 * PIECE],
        stored[20 + 2 * PIECE :],
    )
    for forged in (head, head + a, head + a + b, head + b + a + c, head + a + c, head + a + b + c + c,
                   other[:20] + a + b + c, b""):  # fmt: skip
        with pytest.raises(BackupDamagedError):
            opened(forged)


def test_another_passphrase_or_salt_is_another_key() -> None:
    keys = {
        master_key(*given, cost=16) for given in (("one", b"s" * 16), ("two", b"s" * 16), ("one", b"t" * 16))
    }
    assert len(keys) == len({check_value(key) for key in keys}) == 3
    assert master_key("one", b"s" * 16, cost=16) in keys
