"""Errors of the codecs as one clear error, their warnings silenced."""

import logging
import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from core.domain.errors import UnreadableImageError

_log = logging.getLogger(__name__)

# On damaged files these libraries warn before they raise, and often where nothing is wrong. Filters belong
# to the process: set once instead of around each file, they make no reader wait for another.
warnings.filterwarnings("ignore", module=r"(pydicom|PIL)\.")
# Otherwise Python prints the complaints of the other two on stderr where nobody configured logging.
for _name in ("tifffile", "imagecodecs"):
    logging.getLogger(_name).addHandler(logging.NullHandler())

#: Raised by Pillow, imagecodecs, tifffile, pydicom and its plugins on damaged input.
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
    BufferError,
    struct.error,
    zlib.error,
)

_REASON_LENGTH = 160
#: A sentence of a codec that prints what it got.
_RAW_BYTES = re.compile(r"\.?[^.]*\bb(['\"])\\x.*", re.DOTALL)


@contextmanager
def clear_errors(file_format: str, *also: type[Exception]) -> Iterator[None]:
    """Run a codec whose errors become one UnreadableImageError; safe in several threads at once.

    Args:
        file_format: named in the message, e.g. "PNG".
        also: further exception types that the codec raises.

    Raises:
        UnreadableImageError: saying that the file is truncated or damaged, with the codec's reason.
    """
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


def not_supported(expected: str, name: str) -> UnreadableImageError:
    """The error for an intact file of a kind that nothing here decodes.

    Args:
        expected: what could have been read, e.g. "a DICOM transfer syntax that can be decoded".
        name: of what came.
    """
    return UnreadableImageError(f"expected {expected}, got one that is not supported: {name}")


def one_line(error: Exception) -> str:
    """First line of the error's message without bytes of the file, or the name of its type."""
    lines = _RAW_BYTES.sub("", str(error)).strip().splitlines()
    return lines[0][:_REASON_LENGTH] if lines else type(error).__name__
