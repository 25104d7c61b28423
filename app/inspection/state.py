"""State of the inspection page: of one session, and of the process for all sessions."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import streamlit as st

from app.inspection.analysis_queue import AnalysisQueue
from app.inspection.heat_maps import HeatMaps
from app.inspection.numbers import Numbers
from app.inspection.uploads import Intake
from app.shared.access import current_identity
from app.shared.resources import Resources, resources
from app.shared.state import kept, reported
from app.shared.uploads import upload_store
from app.shared.worklist import Worklist, worklists
from core.domain.radiograph import Polarity
from core.domain.reading import Setup
from core.services.inspections.open_readings import OpenReading, ReadingProgress

#: An overtaken run of the page may leave old things on show; who polls on for a while sees the end.
POLLS_ON_S = 6.0
#: An image that waits longer for other machines says so.
TOLD_AFTER_S = 8.0
VIEWER_KEY = "inspection.viewer"
TEMPLATE_KEY, SCOPE_KEY = "setup.template", "setup.scope"


class Scope(StrEnum):
    """The images that a change of the setup counts for."""

    THIS = "This image"
    ALL = "All images on the worklist"


@dataclass(frozen=True, slots=True)
class Signing:
    """An inspection that somebody is about to sign, at the versions that were on show."""

    inspection_id: str
    version: int
    reading_version: int


@dataclass
class InspectionPageState:
    """The inspection page in one session.

    Attributes:
        threshold: last reported by the viewer; None takes the model's operating point.
        threshold_model: model and version the threshold was chosen for.
        uploader: counts up to empty the file chooser after its files were taken.
        taken: ids of the files that were taken; the browser may report the same ones twice.
        remark: one line on those of the last files that were not taken.
        setup: for images that are handed in from now on, without the numbers that belong to one image.
        numbers: gives each of them its own.
        opened: key of the entry that the visitor opened last; one that shows by itself is not opened.
        outcome: whether the last change of the setup was saved, and what to say about it.
        n_applied: changes of the setup that were saved.
        progress: how far each image is read, by the key of its worklist entry.
        shown: the reading that was shown last, with its verdict.
        refused: the change of the reading that was not saved last, and why: `edit` and `message`.
        signing: waits for the password.
        asked: the one that the dialog was opened for.
        polls_until: the viewer looks for news until then, on the monotonic clock in seconds.
    """

    threshold: float | None = None
    threshold_model: str = ""
    uploader: int = 0
    taken: set[str] = field(default_factory=set)
    remark: str = ""
    setup: Setup = field(default_factory=Setup)
    numbers: Numbers = field(default_factory=Numbers)
    opened: str | None = None
    outcome: tuple[bool, str] = (True, "")
    n_applied: int = 0
    progress: dict[str, ReadingProgress] = field(default_factory=dict)
    shown: OpenReading | None = None
    refused: dict[str, Any] = field(default_factory=dict)
    signing: Signing | None = None
    asked: Signing | None = None
    polls_until: float = 0.0

    def wants_dialog(self) -> bool:
        """True once when something waits to be signed: the dialog is drawn by a run of the whole page."""
        is_new = self.signing is not None and self.signing is not self.asked
        self.asked = self.signing
        return is_new

    def polls(self, *, is_pending: bool, now: float) -> bool:
        """True while there is something to wait for, and for `POLLS_ON_S` after that; `now` in seconds."""
        if is_pending:
            self.polls_until = now + POLLS_ON_S
        return now < self.polls_until

    def take_outcome(self) -> tuple[bool, str]:
        """The outcome of the last change of the setup, once."""
        taken, self.outcome = self.outcome, (True, "")
        return taken


def remembered() -> InspectionPageState:
    """The state of the inspection page in this session."""
    return kept("inspection", InspectionPageState)


def chosen_polarity() -> Polarity:
    """The polarity that the setup states for new images; UNKNOWN where it is estimated, or asked."""
    return Polarity(remembered().setup.polarity or Polarity.UNKNOWN)


def chosen_scope() -> Scope:
    """The images that a change of the setup counts for; ALL where none is on show."""
    return Scope(st.session_state.get(SCOPE_KEY) or Scope.THIS)


def take_template() -> str | None:
    """The template that was chosen, and nothing chosen any more; only from a callback."""
    taken, st.session_state[TEMPLATE_KEY] = st.session_state.get(TEMPLATE_KEY), None
    return taken


def uploaded_files(key: str) -> list[Any]:
    """The files in the chooser of this key."""
    return list(st.session_state.get(key) or [])


def viewer_event(name: str) -> Any:
    """The viewer's event of this name in this run, None when there is none."""
    return reported(VIEWER_KEY, name)


def own_worklist() -> Worklist:
    """The worklist of whoever runs the page."""
    return worklists().of(current_identity())


def intake() -> Intake:
    """Reads files in the background, for all sessions."""
    return resources().part(_intake)


def analyses() -> AnalysisQueue:
    """Analyses images in the background, for all sessions."""
    return resources().part(_analyses)


def heat_maps() -> HeatMaps:
    """Computes and keeps heat maps, for all sessions."""
    return resources().part(_heat_maps)


def _intake(held: Resources) -> Intake:
    return Intake(held.services.workspace_of, held.part(upload_store).hold)


def _analyses(held: Resources) -> AnalysisQueue:
    services, settings = held.services, held.services.settings
    return AnalysisQueue(
        services.workspace_of,
        services.detect,
        services.picking,
        n_workers=settings.read_at_once,
        told_after_s=None if settings.engine == "local" else TOLD_AFTER_S,
    )


def _heat_maps(held: Resources) -> HeatMaps:
    return HeatMaps(held.part(_analyses), held.services.explain)
