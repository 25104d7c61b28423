"""The zone of an inspection that is judged: found on the radiograph, or drawn by a person, or none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.domain.accounts import Identity
from core.domain.errors import ImmutableRecordError
from core.domain.kinds import family_of
from core.domain.permissions import Action, may, require
from core.domain.radiograph import Radiograph
from core.domain.records import Inspection
from core.domain.zone import Zone, zone_from
from core.imaging.zone import judged_zone
from core.services.images.images import ImageService
from core.services.inspections.readings import existing
from core.store.unit_of_work import Store, Work

_FOUND, _DRAWN = "found", "drawn"


@dataclass(frozen=True, slots=True)
class KeptZone:
    """The zone of an inspection.

    Attributes:
        zone: None where none was found, or a person said that there is none.
        is_drawn: by a person.
    """

    zone: Zone | None
    is_drawn: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON for the store and for what is signed."""
        content = {"points": [], "is_band": False} if self.zone is None else self.zone.to_dict()
        return content | {"source": _DRAWN if self.is_drawn else _FOUND}


def kept_zone_from(content: Mapping[str, Any]) -> KeptZone:
    """The zone that `KeptZone.to_dict` wrote."""
    return KeptZone(zone_from(content), content["source"] == _DRAWN)


class ZoneService:
    """Zones in one workspace.

    Args:
        store: the workspace's.
        images: its radiographs.
    """

    def __init__(self, store: Store, images: ImageService) -> None:
        self._store = store
        self._images = images

    def of(self, identity: Identity, inspection: Inspection) -> KeptZone:
        """The zone that is kept with the inspection; found and kept when somebody begins to read it.

        Raises:
            NotAllowedError: the role may not look at inspections.
            BlobNotFoundError, BlobDamagedError: the radiograph is gone or changed.
        """
        require(identity, Action.INSPECTIONS_READ)
        with self._store.read() as work:
            kept = work.zones.get(inspection.inspection_id)
        if kept is not None:
            return kept_zone_from(kept)
        found = KeptZone(found_zone(self._images.load(inspection.image_sha256), inspection), is_drawn=False)
        if inspection.is_open and may(identity.role, Action.INSPECTIONS_DECIDE):
            self._keep(identity, inspection.inspection_id, found, is_only_first=True)
        return kept_zone_from(found.to_dict())  # as it is kept, to a tenth of a px

    def draw(self, identity: Identity, inspection_id: str, zone: Zone | None) -> None:
        """Keep the zone as this person drew it; None says that there is none, so all of it counts alike.

        Raises:
            NotAllowedError: the role may not decide.
            UnknownRecordError: there is no such inspection.
            ImmutableRecordError: it is signed.
        """
        require(identity, Action.INSPECTIONS_DECIDE)
        self._keep(identity, inspection_id, KeptZone(zone, is_drawn=True))

    def find_again(self, identity: Identity, inspection_id: str) -> None:
        """Keep the zone that is found, in place of a drawn one; otherwise as `draw`."""
        require(identity, Action.INSPECTIONS_DECIDE)
        with self._store.read() as work:
            inspection = existing(work, inspection_id)
        zone = found_zone(self._images.load(inspection.image_sha256), inspection)
        self._keep(identity, inspection_id, KeptZone(zone, is_drawn=False))

    def _keep(
        self, identity: Identity, inspection_id: str, zone: KeptZone, *, is_only_first: bool = False
    ) -> None:
        with self._store.write() as work:
            before = work.zones.get(inspection_id)
            if is_only_first and before is not None:
                return
            if not existing(work, inspection_id).is_open:
                if is_only_first:
                    return
                raise ImmutableRecordError("the inspection is signed: a correction is a new revision of it")
            work.zones.put(inspection_id, zone.to_dict(), by=identity.user_id, at=work.now)
            if is_only_first:
                return
            work.audit.record(
                identity,
                action="zone.changed",
                object_type="inspection",
                object_id=inspection_id,
                before=None if before is None else dict(before),
                after=zone.to_dict(),
            )


def found_zone(radiograph: Radiograph, inspection: Inspection) -> Zone | None:
    """The zone that stands out on the radiograph of an inspection; None where none does."""
    return judged_zone(radiograph.pixels, family_of(inspection.model.name), inspection.polarity)


def zone_of(work: Work, inspection_id: str) -> KeptZone | None:
    """The zone that is kept with the inspection, None when nobody has begun to read it."""
    kept = work.zones.get(inspection_id)
    return None if kept is None else kept_zone_from(kept)
