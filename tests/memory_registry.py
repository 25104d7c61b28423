"""A registry in memory, over artefact folders on disk: what MLflow would say, without MLflow."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from core.domain.errors import ModelNotFoundError, RegistryUnavailableError
from core.domain.model_version import ModelVersion, VersionAbout, VersionEntry
from core.registry.artefact import read_artefact

AS_OF = datetime(2026, 3, 1, 11, tzinfo=UTC)


class MemoryRegistry:
    """Versions and aliases that a test sets.

    Attributes:
        is_there: False lets MLflow be away: what is known is still answered.
        told: model, version and file of what was put into runs.
        moved_outside: aliases by model that MLflow has by now, and `refresh` brings.
    """

    def __init__(self) -> None:
        self.is_there = True
        self.moved_outside: dict[str, dict[str, int]] = {}
        self.told: list[tuple[str, int, str]] = []
        self._folders: dict[str, dict[int, Path]] = {}
        self._aliases: dict[str, dict[str, int]] = {}

    def add(self, folder: Path, *, alias: str | None = None) -> int:
        """The number of the artefact in `folder`."""
        name = read_artefact(folder).name
        folders = self._folders.setdefault(name, {})
        number = len(folders) + 1
        folders[number] = folder
        if alias is not None:
            self._aliases.setdefault(name, {})[alias] = number
        return number

    def log_figures(self, name: str, version: int, file_name: str, figures: Mapping[str, object]) -> None:
        self.told.append((name, version, file_name))

    def log_plot(self, name: str, version: int, file_name: str, plot: object) -> None:
        self.told.append((name, version, file_name))

    def names(self) -> list[str]:
        return sorted(self._folders)

    def aliases(self, name: str) -> Mapping[str, int]:
        return dict(self._aliases.get(name, {}))

    def resolve(
        self, name: str, *, version: int | None = None, alias: str = "champion"
    ) -> tuple[ModelVersion, Path]:
        number = version if version is not None else self._aliases.get(name, {}).get(alias)
        if number not in self._folders.get(name, {}):
            raise ModelNotFoundError(f"model {name!r} has no {version or alias}")
        folder = self._folders[name][number]
        return read_artefact(folder).as_version(number, self._borne(name, number)), folder

    def entries(self, name: str) -> list[VersionEntry]:
        if name not in self._folders:
            raise ModelNotFoundError(f"no registered model {name!r}")
        return [self._entry(name, number) for number in sorted(self._folders[name], reverse=True)]

    def set_alias(self, name: str, alias: str, version: int) -> None:
        if not self.is_there:
            raise RegistryUnavailableError("the MLflow server does not answer")
        self.resolve(name, version=version)
        self._aliases.setdefault(name, {})[alias] = version

    def refresh(self) -> bool:
        if self.is_there:
            self._aliases |= self.moved_outside
            self.moved_outside = {}
        return self.is_there

    def is_stale(self) -> bool:
        return bool(self.moved_outside) or not self.is_there

    def is_reachable(self) -> bool:
        return self.is_there

    def as_of(self) -> datetime | None:
        return AS_OF

    def _entry(self, name: str, number: int) -> VersionEntry:
        version, folder = self.resolve(name, version=number)
        artefact = read_artefact(folder)
        return VersionEntry(
            number,
            version.aliases,
            VersionAbout(f"run-{number}", AS_OF),
            folder,
            version,
            artefact.manifest_sha256,
            len(artefact.trained_on),
        )

    def _borne(self, name: str, number: int) -> tuple[str, ...]:
        return tuple(sorted(alias for alias, bearer in self.aliases(name).items() if bearer == number))
