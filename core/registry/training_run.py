"""A training run in MLflow: inputs, losses, data hashes, result."""

import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from core.registry.data_log import dataset_input
from core.registry.mlflow_store import new_client

EXPERIMENT = "radikal-training"
_LONGEST_PARAMETER = 6000


class MlflowRunLog:
    """A `RunLog` over one MLflow run; a context manager that ends the run as finished or failed.

    Args:
        tracking_uri: "sqlite:///..." or the address of an MLflow server.
        name: of the run.
        artifact_root: where a SQLite store keeps artefacts; a server decides itself.
        run_id: of an earlier run to go on with, None for a new one.
    """

    def __init__(
        self, tracking_uri: str, name: str, artifact_root: Path, *, run_id: str | None = None
    ) -> None:
        self._client = new_client(tracking_uri)
        if run_id is not None:
            self._client.set_terminated(run_id, "RUNNING")
            self.run_id = run_id
            return
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

        known = self._client.get_run(self.run_id).data.params  # what was given once cannot be given again
        entries = [
            Param(key, str(value)[:_LONGEST_PARAMETER]) for key, value in values.items() if key not in known
        ]
        self._client.log_batch(self.run_id, params=entries)

    def dataset(self, *, model: str, number: int, manifest: Path, counts: dict[str, object]) -> None:
        """Name the data version that trains as an input of the run; see `core.registry.data_log`."""
        inputs = [dataset_input(model=model, number=number, manifest=manifest, counts=counts)]
        self._client.log_inputs(self.run_id, inputs)

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Log the figures reached at `step`."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        entries = [Metric(key, float(value), now, step) for key, value in values.items()]
        self._client.log_batch(self.run_id, metrics=entries)

    def artefact(self, path: Path) -> None:
        """Keep a copy of the file at `path` with the run."""
        self._client.log_artifact(self.run_id, str(path))
