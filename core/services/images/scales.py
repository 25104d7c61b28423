"""Setting the scale of an image: from then on it counts, and what rests on it is made again."""

from collections.abc import Mapping
from typing import Any

from core.domain.accounts import Identity
from core.domain.errors import BadInputError, StaleVersionError
from core.domain.permissions import Action, require
from core.domain.radiograph import PitchSource, PixelPitch
from core.domain.reading import setup_from
from core.domain.records import Inspection, new_id
from core.domain.scale import LEAST_MM, MOST_MM, at_object
from core.services.images.image_quality import ImageQualityService, keep_remade
from core.services.images.images import ImageService
from core.store.unit_of_work import Store, Work
from core.store.workbench import KeptScale

#: So often it is tried again when somebody else decides about an inspection of the image meanwhile.
_TRIES = 4


class ScaleService:
    """Scales of images in one workspace.

    Args:
        store: the workspace's.
        images: its radiographs.
        quality: makes the reports of the image-quality gate.
    """

    def __init__(self, store: Store, images: ImageService, quality: ImageQualityService) -> None:
        self._store = store
        self._images = images
        self._quality = quality

    def set(self, identity: Identity, sha256: str, *, known_mm: float, measured_px: float) -> PixelPitch:
        """The scale of the image from now on: somebody measured a known length on it.

        The image-quality gate of every open inspection of the image is made again with it, in the same
        transaction.

        Args:
            identity: who measured.
            sha256: the image.
            known_mm: length in the part, mm.
            measured_px: its length on the image, px.

        Raises:
            NotAllowedError: the role may not decide about inspections.
            BlobNotFoundError: no such image.
            BadInputError: not positive, or a scale that no radiograph has.
            StaleVersionError: others changed its inspections all the time; nothing was stored.
        """
        require(identity, Action.INSPECTIONS_DECIDE)
        self._images.facts(sha256)
        if not (known_mm > 0 and measured_px > 0 and LEAST_MM < known_mm / measured_px < MOST_MM):
            raise BadInputError(
                f"expected a length in mm and its px on the image, got {known_mm:g} mm and {measured_px:g} px"
            )
        return self._set_again(identity, sha256, (known_mm, measured_px), is_typed=False)

    def type_pitch(self, identity: Identity, sha256: str, pitch_mm: float) -> PixelPitch:
        """The scale of the image from now on: the pixel pitch of its film or detector, as somebody typed it.

        At the object it is divided by the magnification, where the setup of an inspection states the
        distances; see `core.domain.scale.at_object`. The gate's reports are made again as by `set`.

        Args:
            identity: who typed.
            sha256: the image.
            pitch_mm: of one px, mm.

        Raises:
            As `set`.
        """
        require(identity, Action.INSPECTIONS_DECIDE)
        self._images.facts(sha256)
        if not LEAST_MM < pitch_mm < MOST_MM:
            raise BadInputError(f"expected a pixel pitch in mm, got {pitch_mm:g} mm")
        return self._set_again(identity, sha256, (pitch_mm, 1.0), is_typed=True)

    def _set_again(
        self, identity: Identity, sha256: str, known: tuple[float, float], *, is_typed: bool
    ) -> PixelPitch:
        """Set it, once more while others change the image's inspections; `known` is a length, mm and px."""
        for n_left in reversed(range(_TRIES)):
            try:
                pitch = self._set(identity, sha256, known, is_typed=is_typed)
                break
            except StaleVersionError:
                if n_left == 0:
                    raise
        self._images.forget(sha256)
        return pitch

    def _set(
        self, identity: Identity, sha256: str, known: tuple[float, float], *, is_typed: bool
    ) -> PixelPitch:
        known_mm, measured_px = known
        pitch = PixelPitch(known_mm / measured_px, PitchSource.TYPED if is_typed else PitchSource.USER)
        with self._store.read() as work:
            assessed = _assessed(work, sha256)
        made = [(one, self._remade(one, pitch)) for one in assessed]
        with self._store.write() as work:
            there = _assessed(work, sha256)
            if [one.inspection_id for one in there] != [one.inspection_id for one in assessed]:
                raise StaleVersionError("the image's inspections", yours=len(assessed), stored=len(there))
            before = work.scales.newest(sha256)
            kept = KeptScale(
                new_id(),
                sha256,
                pitch.mm_per_px,
                known_mm,
                measured_px,
                identity.account_id,
                work.now,
                is_typed,
            )
            work.scales.add(kept)
            for inspection, report in made:
                keep_remade(work, identity, inspection, report)
            work.audit.record(
                identity,
                action="image.scale_set",
                object_type="image",
                object_id=sha256,
                before={"mm_per_px": before.mm_per_px} if before else None,
                after={"mm_per_px": pitch.mm_per_px},
                details={"known_mm": known_mm, "measured_px": measured_px, "is_typed": is_typed},
            )
        return pitch

    def _remade(self, inspection: Inspection, pitch: PixelPitch) -> Mapping[str, Any]:
        setup = setup_from(inspection.setup)
        return self._quality.remade(inspection, setup, at_object(pitch, setup.exposure))


def _assessed(work: Work, sha256: str) -> list[Inspection]:
    """The open inspections of the image that have a report of the gate, always in the same order."""
    return [one for one in work.inspections.open_of_image(sha256) if one.image_quality is not None]
