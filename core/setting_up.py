"""Bringing an installation up to date: schema, shipped models, the first account."""

from core.config import ROOT, Settings
from core.container import open_container
from core.domain.accounts import COMMAND_LINE
from core.domain.serving import ChangeKind
from core.services.accounts.accounts import NewPassword

CHECKPOINTS = ROOT / "models" / "checkpoints"


def set_up(settings: Settings) -> dict[str, tuple[int, ...]]:
    """Create or upgrade the database and register the shipped models; what was done before is left alone.

    Files that interrupted uploads left behind are removed.

    Returns:
        Registered version numbers by model name.
    """
    from core.services.images.orphan_cleanup import sweep_originals
    from core.services.lifecycle.registering import register_shipped

    (ROOT / settings.data_dir).mkdir(parents=True, exist_ok=True)
    with open_container(settings, newest=True) as services:
        sweep_originals(services.blobs, services.store)
        registered = register_shipped(CHECKPOINTS, services.registry)
        services.alias_history.observe(kind=ChangeKind.SETUP, by=COMMAND_LINE)
    return registered


def set_up_first_admin(settings: Settings) -> NewPassword | None:
    """The first account with its password, which nothing keeps; None when there are accounts already."""
    with open_container(settings, newest=True) as services:
        return services.accounts.add_first_admin()
