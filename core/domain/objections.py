"""What stands against signing a disposition. It may be signed all the same, with a reason: see `Override`.

| disposition | stands against it |
|---|---|
| accept | a confirmed indication that the rule rejects or cannot judge; no rule; an open indication |
| reject, repair | nothing confirmed; or everything confirmed is acceptable by the rule |
| refer, re-shoot | nothing: neither decides about the part |
"""

from collections import Counter

from core.domain.records import Disposition
from core.domain.standing import ReadingVerdict, Standing


def objections(disposition: Disposition, standing: Standing) -> tuple[str, ...]:
    """What stands against this disposition, one clause each, the gravest first; empty when nothing does."""
    if disposition is Disposition.ACCEPT:
        return (*_against_accepting(standing), *_open(standing))
    if disposition in (Disposition.REJECT, Disposition.REPAIR):
        return _against_rejecting(standing)
    return ()


def objection_line(found: tuple[str, ...]) -> str:
    """The objections as one line."""
    return "; ".join(found)


def _against_accepting(standing: Standing) -> tuple[str, ...]:
    if standing.by_rule is None:
        return (f"not evaluable: {'; '.join(standing.withheld) or 'there is no verdict'}",)
    found = []
    if standing.by_rule is ReadingVerdict.NOT_ACCEPTABLE:
        found.append(f"{_rejected(standing.rejected)} not acceptable by {standing.rule}")
    if standing.n_not_evaluable:
        n = standing.n_not_evaluable
        found.append(f"{n} confirmed {_indications(n)} not evaluable by {standing.rule}")
    elif standing.by_rule is ReadingVerdict.NOT_EVALUABLE:
        found.append(f"not evaluable by {standing.rule}")
    return tuple(found)


def _against_rejecting(standing: Standing) -> tuple[str, ...]:
    if not standing.n_confirmed:
        return ("no indication is confirmed", *_open(standing))
    if standing.by_rule is ReadingVerdict.ACCEPTABLE:
        n = standing.n_confirmed
        return (f"{n} confirmed {_indications(n)} acceptable by {standing.rule}", *_open(standing))
    return ()


def _open(standing: Standing) -> tuple[str, ...]:
    n = standing.n_open
    return (f"{n} {_indications(n)} not assessed",) if n else ()


def _indications(n: int) -> str:
    return "indication is" if n == 1 else "indications are"


def _rejected(classes: tuple[str, ...]) -> str:
    if len(classes) == 1:
        return f"1 confirmed {classes[0]} is"
    if not classes:
        return "the confirmed indications together are"
    counts = Counter(classes)
    named = ", ".join(f"{n} {name}" for name, n in counts.items()) if len(counts) > 1 else classes[0]
    return f"{len(classes)} confirmed indications ({named}) are"
