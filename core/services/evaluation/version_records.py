"""Figures that were measured of each version, kept beside it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from core.domain.errors import BadInputError
from core.domain.model_version import ModelVersion
from core.registry.curve_plots import Plot

#: Names of the files in the run of a version.
EXPLANATIONS_FILE, POD_FILE, TIMES_FILE = "explanations.json", "pod.json", "times.json"


class RunFiles(Protocol):
    """Where the figures of a registered version are kept beside it."""

    def log_figures(self, name: str, version: int, file_name: str, figures: Mapping[str, Any]) -> None:
        """Store them in the run of the version."""

    def log_plot(self, name: str, version: int, file_name: str, plot: Plot) -> None:
        """Store a plot beside them."""


class VersionRecords:
    """Figures of one kind by the sha256 of the weights: one file each, and a copy in the run of the version.

    Args:
        folder: of the files; made when the first is kept.
        runs: of the registry.
        file_name: in the run.
        shipped: folder of figures that came with the program, for versions that were not measured here.
    """

    def __init__(self, folder: Path, runs: RunFiles, file_name: str, *, shipped: Path | None = None) -> None:
        self._folder, self._runs, self._file_name = folder, runs, file_name
        self._folders = (folder,) if shipped is None else (folder, shipped)

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

    def draw(self, figures: Mapping[str, Any], plot: Plot) -> None:
        """Keep a plot of figures in the run of their version, under the name of the file.

        Raises:
            RegistryUnavailableError: when MLflow does not answer.
        """
        name = Path(self._file_name).with_suffix(".png").as_posix()
        self._runs.log_plot(str(figures["model"]), int(figures["version"]), name, plot)

    def of(self, sha256: str) -> Mapping[str, Any] | None:
        """The figures of the version with these weights; None when it was not measured.

        Raises:
            BadInputError: when the file is damaged.
        """
        paths = [folder / f"{sha256}.json" for folder in self._folders]
        path = next((one for one in paths if one.is_file()), None)
        if path is None:
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


def plot_of_pod(figures: Mapping[str, Any]) -> Plot | None:
    """The curve of what `PodEvaluateService` measured; None where there is none."""
    curve = figures["pod"].get("curve")
    if curve is None:
        return None
    calls = f"{figures['false_calls_per_image']:.2f} false calls an image"
    return Plot(
        f"{figures['model']} v{figures['version']}: {calls}",
        f"{figures['measure']} of the flaw, mm",
        "Probability of detection",
        curve["size_mm"],
        curve["pod"],
        curve["lower"],
        curve["upper"],
        is_log=True,
    )
