"""A registered model version and what belongs to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from core.domain.radiograph import Polarity


@dataclass(frozen=True, slots=True)
class CalibrationRecord:
    """Calibration of one model version: scores to probabilities.

    Attributes:
        calibration_id: first 12 hex digits of the sha256 of the calibration file.
        method: "temperature", "platt", "beta" or "isotonic".
        parameters: what the method fitted.
        score_cut: only detections with at least this score are reported and calibrated.
        operating_probability: default threshold of the page and of `radikal detect`.
        fitted_on: one line, what parts it was fitted on and how many boxes.
        inherited_from: "casting v2" where it was fitted to the scores of that version and kept, because too
            little was held back for one of its own: nothing shows that it still fits. Else empty.
    """

    calibration_id: str
    method: str
    parameters: tuple[float, ...]
    score_cut: float
    operating_probability: float
    fitted_on: str
    inherited_from: str = ""

    @property
    def doubt(self) -> str:
        """Why its probabilities are not verified, in words; empty where they are."""
        return (
            f"calibration inherited from {self.inherited_from}, not verified" if self.inherited_from else ""
        )


@dataclass(frozen=True, slots=True, eq=False)
class ModelVersion:
    """One version of a registered model (`weld` or `casting`).

    Attributes:
        name: "weld" or "casting".
        version: 1, 2, ... as numbered by the registry.
        sha256: hex digest of the weights file.
        polarity: the polarity the network was trained in.
        calibration: the record of its calibration.
        card: the model card (YAML content); keys are documented in docs/model-cards.md.
        aliases: registry aliases it bears now, e.g. ("champion",).
    """

    name: str
    version: int
    sha256: str
    polarity: Polarity
    calibration: CalibrationRecord
    card: Mapping[str, Any]
    aliases: tuple[str, ...] = ()

    @property
    def data_notice(self) -> str:
        """The licence line of the training data, to be shown wherever the model is used."""
        return str(self.card.get("data_notice", ""))


@dataclass(frozen=True, slots=True)
class VersionAbout:
    """The registry's record of a version beside its files.

    Attributes:
        run_id: run that made it; empty when unknown.
        registered_at: UTC, None when unknown.
        author: id of the account that had it made, or what another client wrote; empty when unknown.
        shipped_as: its number among the versions that ship with the program; None for any other version.
    """

    run_id: str = ""
    registered_at: datetime | None = None
    author: str = ""
    shipped_as: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class VersionEntry:
    """One version of a model in a list of all.

    Attributes:
        aliases: that it bears now.
        folder: of its files.
        version: None when its files are damaged; `problem` says how.
        manifest_sha256, n_trained_on: of the list of its training images; empty when damaged.
    """

    number: int
    aliases: tuple[str, ...]
    about: VersionAbout
    folder: Path
    version: ModelVersion | None
    manifest_sha256: str = ""
    n_trained_on: int = 0
    problem: str = ""

    @property
    def is_renumbered(self) -> bool:
        """True when it ships with the program under another number than it has here."""
        return self.about.shipped_as not in (None, self.number)
