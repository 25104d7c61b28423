"""Classes of labels beside those of the models: an admin adds them, with a code and a colour.

A label of an own class is of the class that its own class stands for, so that models learn from it. Where it
stands for none, models do not know it: its boxes teach nothing, neither an indication nor its absence.
"""

import re
from dataclasses import dataclass

from core.domain.errors import BadInputError
from core.domain.indication import IndicationClass
from core.domain.kinds import OTHER_NUMBERS, WORD_KINDS

_CODE = re.compile(r"[A-Z0-9](?:[A-Z0-9-]{0,10}[A-Z0-9])?")
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class OwnClass:
    """A class that an admin added.

    Attributes:
        code: capital letters, digits and hyphens, up to 12; never changes.
        name: as people read it.
        colour: of its boxes, "#rrggbb" in small letters.
        stands_for: the class that models learn it as, None for one that they do not know; never changes.
        is_offered: False once it is retired; labels that bear it keep it.

    Raises:
        BadInputError: says what was expected.
    """

    code: str
    name: str
    colour: str
    stands_for: IndicationClass | None = None
    is_offered: bool = True

    def __post_init__(self) -> None:
        if not _CODE.fullmatch(self.code):
            raise BadInputError(
                f"code of a class: expected 1 to 12 capitals, digits and hyphens, got {self.code[:20]!r}"
            )
        if self.code in OTHER_NUMBERS:
            raise BadInputError(f"code of a class: {self.code} is a number of ISO 6520-1 already")
        if not 0 < len(self.name.strip()) <= _LONGEST_NAME or self.name != " ".join(self.name.split()):
            raise BadInputError(f"name of a class: expected 1 to {_LONGEST_NAME} characters in one line")
        if self.name.casefold() in _TAKEN:
            raise BadInputError(f"name of a class: {self.name} is there already")
        if not _COLOUR.fullmatch(self.colour):
            raise BadInputError(f"colour of a class: expected such as #e0a040, got {self.colour[:20]!r}")

    @property
    def indication_class(self) -> IndicationClass:
        """The class of its labels."""
        return self.stands_for or IndicationClass.UNCLASSIFIED

    @property
    def is_known_to_models(self) -> bool:
        """False when models ignore its boxes."""
        return self.stands_for is not None


_TAKEN = {one.value for one in IndicationClass} | {one.name for one in WORD_KINDS.values()}
