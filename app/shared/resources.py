"""Objects that all sessions and routes of this process share."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar, cast

from app.shared.guest_tokens import GuestTokens
from app.shared.presence import GONE_AFTER_S, Presence
from core.config import load_settings
from core.container import Container
from core.domain.kinds import Family
from core.keys import Purpose
from core.services.accounts.shared_limits import SharedPresence
from core.services.lifecycle.served_models import ServedModels

#: What may be handed in, by the model that reads parts of its kind which were taught.
MODELS = tuple(family.value for family in Family)
Part = TypeVar("Part")


class Resources:
    """The services, and the objects that features keep beside them.

    Args:
        services: of this process.
        is_demo: let visitors without an account in as guests.

    Attributes:
        tokens: issues and checks the tokens of guests.
        presence: sightings of people at images that are labelled.
    """

    def __init__(self, services: Container, *, is_demo: bool = False) -> None:
        self.services = services
        self.is_demo = is_demo
        self.tokens = GuestTokens(services.key(Purpose.GUEST))
        self.presence: Presence | SharedPresence = Presence()
        if services.is_shared:
            self.presence = SharedPresence(services.store, timedelta(seconds=GONE_AFTER_S))
        self._parts: dict[object, object] = {}
        self._lock = threading.RLock()  # a part may need another one
        services.demo.when_ended(self.forget)
        for name in ("health", "detect", "explain", "without_it"):  # they hold state: made now, by one thread
            getattr(services, name)

    @property
    def champions(self) -> ServedModels:
        """The models that answer in this process."""
        return self.services.served

    def part(self, make: Callable[["Resources"], Part]) -> Part:
        """The object that `make` makes of these resources, made on the first call.

        When the process ends its `close()` is called, when a guest leaves its `forget(user_id)`, where it
        has them.
        """
        with self._lock:
            if make not in self._parts:
                self._parts[make] = make(self)
            return cast("Part", self._parts[make])

    def close(self) -> None:
        """Let background work finish and give back the connections."""
        self._tell("close")
        self.services.close()

    def forget(self, visitor: str) -> None:
        """Drop everything that is remembered about this visitor; what was stored is not touched."""
        self._tell("forget", visitor)

    def _tell(self, method: str, *arguments: str) -> None:
        """Call the method of every part that has it, the newest first: they may rest on earlier ones."""
        with self._lock:
            parts = list(reversed(self._parts.values()))
        for part in parts:
            getattr(part, method, lambda *_arguments: None)(*arguments)


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
            _held.append(Resources(Container(load_settings(), serves=True), is_demo=_lets_guests_in.is_set()))
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
