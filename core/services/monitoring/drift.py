"""Drift of the images that a version reads: observed one by one, tested by windows, alarmed, acknowledged.

The reference of a version are the first images that it read after it came into use: those are of this site's
equipment and parts, which the images that calibrated it need not be (how far one image is from those is told
by its familiarity). Then every `WINDOW` images are tested, over all images of the version and, where the
setup states them, over those of each equipment and part.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from core.domain.accounts import SYSTEM, Identity
from core.domain.drift import NOISE, DriftAlarm, DriftResult, NoiseSensitivity, Scope, ScopeKind
from core.domain.errors import BadInputError, WorkbenchError
from core.domain.permissions import Action, require
from core.domain.reading import Setup, equipment_of, setup_from
from core.domain.records import Inspection, new_id
from core.evaluate.drift_power import noise_sensitivity
from core.evaluate.drift_tests import Sample, drift_between
from core.services.images.images import ImageService
from core.services.inference.detecting import DetectService
from core.services.monitoring.observing import figures_of
from core.store.monitoring import Observation
from core.store.recent import Recent
from core.store.unit_of_work import Store, Work

log = logging.getLogger(__name__)
#: Images of the reference, and of each window that is compared with it.
REFERENCE, WINDOW = 100, 50
#: Probability of an alarm of one window where nothing changed.
ALPHA = 0.03
_N_FAMILIES = 2
LONGEST_NOTE = 500
#: Images that were read longer ago are not observed any more.
_HORIZON = timedelta(days=30)
_AT_ONCE = 20


@dataclass(frozen=True, slots=True, eq=False)
class DriftState:
    """What is known of the images that a version reads.

    Attributes:
        n_observed: images since the reference began.
        n_missing: images until the next window is full.
        last: result of the last full window over all images; None before the first one.
        alarms: every one, newest first.
        sensitivity: how soon more noise is noticed; None before the reference is full or without noise.
    """

    n_observed: int
    n_missing: int
    last: DriftResult | None
    alarms: tuple[DriftAlarm, ...]
    sensitivity: NoiseSensitivity | None = None


class DriftService:
    """Observes images, raises alarms, knows which stand.

    Args:
        store: the real one.
        images: gives the pixels.
        detect: gives the embedding.
        size: images of the reference, and of each window.
        make_id: gives ids of alarms.
    """

    def __init__(
        self,
        store: Store,
        images: ImageService,
        detect: DetectService,
        *,
        size: tuple[int, int] = (REFERENCE, WINDOW),
        make_id: Callable[[], str] = new_id,
    ) -> None:
        self._store = store
        self._images = images
        self._detect = detect
        self._n_reference, self._n_window = size
        self._make_id = make_id
        self._alarms = Recent(self._alarms_of)

    def _alarms_of(self, model_sha256: str) -> Sequence[DriftAlarm]:
        with self._store.read() as work:
            return work.drift_alarms.of(model_sha256)

    def observe_next(self) -> int:
        """Observe the next images that were read, and test full windows; the number of images."""
        with self._store.read() as work:
            ids = work.observations.pending(work.now - _HORIZON, _AT_ONCE)
            found = [one for one in map(work.inspections.find, ids) if one is not None]
        for inspection in found:
            self.keep(inspection, self._observed(inspection))
        return len(found)

    def keep(self, inspection: Inspection, observed: Observation) -> None:
        """Keep an observation and test the windows that it fills."""
        with self._store.write() as work:
            if not work.observations.add(observed) or not observed.figures:
                return
            standing = {one.scope for one in work.drift_alarms.of(observed.model_sha256) if one.is_standing}
            for scope in scopes_of(observed):  # an alarm of all images covers those of part and equipment
                if Scope(ScopeKind.VERSION) in standing:
                    return
                window = self._full_window(work, observed.model_sha256, scope)
                if window is None or scope in standing:
                    continue
                reference, recent = window
                result = _compared(reference, recent)
                if result.is_alarm:
                    self._raise(work, inspection, scope, reference, recent, result)
                    standing.add(scope)
        self._alarms.forget()

    def void_words(self, inspection: Inspection) -> str:
        """Why no probability of this inspection is verified: drift that was not acknowledged; else empty."""
        return _void_words(self._alarms.get(inspection.model.sha256), inspection)

    def reported(self, inspection: Inspection) -> str | None:
        """What a report says of drift: the newest alarm that covers the inspection, and what became of it."""
        with self._store.read() as work:
            alarms = work.drift_alarms.of(inspection.model.sha256)
            alarm = next(iter(_covering(alarms, inspection)), None)
            if alarm is None or alarm.acknowledged_at is None:
                return None if alarm is None else alarm.void_words
            user = work.users.find(alarm.acknowledged_by or "")
        by = "a command on the server" if user is None else user.shown_name
        return f"{alarm.words}, acknowledged by {by} on {alarm.acknowledged_at:%Y-%m-%d}: {alarm.note}"

    def standing(self, model_sha256: str, *, setup: Setup | None = None) -> str:
        """The alarm that stands now for a version, in words; empty where none does.

        Args:
            model_sha256: of its weights.
            setup: of what is inspected; None takes alarms of any part and equipment.
        """
        alarms = [one for one in self._alarms.get(model_sha256) if one.is_standing]
        named = None if setup is None else {"equipment": equipment_of(setup), "part": setup.part}
        return next((one.words for one in alarms if named is None or one.scope.covers(**named)), "")

    def n_standing(self) -> Mapping[tuple[str, int], int]:
        """Number of alarms that stand by model and version."""
        found: dict[tuple[str, int], int] = {}
        with self._store.read() as work:
            for one in work.drift_alarms.standing():
                key = (one.model_name, one.model_version)
                found[key] = found.get(key, 0) + 1
        return found

    def state(self, identity: Identity, model_sha256: str) -> DriftState:
        """What is known of the images that a version reads, and its alarms.

        Raises:
            NotAllowedError: the role may not look at versions.
        """
        require(identity, Action.MODELS_READ)
        scope = Scope(ScopeKind.VERSION)
        with self._store.read() as work:
            since = _reference_since(work, model_sha256, scope)
            n = work.observations.count(model_sha256, scope, since)
            n_full = max(0, n - self._n_reference) // self._n_window
            reference, recent = self._window(work, model_sha256, scope, since, max(n_full, 1))
            alarms = work.drift_alarms.of(model_sha256)
        return DriftState(
            n_observed=n,
            n_missing=self._n_reference + self._n_window * (n_full + 1) - n,
            last=_compared(reference, recent) if n_full else None,
            alarms=tuple(alarms),
            sensitivity=self._sensitivity(reference) if n >= self._n_reference else None,
        )

    def acknowledge(
        self, identity: Identity, alarm_id: str, *, note: str, is_new_reference: bool = False
    ) -> DriftAlarm:
        """The alarm, acknowledged; what it voided counts again from now on.

        Args:
            identity: who takes it on themselves.
            alarm_id: of the alarm.
            note: why, kept for good.
            is_new_reference: images since the change are what later ones are compared with.

        Raises:
            NotAllowedError: the role may not.
            UnknownRecordError: there is no such alarm.
            BadInputError: there is no note, or it was acknowledged before.
        """
        require(identity, Action.DRIFT_ACKNOWLEDGE)
        if not note.strip() or len(note) > LONGEST_NOTE:
            raise BadInputError(
                f"say why in 1 to {LONGEST_NOTE} characters: what changed, and why it is right"
            )
        with self._store.write() as work:
            alarm = work.drift_alarms.find(alarm_id)
            if not alarm.is_standing:
                raise BadInputError("this drift alarm was acknowledged before")
            done = replace(
                alarm,
                acknowledged_at=work.now,
                acknowledged_by=identity.account_id,
                note=note.strip(),
                is_new_reference=is_new_reference,
            )
            work.drift_alarms.save_acknowledged(done)
            work.audit.record(
                identity,
                action="drift.acknowledged",
                object_type="drift_alarm",
                object_id=alarm_id,
                details={"model": _named(done), "note": done.note, "is_new_reference": is_new_reference},
            )
        self._alarms.forget()
        return done

    def _observed(self, inspection: Inspection) -> Observation:
        setup, model = setup_from(inspection.setup), inspection.model
        figures: Mapping[str, float] = {}
        embedding = None
        try:
            radiograph = self._images.load(inspection.image_sha256, polarity=inspection.polarity, keep=False)
            embedding = self._detect.appearance(radiograph, model=model.name, version=model.version)
            figures = figures_of(radiograph, inspection.detections, model.operating_probability)
        except WorkbenchError as error:
            log.warning("image %s could not be observed: %s", inspection.image_sha256[:12], error)
        return Observation(
            model.sha256,
            inspection.image_sha256,
            inspection.inspection_id,
            inspection.created_at,
            equipment_of(setup),
            setup.part,
            figures,
            embedding,
        )

    def _sensitivity(self, reference: Sequence[Observation]) -> NoiseSensitivity | None:
        figures = sample_of(reference).figures
        if NOISE not in figures:
            return None
        error = ALPHA / _N_FAMILIES / len(figures)  # the first step of Holm
        return noise_sensitivity(figures[NOISE], n_window=self._n_window, error=error)

    def _full_window(
        self, work: Work, model_sha256: str, scope: Scope
    ) -> tuple[list[Observation], list[Observation]] | None:
        """Reference and window, where the newest observation filled one."""
        since = _reference_since(work, model_sha256, scope)
        n = work.observations.count(model_sha256, scope, since) - self._n_reference
        if n <= 0 or n % self._n_window:
            return None
        return self._window(work, model_sha256, scope, since, n // self._n_window)

    def _window(
        self, work: Work, model_sha256: str, scope: Scope, since: datetime | None, number: int
    ) -> tuple[list[Observation], list[Observation]]:
        """Reference and the window of that number, from 1."""
        offset = self._n_reference + self._n_window * (number - 1)
        page = work.observations.page
        return (
            page(model_sha256, scope, since, offset=0, limit=self._n_reference),
            page(model_sha256, scope, since, offset=offset, limit=self._n_window),
        )

    def _raise(
        self,
        work: Work,
        inspection: Inspection,
        scope: Scope,
        reference: Sequence[Observation],
        recent: Sequence[Observation],
        result: DriftResult,
    ) -> None:
        alarm = DriftAlarm(
            alarm_id=self._make_id(),
            model_name=inspection.model.name,
            model_version=inspection.model.version,
            model_sha256=inspection.model.sha256,
            scope=scope,
            since=recent[0].observed_at,
            raised_at=work.now,
            n_reference=len(reference),
            n_recent=len(recent),
            result=result,
        )
        work.drift_alarms.add(alarm)
        work.audit.record(
            SYSTEM,
            action="drift.raised",
            object_type="drift_alarm",
            object_id=alarm.alarm_id,
            details={"model": _named(alarm), "scope": scope.words, "what": alarm.words},
        )
        log.warning("%s: %s", _named(alarm), alarm.words)


def void_words(work: Work, inspection: Inspection) -> str:
    """Why no probability of this inspection is verified, within `work`; empty where it is."""
    return _void_words(work.drift_alarms.of(inspection.model.sha256), inspection)


def _void_words(alarms: Sequence[DriftAlarm], inspection: Inspection) -> str:
    return next((one.void_words for one in _covering(alarms, inspection) if one.is_standing), "")


def _covering(alarms: Sequence[DriftAlarm], inspection: Inspection) -> list[DriftAlarm]:
    """Alarms that cover the inspection, newest first; without those that were acknowledged before."""
    setup, made = setup_from(inspection.setup), inspection.created_at
    named = {"equipment": equipment_of(setup), "part": setup.part}
    return [
        one
        for one in alarms
        if one.scope.covers(**named)
        and one.since <= made
        and (one.acknowledged_at is None or made < one.acknowledged_at)
    ]


def scopes_of(observed: Observation) -> tuple[Scope, ...]:
    """The images that this one is compared with: all, those of its equipment, those of its part."""
    stated = ((ScopeKind.EQUIPMENT, observed.equipment), (ScopeKind.PART, observed.part))
    return (Scope(ScopeKind.VERSION), *(Scope(kind, value) for kind, value in stated if value))


def sample_of(observed: Sequence[Observation]) -> Sample:
    """The observations as one sample; embeddings only where every image has one."""
    names = sorted({name for one in observed for name in one.figures})
    figures = {
        name: np.array([one.figures.get(name, np.nan) for one in observed], np.float64) for name in names
    }
    kept: list[Any] = [one.embedding for one in observed if one.embedding is not None]
    is_whole = len(kept) == len(observed) and len({len(one) for one in kept}) == 1
    return Sample(figures, np.stack(kept) if is_whole else None)


def _compared(reference: Sequence[Observation], recent: Sequence[Observation]) -> DriftResult:
    return drift_between(sample_of(reference), sample_of(recent), alpha=ALPHA)


def _reference_since(work: Work, model_sha256: str, scope: Scope) -> datetime | None:
    """From when on observations are the reference; None for the first ones of the version."""
    renewed = [
        one.since
        for one in work.drift_alarms.of(model_sha256)
        if one.is_new_reference and (one.scope == scope or one.scope.kind is ScopeKind.VERSION)
    ]
    return max(renewed, default=None)


def _named(alarm: DriftAlarm) -> str:
    return f"{alarm.model_name} v{alarm.model_version}"
