"""Limits of files and pictures, checked from headers before anything is allocated."""

from core.domain.errors import UnreadableImageError

#: Begins the refusal of whatever is none of them.
EXPECTED = "expected a PNG, JPEG, BMP, TIFF, PGM, NumPy or DICOM radiograph"
#: A 14 x 17 inch film at 25 um is 240 Mpx; 200 Mpx at 16 bit is 400 MB once decoded.
MAX_PIXELS = 200_000_000
#: Longest side, px. A 3 m weld film at 25 um has 120,000.
MAX_SIDE_PX = 150_000
#: Size of the file as handed in, bytes.
MAX_FILE_BYTES = 512 * 2**20
#: Size of a picture once decoded, all channels, bytes.
MAX_DECODED_BYTES = 2**30
#: A picture that decodes to more than this is also held to `MAX_EXPANSION`, bytes.
EXPANSION_FLOOR_BYTES = 64 * 2**20
#: Decoded size over file size. Real radiographs carry noise and stay below about 50.
MAX_EXPANSION = 200.0
#: Scans of one JPEG; each costs a pass over the whole picture. Encoders write up to about 12.
MAX_JPEG_SCANS = 100
#: Directories of one TIFF, and values of one of its tags: 200 Mpx in 16 x 16 px tiles list 781,250.
MAX_TIFF_PAGES, MAX_TIFF_VALUES = 10_000, 1_000_000
#: Reads that parsing one DICOM header may take, two to three for each element at any depth.
MAX_DICOM_READS = 500_000
#: Tiles of one JPEG 2000 picture; the decoder keeps some kilobytes for each.
MAX_JPEG2000_TILES = 16_384
#: Frames, pages or planes of one file, and radiographs uploaded at once; pieces of compressed frames.
MAX_FRAMES, MAX_FRAGMENTS = 250, 100_000
#: Files in one ZIP; size of all of them unpacked, and of its list of contents, bytes.
MAX_MEMBERS, MAX_ARCHIVE_BYTES, MAX_DIRECTORY_BYTES = 250, 2**30, 2**20


def check_file_size(n_bytes: int) -> None:
    """Raise UnreadableImageError when the file is empty or larger than `MAX_FILE_BYTES`."""
    if n_bytes == 0:
        raise UnreadableImageError(f"{EXPECTED}, got an empty file")
    if n_bytes > MAX_FILE_BYTES:
        raise UnreadableImageError(
            f"expected a file of at most {MAX_FILE_BYTES // 2**20} MiB, got {n_bytes / 2**20:.0f} MiB"
        )


def most_unpacked(n_packed: int) -> int:
    """Bytes that `n_packed` bytes may unpack to before they count as a decompression bomb."""
    return min(MAX_DECODED_BYTES, max(EXPANSION_FLOOR_BYTES, int(MAX_EXPANSION * n_packed)))


def check_picture_size(width: int, height: int, *, bytes_per_px: float, n_file_bytes: int) -> None:
    """Refuse a picture that its header says is empty, too large, or a decompression bomb.

    Args:
        width: px, from the header.
        height: px, from the header.
        bytes_per_px: all channels together, as decoded.
        n_file_bytes: size of the file it comes from.

    Raises:
        UnreadableImageError: naming the limit that was passed.
    """
    if width < 1 or height < 1:
        raise UnreadableImageError(f"expected a picture of at least 1 x 1 px, got {width} x {height}")
    if max(width, height) > MAX_SIDE_PX or width * height > MAX_PIXELS:
        raise UnreadableImageError(
            f"expected at most {MAX_PIXELS // 10**6} megapixels and {MAX_SIDE_PX} px a side, "
            f"got {width} x {height} px"
        )
    n_decoded = width * height * bytes_per_px
    if n_decoded > MAX_DECODED_BYTES:
        raise UnreadableImageError(
            f"expected at most {MAX_DECODED_BYTES // 2**20} MiB once decoded, "
            f"got {n_decoded / 2**20:.0f} MiB ({width} x {height} px)"
        )
    if n_decoded > EXPANSION_FLOOR_BYTES and n_decoded > MAX_EXPANSION * n_file_bytes:
        raise UnreadableImageError(
            f"expected a radiograph, got a decompression bomb: {n_file_bytes} bytes that "
            f"unpack to {n_decoded / 2**20:.0f} MiB"
        )
