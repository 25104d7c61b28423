"""A training run in MLflow: inputs, losses, data hashes, result."""

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from core.domain.errors import JobCancelledError
from core.registry.data_log import dataset_input
from core.registry.mlflow_store import new_client

EXPERIMENT = "radikal-training"
#: What MLflow's pages open the experiment as.
KIND_TAG, TRAINING_KIND = "mlflow.experimentKind", "custom_model_development"
_LONGEST_PARAMETER = 6000
#: The one figure of a step that is no loss.
_SECONDS = "seconds"
_ENDED = "FINISHED", "KILLED", "FAILED"


class MlflowRunLog:
    """A `RunLog` over one MLflow run; a context manager that ends it as finished, failed or, stopped, killed.

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
        self._client.set_experiment_tag(experiment, KIND_TAG, TRAINING_KIND)
        self.run_id = str(self._client.create_run(experiment, run_name=name).info.run_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        finished, killed, failed = _ENDED
        is_stopped = kind is not None and issubclass(kind, (JobCancelledError, KeyboardInterrupt))
        self._client.set_terminated(self.run_id, killed if is_stopped else failed if kind else finished)

    def tags(self, values: Mapping[str, str]) -> None:
        """Tell where the run comes from; empty values are left out."""
        for key, value in values.items():
            if value:
                self._client.set_tag(self.run_id, key, value)

    def registered(self, name: str, version: int) -> None:
        """Link the run with the version that it became, both ways."""
        self._client.set_tag(self.run_id, "registered_version", f"{name} v{version}")
        self._client.set_model_version_tag(name, str(version), "training_run", self.run_id)

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
        """Log the losses reached at `step`, and the seconds that it took."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        named = {key if key == _SECONDS else f"loss/{key}": value for key, value in values.items()}
        entries = [Metric(key, float(value), now, step) for key, value in named.items()]
        self._client.log_batch(self.run_id, metrics=entries)

    def artefact(self, path: Path) -> None:
        """Keep a copy of the file at `path` with the run."""
        self._client.log_artifact(self.run_id, str(path))


def source_tags(root: Path) -> dict[str, str]:
    """The state of the code in the git checkout at `root`, as tags; {} where there is none."""
    try:
        commit = _git(root, "rev-parse", "HEAD")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return {}
    return {"mlflow.source.git.commit": commit, "git_state": "changed" if changed else "clean"}


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ("git", "-C", str(root), *arguments), capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.strip()
