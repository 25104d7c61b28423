"""The calls to MLflow itself; importing it takes seconds, so it happens on the first call."""

import logging
import os
import shutil
import sqlite3
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from core.domain.errors import RegistryUnavailableError
from core.domain.model_version import VersionAbout
from core.registry.artefact import ModelArtefact, files_of
from core.registry.curve_plots import Plot, drawn
from core.registry.packing import copy_code, input_example, requirements, signature
from core.registry.version_cache import KnownModel

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

EXPERIMENT = "radikal"
#: Where in a run the pyfunc model lies, and in that the artefact folder.
MODEL_PATH, ARTEFACT_PATH = "model", "artifacts/artefact"
_WEIGHTS_TAG, _DIGEST_TAG, _AUTHOR_TAG = "weights_sha256", "artefact_sha256", "author"
_SHIPPED_TAG = "shipped_as"
_LONGEST_PARAMETER = 500


class MlflowStore:
    """One MLflow tracking and registry store.

    Args:
        tracking_uri: "sqlite:///..." or the address of a server.
        artifact_root: where a SQLite store keeps artefacts; a server decides itself.
        pyfunc_script: model-from-code script stored with each version.
    """

    def __init__(self, tracking_uri: str, artifact_root: Path, pyfunc_script: Path) -> None:
        self._uri = tracking_uri
        self._artifact_root = artifact_root
        self._script = pyfunc_script
        self._client: MlflowClient | None = None

    def register(
        self, artefact: ModelArtefact, *, author: str = "", shipped_as: int | None = None
    ) -> tuple[int, VersionAbout]:
        """The version number of the artefact's weights; logged now when MLflow does not know them.

        Args:
            artefact: what to register.
            author: id of the account that had it made; a version that is known keeps its own.
            shipped_as: the number it ships under, which a new version gets unless the registry is past it.
        """
        with self._asking(may_create=True) as client:
            for version in client.search_model_versions(f"name='{artefact.name}'"):
                if version.tags.get(_WEIGHTS_TAG) == artefact.sha256:
                    if version.tags.get(_DIGEST_TAG) != artefact.digest:
                        self._log_model(client, str(version.run_id), artefact)
                        self._tag_version(client, artefact, int(version.version))
                    return int(version.version), _about(version)
            return self._create(client, artefact, author, shipped_as)

    def set_alias(self, name: str, alias: str, version: int) -> None:
        """Let `alias` point to `version`."""
        with self._asking() as client:
            client.set_registered_model_alias(name, alias, str(version))

    def models(self) -> dict[str, KnownModel]:
        """Every registered model by name.

        Versions that something else than `register` made are left out.
        """
        with self._asking() as client:
            found: dict[str, KnownModel] = {}
            for model in client.search_registered_models():
                versions = {
                    int(v.version): v
                    for v in client.search_model_versions(f"name='{model.name}'")
                    if _DIGEST_TAG in v.tags
                }
                aliases = client.get_registered_model(model.name).aliases
                if versions:
                    found[str(model.name)] = KnownModel(
                        {number: version.tags[_DIGEST_TAG] for number, version in versions.items()},
                        {alias: int(number) for alias, number in aliases.items() if int(number) in versions},
                        {number: _about(version) for number, version in versions.items()},
                    )
            return found

    def mark(self) -> float | None:
        """Changes whenever a SQLite store was written to; None for a server, which has to be asked.

        It is the newest modification of the database and its journals, seconds since 1970.
        """
        path = self._sqlite_path()
        if path is None:
            return None
        files = (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-journal"))
        return max((file.stat().st_mtime for file in files if file.is_file()), default=0.0)

    def download(self, name: str, version: int, target: Path) -> Path:
        """A local folder with the pyfunc model of that version; `target` is created."""
        with self._asking() as client:
            target.mkdir(parents=True)
            run_id = client.get_model_version(name, str(version)).run_id
            return Path(client.download_artifacts(str(run_id), MODEL_PATH, str(target)))

    def log_figures(self, name: str, version: int, file_name: str, figures: Mapping[str, Any]) -> None:
        """Store figures as a JSON file in the run of that version, in the place of one of that name.

        Those that are plain numbers become metrics too, under the name of the file.
        """
        from mlflow.entities import Metric

        with self._asking() as client:
            run_id = str(client.get_model_version(name, str(version)).run_id)
            client.log_dict(run_id, dict(figures), file_name)
            named = _numbers(figures, Path(file_name).with_suffix("").as_posix())
            now = int(time.time() * 1000)
            client.log_batch(run_id, metrics=[Metric(key, value, now, 0) for key, value in named.items()])

    def log_plot(self, name: str, version: int, file_name: str, plot: Plot) -> None:
        """Store a plot as a PNG file in the run of that version."""
        with self._asking() as client:
            run_id = str(client.get_model_version(name, str(version)).run_id)
            client.log_figure(run_id, drawn(plot), file_name)

    def has_database(self) -> bool:
        """False when the store is a SQLite file that does not exist yet."""
        path = self._sqlite_path()
        return path is None or path.is_file()

    def is_reachable(self) -> bool:
        """True when the SQLite file holds a registry, or the server answers within two seconds."""
        if not self._uri.startswith(("http://", "https://")):
            return self.has_database() and self._holds_registry()
        try:
            with urllib.request.urlopen(f"{self._uri.rstrip('/')}/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, TimeoutError, OSError):
            return False

    def _holds_registry(self) -> bool:
        """True when the SQLite file can be read and has MLflow's tables; of another database, unasked."""
        if (path := self._sqlite_path()) is None:
            return True
        try:
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
                connection.execute("SELECT 1 FROM registered_models LIMIT 1")
        except sqlite3.Error:
            return False
        return True

    def _sqlite_path(self) -> Path | None:
        return Path(self._uri.removeprefix("sqlite:///")) if self._uri.startswith("sqlite:///") else None

    @contextmanager
    def _asking(self, *, may_create: bool = False) -> "Iterator[MlflowClient]":
        """The client; whatever MLflow or its database raises becomes `RegistryUnavailableError`."""
        if self._uri.startswith(("http://", "https://")) and not self.is_reachable():
            raise RegistryUnavailableError(f"the MLflow server {self._uri} does not answer")
        if not (may_create or self.has_database()):
            raise RegistryUnavailableError(f"there is no registry at {self._uri} yet; run `radikal setup`")
        if self._client is None:
            if (path := self._sqlite_path()) is not None:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                path.touch(mode=0o600)  # before MLflow does, which would let everybody read it
            self._client = new_client(self._uri)
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield self._client
        except (MlflowException, SQLAlchemyError, OSError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise RegistryUnavailableError(f"MLflow at {self._uri} failed: {reason}") from error

    def _create(
        self, client: "MlflowClient", artefact: ModelArtefact, author: str, shipped_as: int | None
    ) -> tuple[int, VersionAbout]:
        from mlflow.entities import RunStatus

        experiment = client.get_experiment_by_name(EXPERIMENT)
        experiment_id = experiment.experiment_id if experiment else self._create_experiment(client)
        run = client.create_run(experiment_id, run_name=f"{artefact.name} {artefact.sha256[:12]}")
        run_id = run.info.run_id
        self._log_model(client, run_id, artefact)
        client.set_terminated(run_id, RunStatus.to_string(RunStatus.FINISHED))
        if not client.search_registered_models(f"name='{artefact.name}'"):
            client.create_registered_model(artefact.name)
        about = {_AUTHOR_TAG: author, _SHIPPED_TAG: "" if shipped_as is None else str(shipped_as)}
        create = partial(
            client.create_model_version,
            artefact.name,
            source=f"{run.info.artifact_uri}/{MODEL_PATH}",
            run_id=run_id,
            description=str(artefact.card.get("description", "")),
            tags={key: value for key, value in about.items() if value},
        )
        version = create()
        while int(version.version) < (shipped_as or 0):  # a number that was deleted is not given again
            client.delete_model_version(artefact.name, version.version)
            version = create()
        self._tag_version(client, artefact, int(version.version))
        return int(version.version), _about(version)

    def _create_experiment(self, client: "MlflowClient") -> str:
        if self._sqlite_path() is None:
            return str(client.create_experiment(EXPERIMENT))
        return str(
            client.create_experiment(EXPERIMENT, artifact_location=self._artifact_root.resolve().as_uri())
        )

    def _log_model(self, client: "MlflowClient", run_id: str, artefact: ModelArtefact) -> None:
        """The pyfunc model, the card's lineage as parameters and its figures as metrics."""
        from mlflow.entities import Metric, Param
        from mlflow.pyfunc import save_model

        with TemporaryDirectory() as temporary:
            local = Path(temporary) / MODEL_PATH
            source = _copy_as_artefact(artefact.folder, Path(temporary))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # its own use of pandas, and that `predict` has no type
                save_model(
                    str(local),
                    python_model=str(self._script),
                    artifacts={"artefact": str(source)},
                    code_paths=[str(copy_code(Path(temporary)))],
                    pip_requirements=requirements(),
                    signature=signature(),
                    input_example=input_example(),
                )
            client.log_artifacts(run_id, str(local), MODEL_PATH)
        known = client.get_run(run_id).data.params
        parameters = [Param(k, v) for k, v in _parameters(artefact).items() if k not in known]
        metrics = [Metric(k, v, 0, 0) for k, v in _metrics(artefact.card).items()]
        client.log_batch(run_id, metrics=metrics, params=parameters)

    @staticmethod
    def _tag_version(client: "MlflowClient", artefact: ModelArtefact, version: int) -> None:
        tags = {
            _WEIGHTS_TAG: artefact.sha256,
            _DIGEST_TAG: artefact.digest,
            "manifest_sha256": artefact.manifest_sha256,
            "calibration_id": artefact.calibration.calibration_id,
            "data_notice": str(artefact.card.get("data_notice", "")),
        }
        for key, value in tags.items():
            client.set_model_version_tag(artefact.name, str(version), key, value)


def new_client(uri: str) -> "MlflowClient":
    """A client of the store at `uri`; loads MLflow, which takes seconds, and keeps its telemetry off."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what MLflow's modules warn about themselves while they load
        from mlflow import MlflowClient

        import_module("mlflow.pyfunc")
        if not uri.startswith(("http://", "https://")):
            import_module("mlflow.store.tracking.sqlalchemy_store")
    for noisy in ("alembic", "mlflow"):  # loading MLflow sets its own levels
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _about(version: "ModelVersion") -> VersionAbout:
    """MLflow's record of a version beside its files."""
    registered_at = datetime.fromtimestamp(version.creation_timestamp / 1000, UTC)
    author = version.tags.get(_AUTHOR_TAG) or version.user_id or ""
    shipped_as = version.tags.get(_SHIPPED_TAG)
    return VersionAbout(
        str(version.run_id or ""), registered_at, str(author), int(shipped_as) if shipped_as else None
    )


def _copy_as_artefact(folder: Path, parent: Path) -> Path:
    """A copy of the version in a folder called `artefact`: MLflow names its own copy after the source."""
    target = parent / "artefact"
    target.mkdir()
    for name in files_of(folder):
        shutil.copyfile(folder / name, target / name)
    return target


def _parameters(artefact: ModelArtefact) -> dict[str, str]:
    """Lineage, as run parameters: hashes, recipe, training data."""
    card = artefact.card
    named = {
        key: str(card[key])[:_LONGEST_PARAMETER]
        for key in ("recipe", "date", "device", "polarity", "lineage", "trained_on")
        if key in card
    }
    return named | {
        "weights_sha256": artefact.sha256,
        "manifest_sha256": artefact.manifest_sha256,
        "n_training_images": str(len(artefact.trained_on)),
        "calibration_method": artefact.calibration.method,
        "score_cut": str(artefact.calibration.score_cut),
    }


def _metrics(card: Mapping[str, Any]) -> dict[str, float]:
    """The figures of the card's first evaluation that are plain numbers."""
    evaluations = card.get("evaluation") or [{}]
    return _numbers(evaluations[0])


def _numbers(figures: Mapping[str, Any], under: str = "") -> dict[str, float]:
    """The values that are plain numbers, by their keys below `under`."""
    return {
        f"{under}/{key}" if under else str(key): float(value)
        for key, value in figures.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
