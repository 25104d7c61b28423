"""A training run in MLflow: inputs, losses, data hashes, result."""

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from core.registry.mlflow_store import new_client

log = logging.getLogger(__name__)
EXPERIMENT = "radikal-training"
_LONGEST_PARAMETER = 6000


class MlflowRunLog:
    """A `RunLog` over one MLflow run; a context manager that ends the run as finished or failed.

    Args:
        tracking_uri: "sqlite:///..." or the address of an MLflow server.
        name: of the run.
        artifact_root: where a SQLite store keeps artefacts; a server decides itself.
    """

    def __init__(self, tracking_uri: str, name: str, artifact_root: Path) -> None:
        self._client = new_client(tracking_uri)
        known = self._client.get_experiment_by_name(EXPERIMENT)
        if known is not None:
            experiment = known.experiment_id
        elif tracking_uri.startswith("sqlite:"):
            location = artifact_root.resolve().as_uri()
            experiment = self._client.create_experiment(EXPERIMENT, artifact_location=location)
        else:
            experiment = self._client.create_experiment(EXPERIMENT)
        self.run_id = str(self._client.create_run(experiment, run_name=name).info.run_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.set_terminated(self.run_id, "FAILED" if kind else "FINISHED")

    def parameters(self, values: Mapping[str, str | float | int]) -> None:
        """Log the inputs of the run."""
        from mlflow.entities import Param

        entries = [Param(key, str(value)[:_LONGEST_PARAMETER]) for key, value in values.items()]
        self._client.log_batch(self.run_id, params=entries)

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Log the figures reached at `step`."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        entries = [Metric(key, float(value), now, step) for key, value in values.items()]
        self._client.log_batch(self.run_id, metrics=entries)

    def artefact(self, path: Path) -> None:
        """Keep a copy of the file at `path` with the run."""
        self._client.log_artifact(self.run_id, str(path))
