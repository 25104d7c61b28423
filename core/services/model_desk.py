"""Everything around the versions of models, wired: who serves, what served, the gate, the list."""

from collections.abc import Callable
from dataclasses import dataclass

from core.domain.model_version import ModelVersion
from core.registry.mlflow_registry import MlflowRegistry
from core.services.alias_moves import AliasMover
from core.services.overriding import OverrideService
from core.services.promoting import Evidence, PromotionService
from core.services.refreshing import RegistryRefresher
from core.services.served_models import ServedModels
from core.services.serving import ServingService
from core.services.versions import VersionService
from core.store.unit_of_work import Store


@dataclass(frozen=True, slots=True)
class ModelDesk:
    """The services of one process around model versions.

    Attributes:
        served: who answers in this process.
        refresher: keeps up with MLflow; not started.
    """

    served: ServedModels
    serving: ServingService
    refresher: RegistryRefresher
    versions: VersionService
    promoting: PromotionService
    overriding: OverrideService


def make_model_desk(
    store: Store,
    registry: MlflowRegistry,
    served: ServedModels,
    evidence: Evidence,
    warm_up: Callable[[ModelVersion], None],
) -> ModelDesk:
    """The services over a registry.

    Args:
        store: the real one.
        registry: knows versions and aliases.
        served: in front of the registry, as those who detect ask it.
        evidence: measured figures for the gate.
        warm_up: loads a version and runs it once.
    """
    serving = ServingService(store, registry)
    refresher = RegistryRefresher(registry, served, serving, warm_up)
    mover = AliasMover(store, registry, serving, warm_up=warm_up, take_over=refresher.take_over)
    promoting = PromotionService(store, mover, evidence)
    return ModelDesk(
        served=served,
        serving=serving,
        refresher=refresher,
        versions=VersionService(store, registry),
        promoting=promoting,
        overriding=OverrideService(store, mover, promoting),
    )
