"""The worklist of a person, stored so that it survives a reload or a restart."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.domain.accounts import Identity
from core.domain.errors import BadInputError
from core.domain.numbering import Numbering, numbering_from
from core.domain.permissions import Action, require
from core.domain.radiograph import Polarity
from core.domain.reading import Setup, setup_from
from core.store.unit_of_work import Store
from core.store.workbench import KeptWorklistEntry

#: More than so many are not shown again.
_KEPT = 300
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class SetupTemplate:
    """What images that are inspected alike have in common, and how each gets its own numbers."""

    setup: Setup
    numbering: Numbering = field(default_factory=Numbering)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; `template_from` reads it back."""
        return {**self.setup.shared().to_dict(), "numbering": self.numbering.to_dict()}


def template_from(content: Mapping[str, Any]) -> SetupTemplate:
    """The template in `content`; the numbers of one image, which earlier releases kept, are left out."""
    return SetupTemplate(setup_from(content).shared(), numbering_from(content.get("numbering") or {}))


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
        model: str,
        setup: Setup,
        batch: str = "",
        *,
        is_model_chosen: bool = False,
    ) -> None:
        """Put an image on the own worklist, in place of an earlier entry of it; commands have no worklist.

        Args:
            identity: whose worklist.
            entry_id: names the entry.
            image_sha256: of the stored image.
            name: of the file as the person knows it.
            polarity: as the person said.
            model: the registered model that reads it.
            setup: of the inspection.
            batch: shared by what was handed in together.
            is_model_chosen: for this very image, not just for its kind.

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
                model=model,
                setup=setup.to_dict(),
                added_at=work.now,
                batch=batch,
                is_model_chosen=is_model_chosen,
            )
            work.worklist.put(entry)

    def read_as(self, identity: Identity, entry_id: str, model: str) -> None:
        """Let another registered model read this image of the own worklist from now on.

        Raises:
            NotAllowedError: the role may not have radiographs inspected.
        """
        require(identity, Action.INSPECTIONS_RECORD)
        with self._store.write() as work:
            work.worklist.change(identity.user_id, entry_id, model=model)

    def describe(self, identity: Identity, setups: Mapping[str, Setup]) -> None:
        """Store the setups of images on the own worklist, by the id of their entries.

        Raises:
            NotAllowedError: the role may not hand in radiographs.
        """
        require(identity, Action.IMAGES_ADD)
        with self._store.write() as work:
            for entry_id, setup in setups.items():
                work.worklist.change(identity.user_id, entry_id, setup=setup.to_dict())

    def state_polarity(self, identity: Identity, entry_ids: Collection[str], polarity: Polarity) -> None:
        """Keep the polarity that the person states for these images of the own worklist.

        Raises:
            NotAllowedError: the role may not hand in radiographs.
            BadInputError: neither film nor digital.
        """
        require(identity, Action.IMAGES_ADD)
        if polarity is Polarity.UNKNOWN:
            raise BadInputError("polarity: expected film or digital")
        with self._store.write() as work:
            work.worklist.state_polarity(identity.user_id, entry_ids, polarity)

    def remove(self, identity: Identity, entry_id: str) -> None:
        """Remove an image from the own worklist; what was stored stays stored."""
        with self._store.write() as work:
            work.worklist.remove(identity.user_id, entry_id)

    def entries(self, identity: Identity) -> list[KeptWorklistEntry]:
        """Entries of the own worklist, oldest first."""
        with self._store.read() as work:
            return work.worklist.of(identity.user_id, _KEPT)

    def save_template(self, identity: Identity, name: str, template: SetupTemplate) -> None:
        """Keep a template under a name that everybody sees, in place of an earlier one.

        Raises:
            NotAllowedError: the role may not decide about inspections.
            BadInputError: the name is empty or too long.
        """
        require(identity, Action.INSPECTIONS_DECIDE)
        cleaned = " ".join(name.split())
        if not 0 < len(cleaned) <= _LONGEST_NAME or not cleaned.isprintable():
            raise BadInputError(f"expected a name of 1 to {_LONGEST_NAME} characters")
        with self._store.write() as work:
            work.templates.put(cleaned, template.to_dict(), by=identity.account_id, at=work.now)
            work.audit.record(
                identity,
                action="template.saved",
                object_type="template",
                object_id=cleaned,
                after=template.to_dict(),
            )

    def templates(self) -> dict[str, SetupTemplate]:
        """Every template by name."""
        with self._store.read() as work:
            return {name: template_from(content) for name, content in work.templates.all().items()}
