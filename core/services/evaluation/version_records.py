"""Figures that were measured of each version, kept beside it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from core.domain.errors import BadInputError
from core.domain.model_version import ModelVersion

#: Names of the files in the run of a version.
EXPLANATIONS_FILE, POD_FILE = "explanations.json", "pod.json"


class RunFiles(Protocol):
    """Where the figures of a registered version are kept beside it."""

    def log_figures(self, name: str, version: int, file_name: str, figures: Mapping[str, Any]) -> None:
        """Store them in the run of the version."""


class VersionRecords:
    """Figures of one kind by the sha256 of the weights: one file each, and a copy in the run of the version.

    Args:
        folder: of the files; made when the first is kept.
        runs: of the registry.
        file_name: in the run.
    """

    def __init__(self, folder: Path, runs: RunFiles, file_name: str) -> None:
        self._folder, self._runs, self._file_name = folder, runs, file_name

    def keep(self, figures: Mapping[str, Any]) -> None:
        """Keep what was measured, in the place of what was measured before.

        Args:
            figures: with `model`, `version` and `sha256` of the weights.

        Raises:
            RegistryUnavailableError: when MLflow does not answer.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{figures['sha256']}.json"
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        temporary.replace(path)
        self._runs.log_figures(str(figures["model"]), int(figures["version"]), self._file_name, figures)

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


def pod_of(records: VersionRecords, version: ModelVersion) -> Mapping[str, Any] | None:
    """The probability of detection that was measured here, else the one on the card; None for none.

    Figures of another calibration are none: its operating point was another one.

    Raises:
        BadInputError: when the file is damaged.
    """
    for figures in (records.of(version.sha256), version.card.get("pod")):
        if figures and figures.get("calibration_id") == version.calibration.calibration_id:
            return dict(figures)
    return None
