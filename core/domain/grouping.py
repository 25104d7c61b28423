"""Indications that count together as one, such as the pores of clustered or linear porosity."""

import math
from collections.abc import Sequence

from core.domain.errors import BadInputError
from core.domain.reading import ReadIndication

#: An ellipse takes this share of the box around it.
_ELLIPSE_SHARE = math.pi / 4


def require_groups(reading: Sequence[ReadIndication]) -> None:
    """Return when every group that a member names is an indication of the reading and itself in no group.

    Raises:
        BadInputError: names the first member whose group is none.
    """
    alone = {one.indication_id for one in reading if one.group is None and one.model_index is None}
    for one in reading:
        if one.group is not None and one.group not in alone:
            raise BadInputError(f"indication {one.indication_id}: there is no group {one.group[:20]}")


def counted(reading: Sequence[ReadIndication]) -> list[ReadIndication]:
    """The indications that count as one each: groups and those that stand alone, whatever the call."""
    return [one for one in reading if one.group is None]


def members_of(reading: Sequence[ReadIndication], group_id: str) -> list[ReadIndication]:
    """The members of a group in the order of the reading; empty for an indication that stands alone."""
    return [one for one in reading if one.group == group_id]


def covered_share(
    group: ReadIndication, members: Sequence[ReadIndication], *, edge_px: float = 0.0
) -> float | None:
    """The share of the projected area of a group that its members cover, 0 to 1; None without members.

    Each member is taken for the ellipse in its box; where two overlap, their common area counts twice, so the
    share is rather too large.

    Args:
        group: its box is the area.
        members: its members.
        edge_px: moves each edge of a member outwards, or inwards where it is negative.
    """
    if not members:
        return None
    covered = sum(area_px(one, edge_px) for one in members) * _ELLIPSE_SHARE
    return min(1.0, covered / area_px(group))


def area_px(one: ReadIndication, edge_px: float = 0.0) -> float:
    """The area of the box in px², its edges moved outwards by `edge_px`; never below 0."""
    x1, y1, x2, y2 = one.bbox
    return max(0.0, x2 - x1 + 2 * edge_px) * max(0.0, y2 - y1 + 2 * edge_px)
