"""How far a reading has come against its acceptance rule: the verdict that people made, and what is open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.domain.reading import Call, ReadIndication


class ReadingVerdict(StrEnum):
    """Verdict on a reading. Missing evidence is NOT_EVALUABLE; what nobody has read is NOT_ASSESSED."""

    NOT_ASSESSED = "not assessed"
    ACCEPTABLE = "acceptable"
    NOT_ACCEPTABLE = "not acceptable"
    NOT_EVALUABLE = "not evaluable"


@dataclass(frozen=True, slots=True)
class Standing:
    """What people said of the reportable indications, and what the rule says of those they confirmed.

    A radiograph on which nothing is reported has nothing to assess. It counts as read once somebody chose a
    disposition: looking at a clean film leaves no other trace, and to open it is not to read it.

    Attributes:
        n_open, n_confirmed, n_dismissed: reportable indications by call.
        is_stated: somebody chose a disposition.
        rule: table and level in words, such as "ISO 5817 B"; "" where none is chosen.
        by_rule: of the confirmed indications, ACCEPTABLE where there are none; None where it is withheld.
        withheld: why there is no `by_rule`, one line each.
        rejected: classes of the confirmed indications that the rule rejects, one for each.
        n_not_evaluable: confirmed indications that the rule cannot judge.
    """

    n_open: int
    n_confirmed: int
    n_dismissed: int
    is_stated: bool
    rule: str = ""
    by_rule: ReadingVerdict | None = None
    withheld: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    n_not_evaluable: int = 0

    @property
    def verdict(self) -> ReadingVerdict:
        """The worst confirmed indication decides; never ACCEPTABLE while an indication is open."""
        by_rule = self.by_rule or ReadingVerdict.NOT_EVALUABLE
        if self.n_open:
            is_told = self.n_confirmed > 0 and by_rule is not ReadingVerdict.ACCEPTABLE
        else:
            is_told = self.n_confirmed + self.n_dismissed > 0 or self.is_stated
        return by_rule if is_told else ReadingVerdict.NOT_ASSESSED

    @property
    def words(self) -> str:
        """The verdict, and how many indications are open, such as "not acceptable, 3 open"."""
        return f"{self.verdict.value}, {self.n_open} open" if self.n_open else self.verdict.value

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON, for what is signed; `standing_from` reads it back."""
        return {
            "verdict": self.verdict.value,
            "n_open": self.n_open,
            "n_confirmed": self.n_confirmed,
            "n_dismissed": self.n_dismissed,
            "is_stated": self.is_stated,
            "rule": self.rule,
            "by_rule": self.by_rule.value if self.by_rule else None,
            "withheld": list(self.withheld),
            "rejected": list(self.rejected),
            "n_not_evaluable": self.n_not_evaluable,
        }


def standing_from(content: Mapping[str, Any]) -> Standing:
    """The standing that `Standing.to_dict` wrote; KeyError or ValueError when it is none."""
    return Standing(
        n_open=content["n_open"],
        n_confirmed=content["n_confirmed"],
        n_dismissed=content["n_dismissed"],
        is_stated=content["is_stated"],
        rule=content["rule"],
        by_rule=ReadingVerdict(content["by_rule"]) if content["by_rule"] else None,
        withheld=tuple(content["withheld"]),
        rejected=tuple(content["rejected"]),
        n_not_evaluable=content["n_not_evaluable"],
    )


def standing_of(indications: Sequence[ReadIndication], *, is_stated: bool) -> Standing:
    """The standing of a reading that no rule has judged yet."""
    return Standing(
        n_open=sum(one.call is Call.OPEN for one in indications),
        n_confirmed=sum(one.call is Call.CONFIRMED for one in indications),
        n_dismissed=sum(one.call is Call.DISMISSED for one in indications),
        is_stated=is_stated,
    )
