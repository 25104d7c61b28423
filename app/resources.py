"""Objects that all sessions and routes of this process share."""

import logging
import threading
from dataclasses import dataclass

from app.analysis import AnalysisDesk
from app.champions import Champions
from app.guest import GuestTokens, signing_key
from app.intake import Intake
from app.maps import HeatMaps
from app.tray import Trays
from core.bootstrap import Services, build_services
from core.config import load_settings
from core.domain.errors import WorkbenchError

MODELS = ("weld", "casting")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Resources:
    """The services and what the app remembers around them."""

    services: Services
    tokens: GuestTokens
    trays: Trays
    intake: Intake
    desk: AnalysisDesk
    maps: HeatMaps
    champions: Champions

    def close(self) -> None:
        """Let background work finish."""
        self.intake.close()
        self.desk.close()


def make_resources(services: Services) -> Resources:
    """The app's objects around the given services."""
    desk = AnalysisDesk(services.images, services.detect)
    return Resources(
        services=services,
        tokens=GuestTokens(signing_key(services.settings)),
        trays=Trays(),
        intake=Intake(services.images),
        desk=desk,
        maps=HeatMaps(desk, services.explain),
        champions=Champions(services.registry),
    )


_held: list[Resources] = []
_making = threading.Lock()


def resources() -> Resources:
    """The objects of this process, made on the first call.

    Raises:
        ConfigurationError: the environment does not allow a start.
    """
    with _making:
        if not _held:
            _held.append(make_resources(build_services(load_settings())))
        return _held[0]


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


def load_champions() -> None:
    """Load the networks of the champions, so that the first visitor does not wait for them."""
    held = resources()
    for name in MODELS:
        try:
            held.services.detect.warm_up(held.champions.champion(name))
        except WorkbenchError as error:
            log.warning("the champion of %s is not loaded: %s", name, error)
