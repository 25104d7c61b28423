"""Faults of the places where anchors are kept: emptied, begun anew behind our back, shorter than the copy."""

from collections.abc import Sequence

from core.audit import findings as say
from core.audit.chain import Anchor, Keyring
from core.audit.findings import FindingKind, LogFault

#: The first anchor of a log stands at one of its first events; twice as many as go between two anchors.
LATEST_FIRST = 200


def anchor_faults(
    kept: Sequence[Anchor],
    copied: Sequence[Anchor],
    *,
    end: int,
    begun_anew: int,
    ring: Keyring,
) -> list[LogFault]:
    """Faults of the places where anchors of a log with events are kept; empty for a log without.

    Args:
        kept: the anchors beside the database, as read.
        copied: those of the second place; empty without one.
        end: the newest event.
        begun_anew: the newest event that says that anchors were begun anew on purpose, 0 without one.
        ring: the keys that are known.
    """
    if not end:
        return []
    if not kept:
        return [say.about_log(FindingKind.ANCHORS_MISSING, end, _nothing(end))]
    found = []
    first = min(anchor.seq for anchor in kept)
    if first > max(LATEST_FIRST, begun_anew + LATEST_FIRST):
        said = (
            f"the anchors begin at event {first}; the earlier ones are not there: the file was emptied or "
            "replaced"
        )
        found.append(say.about_log(FindingKind.ANCHORS_MISSING, first, said))
    places = {(anchor.seq, anchor.hash) for anchor in kept}
    lost = sorted(
        anchor.seq
        for anchor in copied
        if anchor.seq > begun_anew and anchor.is_genuine(ring) and (anchor.seq, anchor.hash) not in places
    )
    if lost:
        said = (
            f"{len(lost)} anchors of the second place, the first of event {lost[0]}, are not in the file "
            "beside the database: it was cut, emptied or put back"
        )
        found.append(say.about_log(FindingKind.ANCHORS_MISSING, lost[0], said))
    return found


def second_place_unreadable(why: str) -> LogFault:
    """The second place of anchors cannot be read, so nothing can be compared with it."""
    said = f"the second place of anchors cannot be read, so the log was not compared with it: {why}"
    return say.about_log(FindingKind.ANCHORS_MISSING, 0, said)


def _nothing(end: int) -> str:
    return (
        f"there is no anchor, although {end} events were written: the file of anchors was removed or "
        "emptied; put it back from its copy, or say with `radikal audit begin-anchors` why it is begun anew"
    )
