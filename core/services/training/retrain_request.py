"""The request for a retraining, from a page or a command to its job."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from core.domain.errors import BadInputError


@dataclass(frozen=True, slots=True)
class RetrainRequest:
    """The wanted training: its start, data, length and speed.

    Attributes:
        model_name: "weld" or "casting".
        base_version: whose weights the training starts from.
        data_number: number of the data version.
        steps: optimiser steps.
        learning_rate: peak.
        budget_minutes: the training ends after so long even when steps are left.
        batch: crops a step.
        new_share: share of crops from what the base version never learnt, 0 to 1; the rest is old data.
        n_simulated: simulated films that are mixed in as old data; weld only.
        n_judging: simulated films that calibrate, and as many others that judge; weld only.
        seed: of the crops.

    Raises:
        BadInputError: a number is out of range.
    """

    model_name: str
    base_version: int
    data_number: int
    steps: int = 600
    learning_rate: float = 1e-4
    budget_minutes: float = 60.0
    batch: int = 8
    new_share: float = 0.5
    n_simulated: int = 64
    n_judging: int = 40
    seed: int = 0

    def __post_init__(self) -> None:
        checks = {
            "steps: expected 1 to 100,000": 1 <= self.steps <= 100_000,
            "learning rate: expected above 0, at most 0.01": 0 < self.learning_rate <= 0.01,
            "budget: expected above 0 to 10,000 minutes": 0 < self.budget_minutes <= 10_000,
            "batch: expected 1 to 64 crops": 1 <= self.batch <= 64,
            "share of new data: expected above 0 to 1": 0 < self.new_share <= 1,
            "simulated films: expected 0 to 2,000": 0 <= self.n_simulated <= 2_000,
            "simulated films that judge: expected 0 to 500": 0 <= self.n_judging <= 500,
        }
        finite = all(math.isfinite(v) for v in (self.learning_rate, self.budget_minutes, self.new_share))
        if not finite or (wrong := [said for said, is_right in checks.items() if not is_right]):
            raise BadInputError(wrong[0] if finite else "expected finite numbers")

    def to_payload(self) -> dict[str, Any]:
        """Plain values for the payload of a job."""
        return asdict(self)


def retrain_request_from(payload: Mapping[str, Any]) -> RetrainRequest:
    """The request in a job's payload, as `to_payload` wrote it."""
    return RetrainRequest(**payload)


#: Recipes by name: what one chooses first and may change then.
RECIPES: Mapping[str, Mapping[str, Any]] = {
    "Quick look": {
        "steps": 40,
        "learning_rate": 1e-4,
        "budget_minutes": 5.0,
        "batch": 4,
        "n_simulated": 6,
        "n_judging": 12,
    },
    "Correction": {
        "steps": 600,
        "learning_rate": 1e-4,
        "budget_minutes": 60.0,
        "batch": 8,
        "n_simulated": 64,
        "n_judging": 40,
    },
    "New material": {
        "steps": 3000,
        "learning_rate": 3e-4,
        "budget_minutes": 480.0,
        "batch": 8,
        "n_simulated": 200,
        "n_judging": 60,
    },
}
