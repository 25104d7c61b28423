"""Data versions in MLflow, as datasets."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from core.domain.errors import RegistryUnavailableError
from core.registry.mlflow_store import new_client

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput

EXPERIMENT = "radikal-data"
_NAME, _SOURCE = "radikal data version {number} ({model})", "radikal"
_DIGEST_LENGTH = 36


def dataset_input(*, model: str, number: int, manifest: Path, counts: dict[str, object]) -> "DatasetInput":
    """The data version as an MLflow dataset: its digest is the start of the manifest's sha256.

    Args:
        model: "weld" or "casting".
        number: of the version.
        manifest: its file, named by its sha256.
        counts: images and boxes, as the dataset's profile.
    """
    from mlflow.entities import Dataset, DatasetInput, InputTag

    dataset = Dataset(
        name=_NAME.format(number=number, model=model),
        digest=manifest.stem[:_DIGEST_LENGTH],
        source_type=_SOURCE,
        source=json.dumps({"manifest_sha256": manifest.stem}),
        profile=json.dumps(counts),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])


def log_dataset(
    tracking_uri: str,
    artifact_root: Path,
    *,
    model: str,
    number: int,
    manifest: Path,
    counts: dict[str, object],
) -> str:
    """The id of a finished run that has the data version as its input and keeps the manifest.

    Raises:
        RegistryUnavailableError: MLflow does not answer.
    """
    client = new_client(tracking_uri)
    from mlflow.exceptions import MlflowException

    try:
        known = client.get_experiment_by_name(EXPERIMENT)
        if known is not None:
            experiment = known.experiment_id
        elif tracking_uri.startswith("sqlite:"):
            experiment = client.create_experiment(
                EXPERIMENT, artifact_location=artifact_root.resolve().as_uri()
            )
        else:
            experiment = client.create_experiment(EXPERIMENT)
        run_id = str(client.create_run(experiment, run_name=f"data version {number}").info.run_id)
        client.log_inputs(
            run_id, [dataset_input(model=model, number=number, manifest=manifest, counts=counts)]
        )
        client.log_artifact(run_id, str(manifest))
        client.set_terminated(run_id, "FINISHED")
    except (MlflowException, OSError) as error:
        raise RegistryUnavailableError(
            f"MLflow at {tracking_uri} failed: {str(error).splitlines()[0]}"
        ) from error
    return run_id
