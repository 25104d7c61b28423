"""File names as they may be shown and kept: no path, no control character, nothing that turns text round."""

import unicodedata
from collections import Counter
from collections.abc import Sequence

#: Longest name, characters.
MAX_LENGTH = 255
_UNNAMED = "unnamed"
_MESSAGE_LENGTH = 280
_SUFFIX_LENGTH = 12
_MARKS_IN_A_ROW = 3
#: Control, format (bidi overrides, zero width), surrogate, private, unassigned; line, paragraph ends.
_DROPPED = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def clean_name(name: str) -> str:
    """The last part of `name` on one printable line of at most `MAX_LENGTH` characters, never empty.

    Paths of any system are cut off, characters that cannot be seen or that change the direction of
    what follows are dropped, a long name loses its middle and keeps its suffix. Cleaning again
    changes nothing.
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    text = "".join(_few_marks([c for c in last if unicodedata.category(c) not in _DROPPED]))
    text = " ".join(unicodedata.normalize("NFC", text).split())
    if not text.strip(". "):
        return _UNNAMED
    if len(text) <= MAX_LENGTH:
        return text
    stem, dot, suffix = text.rpartition(".")
    tail = dot + suffix if stem and len(suffix) <= _SUFFIX_LENGTH else text[-_SUFFIX_LENGTH:]
    return (text[: MAX_LENGTH - len(tail) - 1].rstrip() + "\u2026" + tail.lstrip())[:MAX_LENGTH]


def name_with(name: str, addition: str) -> str:
    """The cleaned name with `addition` in front of its suffix, which stays whole however long the name is."""
    cleaned = clean_name(name)
    stem, dot, suffix = cleaned.rpartition(".")
    if not stem or len(suffix) > _SUFFIX_LENGTH or " " in suffix:
        stem, dot, suffix = cleaned, "", ""
    n_room = MAX_LENGTH - len(f" {addition}{dot}{suffix}")
    if len(stem) > n_room:
        stem = stem[: n_room - 1].rstrip() + "\u2026"
    return f"{stem} {addition}{dot}{suffix}"


def distinct_names(paths: Sequence[str]) -> tuple[str, ...]:
    """A cleaned name for each path, with as many of its folders in front as tell files of one name apart.

    Where the folders cannot, as when the browser kept them to itself, a number does.
    """
    parts = [[clean_name(part) for part in _folders(path)] for path in paths]
    names = [path[-1] for path in parts]
    for depth in range(2, max(map(len, parts), default=1) + 1):
        counts = Counter(names)
        longer = [" - ".join(path[-depth:]) for path in parts]
        names = [new if counts[old] > 1 else old for old, new in zip(names, longer, strict=True)]
    seen, numbered = Counter[str](), []
    for name in map(clean_name, names):
        seen[name] += 1
        numbered.append(name if seen[name] == 1 else name_with(name, f"({seen[name]})"))
    return tuple(numbered)


def _folders(path: str) -> list[str]:
    """Its parts, the file last, never empty."""
    return [part for part in path.replace("\\", "/").split("/") if part.strip(". ")] or [path]


def one_printable_line(text: str, n_most: int) -> str:
    """`text` without line breaks and control characters, cut to `n_most` characters."""
    line = "".join(" " if c.isspace() else c for c in text if c.isspace() or c.isprintable())
    line = " ".join(line.split())
    return line if len(line) <= n_most else line[: n_most - 1] + "\u2026"


def told_of(error: Exception, name: str) -> str:
    """The error's message on one printable line, followed by the cleaned name of the file, if it has one."""
    message = one_printable_line(str(error), _MESSAGE_LENGTH)
    return f"{message} ({clean_name(name)})" if name else message


def _few_marks(characters: list[str]) -> list[str]:
    """Characters without accents piled up beyond three: they would cover the lines around."""
    kept: list[str] = []
    n_marks = 0
    for character in characters:
        n_marks = n_marks + 1 if unicodedata.combining(character) else 0
        if n_marks <= _MARKS_IN_A_ROW:
            kept.append(character)
    return kept
