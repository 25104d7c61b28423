"""A good file made bad in a way that a number decides, so that every input can be made again."""

import random
import re
import struct
import zlib

from tests.fuzz.seeds import data_set_of, deflated_dicom, seeds
from tests.imaging.pictures import png_chunk
from tests.imaging.zips import zip_of

#: Where parsers overflow, wrap, or believe too much.
_NUMBERS = (0, 1, 2, 3, 7, 8, 12, 16, 24, 64, 127, 128, 255, 256, 4095, 32767, 32768, 65535, 65536, 150_001)
_LARGE = (2**24, 2**31 - 1, 2**31, 2**32 - 1)
_NAMES = (
    "film.png",
    "",
    "../../etc/passwd",
    "C:\\films\\a.dcm",
    "film.png\0.exe",
    "fi\nlm\r.tif",
    "we\u202egnp.exe",
    "\ud800.jpg",
    "x" * 2000 + ".dicom",
    "\u0130.TIFF",
    "e" + "\u0316" * 300,
    "<img src=x onerror=alert(1)>.png",
    "'; drop table images; --.bmp",
    "CON",
    "....",
    "\u05e8\u05d9\u05ea\u05d5\u05da.png",
)
_TAG_KINDS = (1, 2, 3, 4, 5, 7, 12, 13, 16, 99)
_ELEMENTS = {
    (0x28, 0x02): "SamplesPerPixel",
    (0x28, 0x04): "PhotometricInterpretation",
    (0x28, 0x06): "PlanarConfiguration",
    (0x28, 0x08): "NumberOfFrames",
    (0x28, 0x10): "Rows",
    (0x28, 0x11): "Columns",
    (0x28, 0x100): "BitsAllocated",
    (0x28, 0x101): "BitsStored",
    (0x28, 0x102): "HighBit",
    (0x28, 0x103): "PixelRepresentation",
    (0x7FE0, 0x10): "PixelData",
}


def upload(number: int) -> tuple[str, bytes]:
    """Name and content of upload `number`; the same for the same number."""
    source = random.Random(number)
    kind = source.choice(sorted(seeds()))
    data = seeds()[kind]
    if source.random() < 0.04:
        return kind, data
    for _ in range(source.choice((1, 1, 1, 2, 3))):
        data = source.choice(_MUTATIONS)(data, source) if data else data
    if data.startswith(b"\x89PNG") and source.random() < 0.7:
        data = _with_right_checksums(data)
    if source.random() < 0.06:
        other = seeds()[source.choice(sorted(seeds()))]
        data = zip_of((source.choice(("a.png", "../a.png", "deep/er/a.tif")), data), ("b.png", other))
    return source.choice((kind, *_NAMES)), data


def mutated_picture(number: int) -> tuple[str, bytes]:
    """Name and content of picture `number`, changed once, in no archive; the same for the same number."""
    source = random.Random(f"picture {number}")
    name = source.choice([name for name in sorted(seeds()) if not name.endswith(".zip")])
    data = source.choice(_MUTATIONS)(seeds()[name], source)
    if data.startswith(b"\x89PNG") and source.random() < 0.7:
        data = _with_right_checksums(data)
    return name, data


