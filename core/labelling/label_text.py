"""The text of files of labels: UTF-8 or UTF-16 with or without a mark, XML as it declares itself."""

import json
import re
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

from core.domain.errors import DatasetError

_WINDOWS = "cp1252"
_DECLARED = re.compile(rb'^\s*<\?xml[^>]*encoding\s*=\s*["\']([A-Za-z0-9._-]+)["\'][^>]*\?>')


def parsed_json(data: bytes, name: str) -> Any:
    """The content of a JSON file in UTF-8, UTF-16 or UTF-32, with or without a byte order mark.

    Args:
        data: the whole file.
        name: of it, for messages.

    Raises:
        DatasetError: it is not JSON.
    """
    try:
        return json.loads(data)
    except UnicodeDecodeError:
        raise DatasetError(f"{name}: expected UTF-8 text") from None
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{name}: not JSON: {error}") from error


def decoded(data: bytes, name: str) -> tuple[str, str]:
    """The text of a file, and a note where it is not Unicode but was read as Windows-1252.

    Args:
        data: the whole file.
        name: of it, for messages.

    Raises:
        DatasetError: it is no text.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace"), ""
    try:
        return data.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        pass
    try:
        return data.decode(_WINDOWS), f"{name} is not UTF-8: it was read as Windows-1252"
    except UnicodeDecodeError:
        raise DatasetError(f"{name}: expected UTF-8 text") from None


def parsed_xml(data: bytes | str, name: str) -> ElementTree.Element:
    """The root of an XML file; a document type, which no format of labels needs, is refused.

    Raises:
        DatasetError: it is not understood.
    """
    text = data if isinstance(data, str) else _xml_text(data, name)

    def refuse(*_: object) -> None:
        raise DatasetError(f"{name}: a document type is not allowed")

    try:
        guard = expat.ParserCreate()
        guard.StartDoctypeDeclHandler = refuse
        guard.Parse(text, True)
        return ElementTree.fromstring(text)
    except (expat.ExpatError, ElementTree.ParseError, ValueError) as error:
        raise DatasetError(f"{name}: not an annotation file: {error}") from error


def _xml_text(data: bytes, name: str) -> str:
    """The text without its declaration, which names an encoding that a parser may not know."""
    declared = _DECLARED.match(data)
    if declared is None:
        return decoded(data, name)[0]
    encoding = declared[1].decode("ascii")
    try:
        return data[declared.end() :].decode(encoding)
    except (LookupError, UnicodeDecodeError) as error:
        raise DatasetError(f"{name}: expected text in {encoding}, as it says") from error
