"""What was measured of the explanations of each version."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from core.domain.errors import BadInputError

#: Name of the file in the run of the version.
FILE_NAME = "explanations.json"


class RunFiles(Protocol):
    """Where the figures of a registered version are kept beside it."""

    def log_figures(self, name: str, version: int, file_name: str, figures: Mapping[str, Any]) -> None:
        """Store them in the run of the version."""


class ExplanationRecords:
    """Figures by the sha256 of the weights: one file each, and a copy in the run of the version.

    Args:
        folder: of the files; made when the first is kept.
        runs: of the registry.
    """

    def __init__(self, folder: Path, runs: RunFiles) -> None:
        self._folder, self._runs = folder, runs

    def keep(self, figures: Mapping[str, Any]) -> None:
        """Keep what `ExplainEvaluateService.evaluate` measured, in the place of what was measured before.

        Raises:
            RegistryUnavailableError: when MLflow does not answer.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{figures['sha256']}.json"
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        temporary.replace(path)
        self._runs.log_figures(str(figures["model"]), int(figures["version"]), FILE_NAME, figures)

    def of(self, sha256: str) -> Mapping[str, Any] | None:
        """The figures of the version with these weights; None when it was not measured.

        Raises:
            BadInputError: when the file is damaged.
        """
        path = self._folder / f"{sha256}.json"
        if not path.is_file():
            return None
        try:
            figures: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise BadInputError(f"the figures in {path.name} cannot be read: {error}") from error
        return figures
