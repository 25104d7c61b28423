"""The versions of a model as people look at them: origin, quality, aliases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from core.domain.accounts import Identity
from core.domain.model_version import ModelVersion, VersionEntry
from core.domain.permissions import Action, require
from core.domain.ports import Registry
from core.domain.serving import ServingChange, in_use_since
from core.store.unit_of_work import Store


@dataclass(frozen=True, slots=True, eq=False)
class VersionSummary:
    """One version with everything that is known of it.

    Attributes:
        version: None when its files are damaged; `problem` says how.
        aliases: it bears now.
        in_use_since: by alias it bears, since when without a break; UTC.
        author: name of who had it made; empty when nobody is known.
        registered_at: UTC, None when unknown.
        manifest_sha256: of the list of its training images; empty when damaged.
        n_bytes: of its files.
        shipped_as: the number it ships under where that is another than it has here, else None.
    """

    number: int
    version: ModelVersion | None
    problem: str
    aliases: tuple[str, ...]
    in_use_since: Mapping[str, datetime]
    author: str
    registered_at: datetime | None
    run_id: str
    manifest_sha256: str
    n_trained_on: int
    n_bytes: int
    shipped_as: int | None = None

    @property
    def card(self) -> Mapping[str, Any]:
        """The model card; empty when its files are damaged."""
        return {} if self.version is None else self.version.card


class VersionService:
    """Lists versions. Every method raises NotAllowedError for a role without the right to it.

    Args:
        store: the real one.
        registry: what MLflow last said.
    """

    def __init__(self, store: Store, registry: Registry) -> None:
        self._store = store
        self._registry = registry

    def models(self, identity: Identity) -> list[str]:
        """The registered models."""
        require(identity, Action.MODELS_READ)
        return self._registry.names()

    def all(self, identity: Identity, model: str) -> list[VersionSummary]:
        """Every version of the model, newest first.

        Raises:
            ModelNotFoundError: there is no such model.
        """
        require(identity, Action.MODELS_READ)
        entries = self._registry.entries(model)
        with self._store.read() as work:
            changes = work.serving.of(model)
            authors = {entry.about.author for entry in entries if entry.about.author}
            users = {author: work.users.find(author) for author in authors}
        names = {author: author if user is None else user.shown_name for author, user in users.items()}
        return [_summary(entry, changes, names.get(entry.about.author, "")) for entry in entries]


def _summary(entry: VersionEntry, changes: Sequence[ServingChange], author: str) -> VersionSummary:
    since = {
        alias: in_use_since([one for one in changes if one.alias == alias], entry.number)
        for alias in entry.aliases
    }
    return VersionSummary(
        number=entry.number,
        version=entry.version,
        problem=entry.problem,
        aliases=entry.aliases,
        in_use_since={alias: at for alias, at in since.items() if at is not None},
        author=author,
        registered_at=entry.about.registered_at,
        run_id=entry.about.run_id,
        manifest_sha256=entry.manifest_sha256,
        n_trained_on=entry.n_trained_on,
        n_bytes=_size(entry.folder),
        shipped_as=entry.about.shipped_as if entry.is_renumbered else None,
    )


def _size(folder: Path) -> int:
    """Bytes of the files in it; 0 when there is none."""
    return sum(file.stat().st_size for file in folder.iterdir()) if folder.is_dir() else 0
