"""A small JPEG Lossless encoder (ITU-T T.81, process 14, selection value 1), as no library writes it."""

import struct

import numpy as np

_CODE_BITS = 5


def encode(pixels: np.ndarray, precision: int) -> bytes:
    """One codestream of (H, W) unsigned pixels: every category has the 5-bit code of its own number."""
    rows, columns = pixels.shape
    bits: list[str] = []
    values = pixels.astype(np.int64)
    for r in range(rows):
        for c in range(columns):
            above = values[r - 1, 0] if r else 1 << (precision - 1)
            predicted = values[r, c - 1] if c else above
            bits.append(_difference(int(values[r, c] - predicted)))
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    scan = int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\x00")
    counts = bytes(17 if length == _CODE_BITS else 0 for length in range(1, 17))
    return b"".join(
        (
            b"\xff\xd8",
            _segment(0xC3, struct.pack(">BHHB", precision, rows, columns, 1) + b"\x01\x11\x00"),
            _segment(0xC4, b"\x00" + counts + bytes(range(17))),
            _segment(0xDA, b"\x01\x01\x00\x01\x00\x00"),
            scan,
            b"\xff\xd9",
        )
    )


def _difference(value: int) -> str:
    """Category code and additional bits of a difference modulo 65536 (H.1.2.2)."""
    value = (value + 32768) % 65536 - 32768
    category = abs(value).bit_length()
    code = f"{category:05b}"
    if category in (0, 16):
        return code
    low = value if value > 0 else value + (1 << category) - 1
    return code + f"{low:0{category}b}"


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body