def _flip(data: bytes, source: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(source.choice((1, 1, 2, 8, 40))):
        changed[source.randrange(len(changed))] ^= 1 << source.randrange(8)
    return bytes(changed)


def _flip_early(data: bytes, source: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(source.choice((1, 2, 4))):
        changed[source.randrange(min(len(changed), 600))] = source.randrange(256)
    return bytes(changed)


def _cut(data: bytes, source: random.Random) -> bytes:
    return data[: source.randrange(len(data))]


def _cut_out(data: bytes, source: random.Random) -> bytes:
    at = source.randrange(len(data))
    return data[:at] + data[at + source.randint(1, 200) :]


def _put_in(data: bytes, source: random.Random) -> bytes:
    at = source.randrange(len(data))
    filler = source.choice((source.randbytes(source.randint(1, 60)), bytes(40), b"\xff" * 40, b"PK\x05\x06"))
    return data[:at] + filler + data[at:]


def _splice(data: bytes, source: random.Random) -> bytes:
    other = seeds()[source.choice(sorted(seeds()))]
    return data[: source.randrange(len(data))] + other[source.randrange(len(other)) :]


def _append(data: bytes, source: random.Random) -> bytes:
    tails = (seeds()[source.choice(sorted(seeds()))], bytes(500), b"\n", b"<script>", source.randbytes(99))
    return data + source.choice(tails)


def _prepend(data: bytes, source: random.Random) -> bytes:
    if data[128:132] == b"DICM":
        start = source.choice((b"MZ", b"PK\x03\x04", b"II*\0", b"\x89PNG\r\n\x1a\n", source.randbytes(128)))
        return (start.ljust(128, b"\0") + data[128:])[: len(data)]
    return source.choice((b"\0", b"\xef\xbb\xbf", b"GIF89a", source.randbytes(132))) + data


def _repeat(data: bytes, source: random.Random) -> bytes:
    at, n = source.randrange(len(data)), source.randint(1, 400)
    return data[: at + n] + data[at : at + n] * source.choice((1, 2, 30)) + data[at + n :]


def _number(data: bytes, source: random.Random) -> bytes:
    """A whole number anywhere replaced by a telling one."""
    width, order = source.choice((1, 2, 4)), source.choice(("little", "big"))
    value = source.choice(_NUMBERS + _LARGE) & ((1 << 8 * width) - 1)
    at = source.randrange(max(1, min(len(data), source.choice((100, 700, 10**6))) - width))
    return data[:at] + value.to_bytes(width, order) + data[at + width :]


def _field(data: bytes, source: random.Random) -> bytes:
    """A field of the header that says how large, how deep or how packed the picture is."""
    value = source.choice(_NUMBERS + _LARGE)
    if data.startswith(b"\x89PNG"):
        return _png_field(data, value, source)
    if data[:2] in (b"II", b"MM"):
        return _tiff_field(data, value, source)
    if data[:2] == b"BM" and len(data) > 54:
        at = source.choice((2, 10, 14, 18, 22, 26, 28, 30, 34, 46, 50))
        return data[:at] + struct.pack("<I", value & 0xFFFFFFFF) + data[at + 4 :]
    if data.startswith(b"PK"):
        at = data.find(source.choice((b"PK\x01\x02", b"PK\x05\x06", b"PK\x03\x04"))) + source.randrange(4, 22)
        return data[:at] + struct.pack("<H", value & 0xFFFF) + data[at + 2 :]
    frames = [m.start() for m in re.finditer(rb"\xff[\xc0-\xc3\xf7]\x00", data)]
    sizes = [m.start() for m in re.finditer(rb"\xff\x4f\xff\x51", data)]
    if (frames or sizes) and source.random() < (1.0 if data.startswith(b"\xff\xd8") else 0.3):
        at = source.choice(
            [f + 4 + source.randrange(6) for f in frames] + [s + 8 + 2 * source.randrange(18) for s in sizes]
        )
        return data[:at] + struct.pack(">H", value & 0xFFFF) + data[at + 2 :]
    return _dicom_field(data, value, source)


def _png_field(data: bytes, value: int, source: random.Random) -> bytes:
    header = bytearray(data[16:29])
    match source.randrange(3):
        case 0:
            header[0:4] = struct.pack(">I", value & 0xFFFFFFFF)
        case 1:
            header[4:8] = struct.pack(">I", value & 0xFFFFFFFF)
        case _:
            header[8 + source.randrange(5)] = value & 0xFF
    return data[:8] + png_chunk(b"IHDR", bytes(header)) + data[33:]


def _tiff_field(data: bytes, value: int, source: random.Random) -> bytes:
    """One entry of the first directory: its type, count or value."""
    order = "<" if data[:2] == b"II" else ">"
    is_big = data[2:4] in (b"+\0", b"\0+")
    try:
        (first,) = struct.unpack_from(f"{order}{'Q' if is_big else 'I'}", data, 8 if is_big else 4)
        (n_tags,) = struct.unpack_from(f"{order}H", data, first)
    except struct.error:
        return data
    size, start = (20, first + 8) if is_big else (12, first + 2)
    at = start + size * source.randrange(max(1, min(n_tags, 40)))
    match source.randrange(4):
        case 0:
            return data[: at + 2] + struct.pack(f"{order}H", source.choice(_TAG_KINDS)) + data[at + 4 :]
        case 1:
            return data[: at + 4] + struct.pack(f"{order}I", value & 0xFFFFFFFF) + data[at + 8 :]
        case 2:
            return data[:at] + data[at + size : at + 2 * size] + data[at + size :]
        case _:
            end = at + size
            return data[: end - 4] + struct.pack(f"{order}I", value & 0xFFFFFFFF) + data[end:]


def _dicom_field(data: bytes, value: int, source: random.Random) -> bytes:
    tag = source.choice(sorted(_ELEMENTS))
    at = data.find(struct.pack("<HH", *tag))
    if at < 0:
        return data
    at += source.choice((4, 6, 8, 8, 8, 8))
    return data[:at] + struct.pack("<H", value & 0xFFFF) + data[at + 2 :]


def _inside_deflated(data: bytes, source: random.Random) -> bytes:
    """A change of a DICOM data set that is deflated afterwards."""
    if data[128:132] != b"DICM" or len(data) < 400:
        return _flip(data, source)
    inner = data_set_of(seeds()["plain.dcm"])[1]
    return deflated_dicom(source.choice((_dicom_number, _repeat, _cut, _flip_early))(inner, source))


def _dicom_number(data: bytes, source: random.Random) -> bytes:
    return _dicom_field(data, source.choice(_NUMBERS + _LARGE), source)


def _double_chunk(data: bytes, source: random.Random) -> bytes:
    """A PNG with one of its chunks there twice, or moved to the front or the end."""
    chunks = _png_chunks(data)
    if not chunks:
        return _repeat(data, source)
    chunk = source.choice(chunks)
    chunks.insert(source.randrange(len(chunks) + 1), chunk)
    return data[:8] + b"".join(png_chunk(kind, body) for kind, body in chunks)


def _inflated_rows(data: bytes, source: random.Random) -> bytes:
    """A PNG whose rows are replaced by a long run of one byte that packs well."""
    chunks = _png_chunks(data)
    if not chunks:
        return _number(data, source)
    rows = zlib.compress(bytes([source.randrange(6)]) * source.choice((10, 5000, 10**6)), 9)
    body = [(kind, rows if kind == b"IDAT" else body) for kind, body in chunks]
    return data[:8] + b"".join(png_chunk(kind, content) for kind, content in body)


def _png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    chunks: list[tuple[bytes, bytes]] = []
    at = 8
    while data.startswith(b"\x89PNG") and at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        if at + 12 + length > len(data):
            break
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return chunks


def _with_right_checksums(data: bytes) -> bytes:
    """A PNG past its first defence: every chunk that is whole has the right CRC."""
    chunks = _png_chunks(data)
    n_bytes = 8 + sum(12 + len(body) for _, body in chunks)
    return data[:8] + b"".join(png_chunk(kind, body) for kind, body in chunks) + data[n_bytes:]


_MUTATIONS = (
    _flip,
    _flip,
    _flip_early,
    _flip_early,
    _cut,
    _cut_out,
    _put_in,
    _splice,
    _append,
    _prepend,
    _repeat,
    _number,
    _number,
    _number,
    _field,
    _field,
    _field,
    _field,
    _inside_deflated,
    _double_chunk,
    _inflated_rows,
)
