"""Making an installation ready: schema, shipped models, first account; what must be right before serving."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from core.audit.key_state import KeyState, key_problem, key_state, lost_key_file
from core.config import ROOT, Settings
from core.container import Container, open_container
from core.domain.accounts import COMMAND_LINE
from core.domain.errors import ConfigurationError, SigningKeyError
from core.domain.serving import ChangeKind
from core.services.accounts.accounts import NewPassword
from core.services.operations.checks import Check, problems
from core.store.condition import knows_images, log_end
from core.store.database import upgrade

log = logging.getLogger(__name__)
CHECKPOINTS = ROOT / "models" / "checkpoints"


@dataclass(frozen=True, slots=True)
class SetUp:
    """What setting up came to.

    Attributes:
        registered: version numbers by model name.
        first_admin: the first account with its password, which nothing keeps; None when there were accounts.
        warnings: sentences about what does not stop the work.
        problems: sentences about models that cannot be used.
    """

    registered: dict[str, tuple[int, ...]]
    first_admin: NewPassword | None
    warnings: tuple[str, ...]
    problems: tuple[str, ...]


def set_up(settings: Settings) -> SetUp:
    """Create or upgrade the database, register the shipped models; what was done before is left alone.

    Files that interrupted uploads left behind are removed. Data folder, database and registry are closed to
    other users of the machine.

    Raises:
        ConfigurationError: something is wrong that has to be put right first; nothing was changed.
    """
    from core.services.images.orphan_cleanup import sweep_originals
    from core.services.lifecycle.registering import register_shipped

    with open_container(settings) as services:
        services.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        require(_before_upgrade(services))
        upgrade(services.database)
        services.audit.take_up(COMMAND_LINE)
        sweep_originals(services.blobs, services.store)
        registered = register_shipped(CHECKPOINTS, services.registry, services.frozen)
        services.alias_history.observe(kind=ChangeKind.SETUP, by=COMMAND_LINE)
        first_admin = services.accounts.add_first_admin()
        checks = services.checks.all() if registered else (services.checks.disk(),)
        models = tuple(check.problem for check in checks if check.name == "models" and check.problem)
        told = (*services.close_to_others(), *_strange_films(services), *problems(checks, is_vital=False))
    return SetUp(registered, first_admin, tuple(one for one in told if one not in models), models)


def require_ready(settings: Settings) -> list[str]:
    """Sentences about what should be looked after although the product can be served.

    Raises:
        ConfigurationError: it cannot: names what is wrong, what is safe and what to do.
    """
    with open_container(settings) as services:
        stay_open = services.close_to_others()
        require(services.checks.vital())
        return [*stay_open, *problems(services.checks.all(), is_vital=False)]


def require(checks: Iterable[Check]) -> None:
    """Return when nothing vital is wrong.

    Raises:
        ConfigurationError: the first vital problem: others often have the same cause.
    """
    for problem in problems(checks, is_vital=True):
        raise ConfigurationError(problem)


@dataclass(frozen=True, slots=True)
class KeyChange:
    """Ids of the signing key until now, empty when it is not known, and from now on."""

    before: str
    after: str


def rotate_key(settings: Settings, *, is_lost: bool = False) -> KeyChange:
    """Let another key seal from now on, and say so in the audit log; the earlier one goes on verifying.

    A key that is kept in the data folder is replaced by a new one. A key that JWT_SECRET gives is replaced
    there first, by a person; then this writes the change down.

    Args:
        settings: of this process.
        is_lost: the key until now is gone for good; what it sealed cannot be verified any more.

    Raises:
        ConfigurationError: nothing was changed: says what has to be done first.
    """
    with open_container(settings) as services:
        require([services.checks.database()])
        head = log_end(services.database)
        if settings.jwt_secret is None and services.key_file.read() is None:
            if not is_lost:
                raise SigningKeyError(lost_key_file(services.key_file.name))
            services.key_file.make()
        ring = services.trail.ring
        state = key_state(head, ring)
        is_given = settings.jwt_secret is not None
        _require_rotatable(state, key_problem(head, ring), is_given=is_given, is_lost=is_lost)
        if state in (KeyState.CURRENT, KeyState.UNUSED):
            services.key_file.replace()
    with open_container(settings) as services, services.store.write() as work:
        change = KeyChange("" if head is None else head.key_id, services.trail.ring.current_id)
        work.audit.record_key_change(COMMAND_LINE, before=change.before, is_lost=is_lost)
    return change


def _require_rotatable(state: KeyState, problem: str | None, *, is_given: bool, is_lost: bool) -> None:
    if state is KeyState.DAMAGED or (state is KeyState.UNKNOWN and not is_lost):
        raise SigningKeyError(problem)
    if is_lost and state is not KeyState.UNKNOWN:
        raise ConfigurationError("the key is not lost: run `radikal key rotate` without --lost")
    if is_given and state in (KeyState.CURRENT, KeyState.UNUSED):
        raise ConfigurationError(
            "JWT_SECRET: this key sealed the newest event; nothing was changed. Put a new one there and this "
            "one into JWT_SECRET_PREVIOUS, then run `radikal key rotate` again"
        )


def _before_upgrade(services: Container) -> Iterator[Check]:
    """What has to be right before anything is written, of an empty database, too; each looked at in turn."""
    checks = services.checks
    yield checks.data_folder()
    yield checks.disk()
    if not (database := checks.database()).facts["reachable"]:
        yield database
    yield checks.originals()
    if log_end(services.database) is not None:
        yield checks.signing_key()


def _strange_films(services: Container) -> list[str]:
    """A warning when there are films that a database without images cannot know."""
    if knows_images(services.database) or next(services.blobs.digests(), None) is None:
        return []
    where = services.settings.originals_url or services.data_dir / "originals"
    return [
        f"{where} holds films that this database does not know; they were left "
        "alone. If the database was lost, restore it from a backup before films are handed in"
    ]
