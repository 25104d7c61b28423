"""Objects that all sessions and routes of this process share."""

import logging
import threading
from dataclasses import dataclass
from functools import cache

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


@dataclass(frozen=True, slots=True)
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


@cache
def _made() -> Resources:
    return make_resources(build_services(load_settings()))


_making = threading.Lock()


def resources() -> Resources:
    """The objects of this process, made on the first call.

    Raises:
        ConfigurationError: the environment does not allow a start.
    """
    with _making:
        return _made()


def forget_resources() -> None:
    """Close and drop them, so that the next call reads the environment again."""
    with _making:
        if _made.cache_info().currsize:
            _made().close()
        _made.cache_clear()


def load_champions() -> None:
    """Load the networks of the champions, so that the first visitor does not wait for them."""
    held = resources()
    for name in MODELS:
        try:
            held.services.detect.detector_for(held.champions.champion(name))
        except WorkbenchError as error:
            log.warning("the champion of %s is not loaded: %s", name, error)
