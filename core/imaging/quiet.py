"""Decoding foreign bytes without letting the codecs' warnings and exceptions out."""

import logging
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from core.domain.errors import UnreadableImageError

_log = logging.getLogger(__name__)

#: What Pillow, OpenCV, tifffile, pydicom and its plugins raise on damaged input.
CODEC_ERRORS: tuple[type[Exception], ...] = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    AttributeError,
    SyntaxError,
    LookupError,
    ArithmeticError,
    AssertionError,
    MemoryError,
    RuntimeError,
    NotImplementedError,
    BufferError,
    struct.error,
    zlib.error,
)

_REASON_LENGTH = 160
# `warnings.catch_warnings` swaps process-wide state, so only one thread may do it at a time.
_warnings_lock = threading.RLock()


@contextmanager
def quiet_codec(file_format: str, *also: type[Exception]) -> Iterator[None]:
    """Run a codec: warnings are dropped, its errors become one UnreadableImageError.

    One thread at a time, because Python's warning filters are process-wide.

    Args:
        file_format: named in the message, e.g. "PNG".
        also: further exception types that the codec raises.

    Raises:
        UnreadableImageError: saying that the file is truncated or damaged, with the codec's reason.
    """
    with _warnings_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except CODEC_ERRORS + also as error:
            _log.debug("%s codec failed", file_format, exc_info=True)
            raise damaged(file_format, one_line(error)) from error


def damaged(file_format: str, reason: str) -> UnreadableImageError:
    """The error for a file of the right format that is cut off or broken."""
    return UnreadableImageError(
        f"expected an intact {file_format} file, got a truncated or damaged one: {reason}"
    )


def one_line(error: Exception) -> str:
    """First line of the error's message, or the name of its type."""
    lines = str(error).strip().splitlines()
    return lines[0][:_REASON_LENGTH] if lines else type(error).__name__
