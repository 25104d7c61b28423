"""Numbers of images that are handed in together: weld, film and position, each image's own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import PurePath
from typing import Any

from core.domain.errors import BadInputError

#: Fields of a setup that belong to one image and are never copied to another.
OWN_FIELDS = ("weld_number", "film_number", "position")
_LONGEST = 128
_COUNTER = re.compile(r"\{n(?::0?(\d))?\}")
_PLACES = {"weld": "weld_number", "film": "film_number", "position": "position"}
_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Numbering:
    """How images get their numbers as they come; an empty template gives none.

    Attributes:
        weld_number, film_number, position: text with a counter `{n}` or `{n:03}`, such as "W-{n:03}".
        first: the counter of the next image.
        name_pattern: how file names are made up, of `{weld}`, `{film}`, `{position}` and other text, such as
            "{weld}_{film}"; `{any}` stands for text that says nothing. What it finds goes before the
            templates.

    Raises:
        BadInputError: a template has another counter than these, the pattern another place, or a text is too
            long.
    """

    weld_number: str = ""
    film_number: str = ""
    position: str = ""
    first: int = 1
    name_pattern: str = ""

    def __post_init__(self) -> None:
        for name in OWN_FIELDS:
            words, template = name.replace("_", " "), getattr(self, name)
            if len(template) > _LONGEST:
                raise BadInputError(f"{words}: expected at most {_LONGEST} characters")
            if "{" in _COUNTER.sub("", template) or "}" in _COUNTER.sub("", template):
                raise BadInputError(f"{words}: expected a counter such as {{n}} or {{n:03}}, got {template}")
        if not 0 <= self.first < 10**9:
            raise BadInputError("next number: expected 0 or more")
        self._require_pattern()

    def _require_pattern(self) -> None:
        if not self.name_pattern:
            return
        places = _PLACE.findall(self.name_pattern)
        rest = _PLACE.sub("", self.name_pattern)
        is_known = all(one in _PLACES or one == "any" for one in places)
        named = [one for one in places if one != "any"]
        if not named or not is_known or len(set(named)) < len(named) or "{" in rest or "}" in rest:
            raise BadInputError(
                "file name: expected {weld}, {film} and {position}, each at most once, and {any} for the "
                f"rest, got {self.name_pattern[:40]}"
            )
        if re.search(r"\}\{", self.name_pattern):
            raise BadInputError("file name: expected text between two places, such as {weld}_{film}")
        if len(self.name_pattern) > _LONGEST:
            raise BadInputError(f"file name: expected at most {_LONGEST} characters")

    @property
    def is_counting(self) -> bool:
        """True when a template has a counter."""
        return any(_COUNTER.search(getattr(self, name)) for name in OWN_FIELDS)

    def numbers(self, file_name: str, count: int) -> dict[str, str]:
        """The numbers of one image, by field of a setup; "" where there is none.

        Args:
            file_name: as the person knows it; its last suffix says nothing.
            count: the counter.
        """
        found = self._in_name(file_name)
        given = {
            name: _COUNTER.sub(lambda at: _counted(at, count), getattr(self, name)) for name in OWN_FIELDS
        }
        return {name: (found.get(name) or given[name])[:_LONGEST] for name in OWN_FIELDS}

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; `numbering_from` reads it back."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    def _in_name(self, file_name: str) -> dict[str, str]:
        """The parts of the name that the pattern names; none where the name is made up otherwise."""
        if not self.name_pattern:
            return {}
        parts = "".join(_as_regex(piece) for piece in re.split(r"(\{\w+\})", self.name_pattern))
        match = re.fullmatch(parts, PurePath(file_name.replace("\\", "/")).stem)
        if match is None:
            return {}
        return {_PLACES[name]: text.strip() for name, text in match.groupdict().items()}


def numbering_from(content: Mapping[str, Any]) -> Numbering:
    """The numbering in `content`; unknown keys are left out, missing ones are empty."""
    known = {one.name for one in fields(Numbering)}
    return Numbering(**{name: value for name, value in content.items() if name in known})


def _counted(at: re.Match[str], count: int) -> str:
    return f"{count:0{at.group(1)}d}" if at.group(1) else str(count)


def _as_regex(piece: str) -> str:
    named = _PLACE.fullmatch(piece)
    if named is None:
        return re.escape(piece)
    return ".+?" if named.group(1) == "any" else f"(?P<{named.group(1)}>.+?)"
