"""What of a radiograph its reader has seen at 1:1 or more: kept while the inspection is open, then signed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.domain.accounts import Identity
from core.domain.permissions import Action, require
from core.domain.records import Inspection, Signature
from core.domain.seen import SeenGrid, seen_from
from core.services.inspections.readings import existing
from core.services.inspections.zones import zone_of
from core.store.unit_of_work import Store, Work

#: The words for it, in record and dialog.
SEEN = "Seen at 1:1 or more"
_DECIMALS = 3


class SeeingService:
    """Seen areas in one workspace."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, identity: Identity, inspection_id: str, cells: str) -> None:
        """Keep these cells with those that this person has seen before; of a signed inspection nothing.

        Raises:
            NotAllowedError: the role may not decide.
            UnknownRecordError: there is no such inspection.
            BadInputError: the cells are not those of its radiograph.
        """
        require(identity, Action.INSPECTIONS_DECIDE)
        with self._store.write() as work:
            inspection = existing(work, inspection_id)
            if not inspection.is_open:
                return
            before = seen_area(work, inspection, identity.user_id)
            seen = before.merged(seen_from(cells, before.width, before.height))
            work.seen_areas.put(inspection_id, identity.user_id, seen.to_text(), at=work.now)


def seen_area(work: Work, inspection: Inspection, user_id: str | None) -> SeenGrid:
    """The cells of its radiograph that this person has seen."""
    image = work.images.find(inspection.image_sha256)
    assert image is not None  # a foreign key holds it
    kept = "" if user_id is None else work.seen_areas.get(inspection.inspection_id, user_id)
    return seen_from(kept, image.width, image.height)


def seen_content(work: Work, inspection: Inspection, user_id: str | None) -> Mapping[str, Any]:
    """What is signed of it: `seen` and `zone`, each left out where nothing was kept, as before it was.

    `seen` holds the `share` of the radiograph, `zone_share` that of the zone where there is one, and `cells`.
    """
    seen, kept = seen_area(work, inspection, user_id), zone_of(work, inspection.inspection_id)
    content: dict[str, Any] = {}
    if kept is not None:
        content["zone"] = kept.to_dict()
    if seen.cells.any():
        content["seen"] = {"share": round(seen.share(), _DECIMALS), "cells": seen.to_text()}
        if kept is not None and kept.zone is not None:
            share = round(seen.share(seen.cells_in(kept.zone)), _DECIMALS)
            content["seen"]["zone_share"] = share
    return content


@dataclass(frozen=True, slots=True)
class SeenShares:
    """The shares, 0 to 1, that somebody has seen at 1:1 or more: of the radiograph and of its zone."""

    radiograph: float
    zone: float | None

    @property
    def words(self) -> str:
        """Such as "46 % of the radiograph, 100 % of the zone"."""
        of_zone = "" if self.zone is None else f", {seen_words(self.zone)} of the zone"
        return f"{seen_words(self.radiograph)} of the radiograph{of_zone}"


def seen_shares(work: Work, inspection: Inspection, signatures: Sequence[Signature]) -> SeenShares | None:
    """The shares of whoever signed first, else of the inspector; None where nothing was kept."""
    who = signatures[0].signer_id if signatures else inspection.inspector_id
    return shares_of(work, inspection, who)


def shares_of(work: Work, inspection: Inspection, user_id: str | None) -> SeenShares | None:
    """The shares that this person has seen; None where nothing was kept."""
    seen = seen_content(work, inspection, user_id).get("seen")
    return None if seen is None else SeenShares(seen["share"], seen.get("zone_share"))


def seen_words(share: float) -> str:
    """Such as "87 %"; never 100 before all of it was seen."""
    return f"{int(100 * share)} %"
