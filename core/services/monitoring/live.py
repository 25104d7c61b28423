"""The running reliability of a version: what inspectors confirmed and dismissed of what it reported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.domain.accounts import Identity
from core.domain.model_version import ModelVersion
from core.domain.permissions import Action, require
from core.domain.reading import Call, equipment_of, indication_from, setup_from
from core.evaluate.live_calibration import DecidedBox, LiveCalibration, live_by, live_calibration
from core.store.unit_of_work import Store

#: Boxes of one reading are alike: fewer readings are no ground for a verdict, however many boxes they hold.
LEAST_READINGS = 10
#: Newest readings that are counted.
MOST_READINGS = 2_000


@dataclass(frozen=True, slots=True)
class LiveReliability:
    """What inspectors decided on a version's boxes.

    Attributes:
        n_readings: saved readings of its inspections, the newest `MOST_READINGS` at most.
        n_open: boxes that nobody decided on.
        n_left_out: dismissed as non-relevant or geometry: in the part, so no error of the detector and no
            imperfection either.
        all: over all decided boxes.
        by_part, by_equipment: where the setup states them.
    """

    n_readings: int
    n_open: int
    n_left_out: int
    all: LiveCalibration
    by_part: Mapping[str, LiveCalibration]
    by_equipment: Mapping[str, LiveCalibration]

    @property
    def words(self) -> str:
        """What the figures say, in one sentence without a full stop."""
        if self.all.d_ece is None or self.n_readings >= LEAST_READINGS:
            return self.all.words
        n = self.n_readings
        return (
            f"D-ECE {self.all.d_ece:.3f}, from {n} reading{'' if n == 1 else 's'} whose boxes are alike: too "
            f"few to tell, {LEAST_READINGS} are the least"
        )


class LiveCalibrationService:
    """Counts decisions.

    Args:
        store: the real one.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, identity: Identity, version: ModelVersion) -> LiveReliability:
        """The running reliability of the version with its calibration.

        Raises:
            NotAllowedError: the role may not look at versions.
        """
        require(identity, Action.MODELS_READ)
        with self._store.read() as work:
            readings = work.decided.of(version.sha256, version.calibration.calibration_id, MOST_READINGS)
        boxes: list[DecidedBox] = []
        n_open = n_left_out = 0
        for setup, content in readings:
            decided, still_open, left_out = _decided(setup, content)
            boxes += decided
            n_open, n_left_out = n_open + still_open, n_left_out + left_out
        return LiveReliability(
            len(readings),
            n_open,
            n_left_out,
            live_calibration(boxes),
            live_by(boxes, "part"),
            live_by(boxes, "equipment"),
        )


def _decided(
    setup: Mapping[str, Any], content: Sequence[Mapping[str, Any]]
) -> tuple[list[DecidedBox], int, int]:
    """The decided boxes of a reading, how many are open, and how many say nothing about the detector."""
    stated = setup_from(setup)
    boxes, n_open, n_left_out = [], 0, 0
    for one in map(indication_from, content):
        if one.model_index is None or one.probability is None:
            continue  # added by a person
        if one.call is Call.OPEN:
            n_open += 1
        elif one.call is Call.DISMISSED and not one.is_detector_error:
            n_left_out += 1
        else:
            is_true = one.call is Call.CONFIRMED
            boxes.append(DecidedBox(one.probability, is_true, stated.part, equipment_of(stated)))
    return boxes, n_open, n_left_out
