"""The classes of label files and what they mean here: known names, and names that somebody has to map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.domain.errors import BadInputError
from core.domain.indication import IndicationClass
from core.domain.kinds import WORD_KINDS, called
from core.domain.own_classes import OwnClass
from core.labelling.labelled import CLASS_NAMES
from core.standards.kinds import KINDS, class_of, is_number

#: In files, the word for an indication whose kind was not recorded.
_NOT_RECORDED = "defect"
#: Target of a mapping that leaves the boxes of a class out.
LEAVE_OUT = "leave-out"


@dataclass(frozen=True, slots=True)
class ClassTarget:
    """What a class of a file becomes.

    Attributes:
        indication_class: of the network.
        iso6520: a finer code, None where the name says none.
        kind: id of a kind without a number, None where the name says none.
        own: a class that an admin added, None for any other.
    """

    indication_class: IndicationClass
    iso6520: str | None = None
    kind: str | None = None
    own: OwnClass | None = None

    @property
    def words(self) -> str:
        """Class and kind, such as "porosity 2011" or "gas hole"."""
        if self.own is not None:
            return f"{self.own.name} ({self.own.code})"
        return called(self.indication_class, self.iso6520, self.kind)


def target_of(name: str) -> ClassTarget | None:
    """What a class name, the id of a kind or an ISO 6520-1 number stands for; None where nobody can know.

    Letter case, underscores and hyphens do not matter. "defect" is unclassified: its kind was not recorded.
    """
    words = " ".join(name.replace("_", " ").replace("-", " ").casefold().split())
    if words in CLASS_NAMES:
        return ClassTarget(IndicationClass(words))
    if words == _NOT_RECORDED:
        return ClassTarget(IndicationClass.UNCLASSIFIED)
    if (kind := words.replace(" ", "-")) in WORD_KINDS:
        return ClassTarget(WORD_KINDS[kind].indication_class, kind=kind)
    if is_number(words) and (words in KINDS or class_of(words) is not IndicationClass.UNCLASSIFIED):
        return ClassTarget(class_of(words), iso6520=words)
    return None


class ClassMapping:
    """What a person said about class names that a file uses.

    Args:
        said: name in the file to a name that is known here, or to `LEAVE_OUT`.
        own: classes that an admin added; a file may name them by code or name.

    Raises:
        BadInputError: a target is not known here.
    """

    def __init__(self, said: Mapping[str, str], own: Sequence[OwnClass] = ()) -> None:
        self._own = {word.casefold(): one for one in own for word in (one.name, one.code)}
        self._said: dict[str, ClassTarget | None] = {}
        for name, target in said.items():
            found = self._known(target)
            if found is None and target != LEAVE_OUT:
                raise BadInputError(
                    f"{name}={target}: expected one of {', '.join(CLASS_NAMES)}, an ISO 6520-1 number, "
                    f"a kind such as gas-hole, an own class, or {LEAVE_OUT}"
                )
            self._said[name.strip()] = found

    @property
    def names(self) -> frozenset[str]:
        """The names that were mapped."""
        return frozenset(self._said)

    def target(self, name: str) -> ClassTarget | None:
        """What a class becomes: as somebody said, else what the name says; None where it is unknown."""
        name = name.strip()
        return self._said[name] if name in self._said else self._known(name)

    def own_class(self, code: str) -> ClassTarget | None:
        """The class that an admin added under this code."""
        own = self._own.get(code.casefold())
        return None if own is None else ClassTarget(own.indication_class, own=own)

    def _known(self, name: str) -> ClassTarget | None:
        return target_of(name) or self.own_class(name.strip())

    def is_left_out(self, name: str) -> bool:
        """True where somebody said that boxes of this class are not taken."""
        return name.strip() in self._said and self._said[name.strip()] is None
