"""Objects that all sessions and routes of this process share."""

import logging
import threading
from dataclasses import dataclass, field
from functools import partial

from app.inspection.analysis_queue import AnalysisQueue
from app.inspection.heat_maps import HeatMaps
from app.inspection.tray import EntryState, TrayEntry, Trays
from app.inspection.uploads import Intake
from app.shared.guest_tokens import GuestTokens
from app.shared.presence import Presence
from core.config import load_settings
from core.container import Container
from core.domain.accounts import Identity
from core.domain.reading import setup_from
from core.keys import Purpose
from core.services.lifecycle.served_models import ServedModels

MODELS = ("weld", "casting")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Resources:
    """The services and what the app remembers around them.

    Attributes:
        champions: who answers in this process.
        is_demo: visitors without an account are let in as guests.
        presence: who looks at which image that is labelled.
    """

    services: Container
    tokens: GuestTokens
    trays: Trays
    intake: Intake
    analyses: AnalysisQueue
    maps: HeatMaps
    champions: ServedModels
    is_demo: bool = False
    presence: Presence = field(default_factory=Presence)

    def close(self) -> None:
        """Let background work finish and give back the connections."""
        self.intake.close()
        self.analyses.close()
        self.services.close()

    def forget(self, visitor: str) -> None:
        """Drop what is remembered about this visitor; what was stored is not touched."""
        self.trays.forget(visitor)
        self.analyses.forget(visitor)
        self.maps.forget(visitor)


def make_resources(services: Container, *, is_demo: bool = False) -> Resources:
    """The app's objects around the given services; what holds state is made now, by one thread."""
    services.health  # its clock starts  # noqa: B018
    analyses = AnalysisQueue(services.workspace_of, services.detect)
    held = Resources(
        services=services,
        tokens=GuestTokens(services.key(Purpose.GUEST)),
        trays=Trays(partial(recalled, services)),
        intake=Intake(services.workspace_of),
        analyses=analyses,
        maps=HeatMaps(analyses, services.explain),
        champions=services.served,
        is_demo=is_demo,
    )
    services.demo.when_ended(held.forget)
    return held


def recalled(services: Container, visitor: Identity) -> list[TrayEntry]:
    """What lay on this visitor's table before this process started, each with the versions that read it."""
    workspace = services.workspace_of(visitor)
    entries = workspace.worklist.entries(visitor)
    with workspace.store.read() as work:
        readers = work.history.readers(visitor.user_id, {kept.image_sha256 for kept in entries})
    return [
        TrayEntry(
            kept.entry_id,
            kept.name,
            kept.polarity,
            EntryState.STORED,
            kept.image_sha256,
            setup=setup_from(kept.setup),
            read_by={name: number for (image, name), number in readers.items() if image == kept.image_sha256},
        )
        for kept in entries
    ]


_held: list[Resources] = []
_lets_guests_in = threading.Event()
_making = threading.Lock()


def resources() -> Resources:
    """The objects of this process, made on the first call.

    Raises:
        ConfigurationError: the environment does not allow a start.
    """
    with _making:
        if not _held:
            _held.append(
                make_resources(Container(load_settings(), serves=True), is_demo=_lets_guests_in.is_set())
            )
        return _held[0]


def let_guests_in() -> None:
    """Serve the demo from now on; to be called before the objects are made."""
    _lets_guests_in.set()


def use_resources(held: Resources) -> None:
    """Let this process work with objects that were made elsewhere."""
    forget_resources()
    with _making:
        _held.append(held)


def forget_resources() -> None:
    """Close and drop them; the next call makes new ones."""
    with _making:
        while _held:
            _held.pop().close()


def keep_up_with_registry() -> None:
    """Load the networks of the champions, so that the first visitor does not wait for them, and keep up."""
    resources().services.registry_sync.start()
