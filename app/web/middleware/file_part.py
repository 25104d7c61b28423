"""The one file in the body of an upload, written down as it comes."""

from typing import IO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

#: Names and types of files are short.
_MOST_HEADERS = 16 * 1024


class MalformedUploadError(Exception):
    """The body is no form with exactly one file."""


class FilePart:
    """Takes a multipart body (RFC 7578) piece by piece and collects the bytes of its file.

    Args:
        content_type: of the request.
    """

    def __init__(self, content_type: str) -> None:
        kind, parameters = parse_options_header(content_type)
        boundary = parameters.get(b"boundary")
        if kind.lower() != b"multipart/form-data" or not boundary:
            raise MalformedUploadError
        self.name = ""
        self.media_type = "application/octet-stream"
        self._collected = bytearray()
        self._field, self._value = bytearray(), bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._n_files = 0
        self._is_file = self._is_whole = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._headers.clear,
                    "on_header_field": lambda data, start, end: self._grow(self._field, data[start:end]),
                    "on_header_value": lambda data, start, end: self._grow(self._value, data[start:end]),
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._begin,
                    "on_part_data": self._collect,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise MalformedUploadError from error

    @property
    def n_collected(self) -> int:
        """Bytes of the file that came and were not written."""
        return len(self._collected)

    def feed(self, data: bytes) -> None:
        """Take the next piece of the body.

        Raises:
            MalformedUploadError: it is not a form.
        """
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise MalformedUploadError from error

    def write_to(self, file: IO[bytes]) -> None:
        """Write what was collected."""
        file.write(self._collected)
        self._collected.clear()

    def finish(self) -> None:
        """The body is whole.

        Raises:
            MalformedUploadError: it breaks off, or it holds no file or several.
        """
        try:
            self._parser.finalize()
        except FormParserError as error:
            raise MalformedUploadError from error
        if self._n_files != 1 or not self._is_whole:
            raise MalformedUploadError

    def _end(self) -> None:
        self._is_whole = True

    def _grow(self, text: bytearray, more: bytes) -> None:
        text += more
        if len(text) > _MOST_HEADERS:
            raise MalformedUploadError

    def _end_header(self) -> None:
        self._headers[bytes(self._field).lower()] = bytes(self._value)
        self._field.clear()
        self._value.clear()

    def _begin(self) -> None:
        _, parameters = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._is_file = b"filename" in parameters
        if self._is_file:
            self._n_files += 1
            self.name = _text(parameters[b"filename"])
            self.media_type = _text(self._headers.get(b"content-type", b"")) or self.media_type
        if self._n_files > 1:
            raise MalformedUploadError

    def _collect(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._collected += data[start:end]


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")
