"""TIFF's LZW, decoded with whole-array steps (TIFF 6.0, section 13).

Between two Clear codes the width of every code is known beforehand, and the string of table entry k
is a slice of the output: that of code k and one byte more. So codes are cut out, measured and
resolved to literals a block at a time, by pointer doubling, instead of one by one.
"""

import numpy as np
import numpy.typing as npt

_CLEAR, _END, _FIRST_ENTRY = 256, 257, 258
#: Index after a Clear from which codes are 10, 11 and 12 bit wide: one early, as TIFF does it.
_WIDENS_AT = (511 - 257, 1023 - 257, 2047 - 257)
#: A writer clears its table when it is full, after some 40,000 bits. A short block costs as much.
_FREE_BLOCKS, _MIN_BLOCK_BITS = 16, 2048
_MAX_BLOCK = 4096 - _FIRST_ENTRY + 2

_WIDTHS = 9 + np.searchsorted(np.array(_WIDENS_AT), np.arange(_MAX_BLOCK), side="right")
_ENDS = np.cumsum(_WIDTHS)
_STARTS = _ENDS - _WIDTHS

Bytes = npt.NDArray[np.uint8]
Index = npt.NDArray[np.int64]


def decode_lzw(data: bytes, n_expected: int) -> bytes:
    """The first `n_expected` bytes that `data` unpacks to.

    Raises:
        ValueError: when the stream is damaged, of the old bit order, or gives too few bytes.
    """
    if data[:2] == b"\x00\x01":
        raise ValueError("old-style LZW is not supported")
    padded = np.frombuffer(data + b"\x00\x00\x00", np.uint8).astype(np.int64)
    blocks, n_out, bit, n_bits = [], 0, 0, len(data) * 8
    is_ended = False
    n_blocks_left = _FREE_BLOCKS + n_bits // _MIN_BLOCK_BITS
    while n_out < n_expected and not is_ended:
        n_codes = int(np.searchsorted(_ENDS, n_bits - bit, side="right"))
        if n_codes == 0:
            break
        if n_blocks_left == 0:
            raise ValueError("LZW table is cleared again and again")
        n_blocks_left -= 1
        codes = _cut(padded, bit, n_codes)
        stops = np.flatnonzero((codes == _CLEAR) | (codes == _END))
        n_block = int(stops[0]) if len(stops) else n_codes
        is_ended = not len(stops) or codes[n_block] == _END
        bit += int(_ENDS[min(n_block, n_codes - 1)])
        if n_block:
            block = _expand(codes[:n_block])
            blocks.append(block)
            n_out += len(block)
    if n_out < n_expected:
        raise ValueError(f"LZW data end after {n_out} of {n_expected} bytes")
    return np.concatenate(blocks)[:n_expected].tobytes() if blocks else b""


def _cut(padded: Index, bit: int, n_codes: int) -> Index:
    """The next `n_codes` codes from bit position `bit`, most significant bit first."""
    at, width = bit + _STARTS[:n_codes], _WIDTHS[:n_codes]
    byte = at >> 3
    three = (padded[byte] << 16) | (padded[byte + 1] << 8) | padded[byte + 2]
    codes: Index = (three >> (24 - (at & 7) - width)) & ((1 << width) - 1)
    return codes


def _expand(codes: Index) -> Bytes:
    """The bytes of one run of codes that follows a Clear and holds neither Clear nor End."""
    order = np.arange(len(codes))
    is_literal = codes < _CLEAR
    parent = np.where(is_literal, order, codes - _FIRST_ENTRY)
    if not (is_literal | (parent < order)).all():
        raise ValueError("LZW code refers to an entry that does not exist yet")
    length, jump = np.where(is_literal, 0, 1), parent.copy()
    while True:
        further = jump[jump]
        length = length + length[jump]
        if np.array_equal(further, jump):
            break
        jump = further
    length += 1
    start = np.cumsum(length) - length
    shift = np.repeat((start[parent] - start).astype(np.int32), length)
    source = np.arange(len(shift), dtype=np.int32) + shift
    while True:
        further_source = source[source]
        if np.array_equal(further_source, source):
            break
        source = further_source
    literals = np.zeros(len(source), np.uint8)
    literals[start[is_literal]] = codes[is_literal]
    expanded: Bytes = literals[source]
    return expanded
