"""Everything around the versions of models, wired: who serves, what served, the gate, the list."""

from collections.abc import Callable
from dataclasses import dataclass

from core.domain.model_version import ModelVersion
from core.registry.mlflow_registry import MlflowRegistry
from core.services.lifecycle.alias_history import AliasHistory
from core.services.lifecycle.alias_moves import AliasMover
from core.services.lifecycle.overriding import OverrideService
from core.services.lifecycle.promoting import Evidence, PromotionService
from core.services.lifecycle.registry_sync import RegistrySync
from core.services.lifecycle.served_models import ServedModels
from core.services.lifecycle.versions import VersionService
from core.store.unit_of_work import Store


@dataclass(frozen=True, slots=True)
class ModelServices:
    """The services of one process around model versions.

    Attributes:
        served: who answers in this process.
        registry_sync: keeps up with MLflow; not started.
    """

    served: ServedModels
    serving: AliasHistory
    registry_sync: RegistrySync
    versions: VersionService
    promoting: PromotionService
    overriding: OverrideService


def make_model_services(
    store: Store,
    registry: MlflowRegistry,
    served: ServedModels,
    evidence: Evidence,
    warm_up: Callable[[ModelVersion], None],
) -> ModelServices:
    """The services over a registry.

    Args:
        store: the real one.
        registry: knows versions and aliases.
        served: in front of the registry, as those who detect ask it.
        evidence: measured figures for the gate.
        warm_up: loads a version and runs it once.
    """
    serving = AliasHistory(store, registry)
    registry_sync = RegistrySync(registry, served, serving, warm_up)
    mover = AliasMover(store, registry, serving, warm_up=warm_up, take_over=registry_sync.take_over)
    promoting = PromotionService(store, mover, evidence)
    return ModelServices(
        served=served,
        serving=serving,
        registry_sync=registry_sync,
        versions=VersionService(store, registry),
        promoting=promoting,
        overriding=OverrideService(store, mover, promoting),
    )
