"""A registry over artefact folders, without MLflow."""

from collections.abc import Mapping
from pathlib import Path

from core.domain.errors import ModelNotFoundError
from core.domain.model_version import ModelVersion, VersionAbout, VersionEntry
from core.registry.artefact import read_artefact


class FolderRegistry:
    """Versions of one model, numbered from 1 in the order they were registered."""

    def __init__(self, *folders: Path) -> None:
        self._folders = list(folders)
        self.authors: dict[int, str] = {}
        self._aliases: dict[str, int] = {"champion": 1} if folders else {}

    def register(self, folder: Path, *, alias: str | None = None, author: str = "") -> int:
        """The number of the version in `folder`."""
        self.authors[len(self._folders) + 1] = author
        self._folders.append(folder)
        if alias:
            self._aliases[alias] = len(self._folders)
        return len(self._folders)

    def names(self) -> list[str]:
        """The model's name."""
        return sorted({read_artefact(folder).name for folder in self._folders})

    def versions(self, name: str) -> list[ModelVersion]:
        """All versions."""
        return [self.resolve(name, version=number)[0] for number in range(1, len(self._folders) + 1)]

    def entries(self, name: str) -> list[VersionEntry]:
        """All versions, with a run that is named for each."""
        return [
            VersionEntry(one.version, one.aliases, VersionAbout(f"run of v{one.version}"), Path(), one)
            for one in self.versions(name)
        ]

    def aliases(self, name: str) -> Mapping[str, int]:
        """Alias to number."""
        return self._aliases if name in self.names() else {}

    def resolve(
        self, name: str, *, version: int | None = None, alias: str = "champion"
    ) -> tuple[ModelVersion, Path]:
        """The version and its folder."""
        number = version if version is not None else self._aliases.get(alias, 0)
        if not 0 < number <= len(self._folders) or name not in self.names():
            raise ModelNotFoundError(f"no {name} {version} {alias}")
        folder = self._folders[number - 1]
        aliases = tuple(alias for alias, at in self._aliases.items() if at == number)
        return read_artefact(folder).as_version(number, aliases), folder
