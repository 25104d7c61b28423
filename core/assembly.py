"""What makes data versions and challengers, put together for the process of a job."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from core.domain.accounts import Identity
from core.domain.data_manifest import Part
from core.domain.serving import CHALLENGER, ChangeKind
from core.registry.data_log import log_dataset
from core.registry.mlflow_registry import MlflowRegistry
from core.registry.training_run import MlflowRunLog
from core.services.datasets.data_making import DataMaker
from core.services.lifecycle.alias_history import AliasHistory, pointed_to
from core.services.lifecycle.alias_moves import AliasMover, Move
from core.services.lifecycle.evaluation_parts import make_sets
from core.services.training.retrain_run import Retrainer
from core.store.blobs import BlobStore
from core.store.data_versions import DataVersion
from core.store.manifests import ManifestFiles
from core.store.unit_of_work import Store


@dataclass(frozen=True, slots=True, eq=False)
class LearningAssembly:
    """The pieces, and what is made of them.

    Attributes:
        tracking_uri: of MLflow.
        artifacts: where a SQLite store of MLflow keeps artefacts.
        evaluations: where the lists of the evaluation sets lie.
    """

    store: Store
    blobs: BlobStore
    manifests: ManifestFiles
    registry: MlflowRegistry
    tracking_uri: str
    artifacts: Path
    evaluations: Path

    def data_maker(self) -> DataMaker:
        """What makes data versions."""
        return DataMaker(
            self.store,
            self.blobs,
            self.manifests,
            self.registry,
            evaluated=self.evaluated,
            log_dataset=self._note,
        )

    def retrainer(self) -> Retrainer:
        """What makes challengers."""
        return Retrainer(
            self.store,
            self.blobs,
            self.manifests,
            self.registry,
            held_back=self.held_back,
            open_run=self._open_run,
            challenge=self.challenge,
        )

    def evaluated(self, model: str) -> AbstractSet[str]:
        """The sha256 of every image in an evaluation set of the model."""
        return make_sets(self.store, self.evaluations).digests_of(model)

    def held_back(self, model: str) -> AbstractSet[str]:
        """The sha256 of every image that calibrates or judges: in any data version or evaluation set."""
        with self.store.read() as work:
            versions = work.data_versions.all(model)
        return self.evaluated(model) | {
            image.sha256
            for version in versions
            for image in self.manifests.read(version.manifest_sha256).images
            if image.part is not Part.TRAIN
        }

    def challenge(self, by: Identity, model: str, version: int) -> None:
        """Let `challenger` point to the version, if it does not yet; kept as what served when.

        Raises:
            RegistryUnavailableError: MLflow does not answer; nothing was changed.
        """
        mover = AliasMover(self.store, self.registry, AliasHistory(self.store, self.registry))
        mover.catch_up()
        with self.store.read() as work:
            seen = pointed_to(work.serving.newest(model).get(CHALLENGER))
        if seen != version:
            mover.move(by, Move(model, version, alias=CHALLENGER, seen=seen), ChangeKind.TRAINED)

    def _open_run(self, name: str, *, run_id: str | None) -> MlflowRunLog:
        return MlflowRunLog(self.tracking_uri, name, self.artifacts / "training-artifacts", run_id=run_id)

    def _note(self, version: DataVersion, manifest: Path) -> None:
        log_dataset(
            self.tracking_uri,
            self.artifacts / "data-artifacts",
            model=version.model_name,
            number=version.number,
            manifest=manifest,
            counts=dict(version.counts),
        )
