"""The worklist of a person, stored so that it survives a reload or a restart."""

from core.domain.accounts import Identity
from core.domain.errors import BadInputError
from core.domain.permissions import Action, require
from core.domain.radiograph import Polarity
from core.domain.reading import Setup, setup_from
from core.store.unit_of_work import Store
from core.store.workbench import KeptWorklistEntry

#: More than so many are not shown again.
_KEPT = 300
_LONGEST_NAME = 64


class WorklistService:
    """Worklists and templates of setups in one workspace."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(
        self,
        identity: Identity,
        entry_id: str,
        image_sha256: str,
        name: str,
        polarity: Polarity,
        setup: Setup,
    ) -> None:
        """Put an image on the own worklist, in place of an earlier entry of it; commands have no worklist.

        Raises:
            NotAllowedError: the role may not hand in radiographs.
        """
        require(identity, Action.IMAGES_ADD)
        if identity.account_id is None:
            return
        with self._store.write() as work:
            entry = KeptWorklistEntry(
                entry_id=entry_id,
                user_id=identity.user_id,
                image_sha256=image_sha256,
                name=name,
                polarity=polarity,
                setup=setup.to_dict(),
                added_at=work.now,
            )
            work.worklist.put(entry)

    def remove(self, identity: Identity, entry_id: str) -> None:
        """Remove an image from the own worklist; what was stored stays stored."""
        with self._store.write() as work:
            work.worklist.remove(identity.user_id, entry_id)

    def entries(self, identity: Identity) -> list[KeptWorklistEntry]:
        """Entries of the own worklist, oldest first."""
        with self._store.read() as work:
            return work.worklist.of(identity.user_id, _KEPT)

    def save_template(self, identity: Identity, name: str, setup: Setup) -> None:
        """Keep a setup under a name that everybody sees, in place of an earlier one.

        Raises:
            NotAllowedError: the role may not decide about inspections.
            BadInputError: the name is empty or too long.
        """
        require(identity, Action.INSPECTIONS_DECIDE)
        cleaned = " ".join(name.split())
        if not 0 < len(cleaned) <= _LONGEST_NAME or not cleaned.isprintable():
            raise BadInputError(f"expected a name of 1 to {_LONGEST_NAME} characters")
        with self._store.write() as work:
            work.templates.put(cleaned, setup.to_dict(), by=identity.account_id, at=work.now)
            work.audit.record(
                identity,
                action="template.saved",
                object_type="template",
                object_id=cleaned,
                after=setup.to_dict(),
            )

    def templates(self) -> dict[str, Setup]:
        """Every template by name."""
        with self._store.read() as work:
            return {name: setup_from(content) for name, content in work.templates.all().items()}
