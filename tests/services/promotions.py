"""Versions that can be promoted, and figures for the gate that a test sets."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.domain.accounts import Identity, Role
from core.domain.model_version import ModelVersion
from core.evaluate.gate_report import GateEvidence, PairedFigure
from core.services.lifecycle.alias_history import AliasHistory
from core.services.lifecycle.alias_moves import AliasMover
from core.services.lifecycle.overriding import OverrideService
from core.services.lifecycle.promoting import GateSet, PromotionService
from core.store.unit_of_work import Store
from tests.artefacts import write_artefact
from tests.memory_registry import MemoryRegistry
from tests.records import add_user

GREEN = GateEvidence(
    candidate=0,
    champion=0,
    set_name="held-out welds",
    set_digest="5e" * 32,
    n_images=40,
    n_boxes=200,
    n_parts=40,
    recall=PairedFigure(0.80, 0.79, 0.01, (-0.02, 0.04)),
    candidate_recall=0.80,
    candidate_recall_interval=(0.75, 0.85),
    false_calls_per_image=PairedFigure(1.5, 1.0, 0.5, (0.2, 0.8)),
    d_ece=0.03,
    d_ece_band=(0.01, 0.04),
    ms_per_image=100.0,
    champion_ms_per_image=90.0,
    n_trained_on=0,
    champion_trained_on=0,
    ap50=0.75,
    ap50_interval=(0.7, 0.8),
    minimum_ap50=0.7,
)


class KnownFigures:
    """Evidence that says what it is told to; each version's, else `GREEN`."""

    def __init__(self) -> None:
        self.of: dict[int, GateEvidence] = {}

    def sets(self, candidate: ModelVersion, champion: ModelVersion | None) -> Sequence[GateSet]:
        return [GateSet(GREEN.set_digest, GREEN.set_name, GREEN.n_images, GREEN.n_boxes, True)]

    def measured(
        self, candidate: ModelVersion, champion: ModelVersion | None, set_digest: str | None
    ) -> GateEvidence:
        figures = self.of.get(candidate.version, GREEN)
        number = None if champion is None else champion.version
        return replace(figures, candidate=candidate.version, champion=number)


class Promotions:
    """Three weld versions, the first of them champion, people, and the services around them."""

    def __init__(self, store: Store, folder: Path, *, champion: int | None = 1) -> None:
        self.store = store
        self.registry = MemoryRegistry()
        for seed in (1, 2, 3):
            alias = "champion" if seed == champion else None
            self.registry.add(write_artefact(folder / f"weld-{seed}", seed=seed), alias=alias)
        self.figures = KnownFigures()
        self.warmed: list[int] = []
        self.taken_over: list[str] = []
        self.serving = AliasHistory(store, self.registry)
        mover = AliasMover(
            store,
            self.registry,
            self.serving,
            warm_up=lambda version: self.warmed.append(version.version),
            take_over=self.taken_over.append,
        )
        self.promoting = PromotionService(store, mover, self.figures)
        self.overriding = OverrideService(store, mover, self.promoting)
        self.engineer = add_user(store, Role.ML_ENGINEER)
        self.reviewer = add_user(store, Role.REVIEWER)

    def person(self, role: Role) -> Identity:
        return add_user(self.store, role)

    def refuse(self, version: int) -> None:
        """Let the gate refuse this version."""
        self.figures.of[version] = replace(GREEN, recall=PairedFigure(0.6, 0.8, -0.2, (-0.3, -0.1)))

    def rows(self, alias: str = "champion") -> list[tuple[str, int | None, int]]:
        """Kind, from, to of every change, oldest first."""
        with self.store.read() as work:
            return [
                (one.kind.value, one.previous_version, one.version) for one in work.serving.of("weld", alias)
            ]

    def actions(self) -> list[str]:
        """Every action in the audit log, oldest first, without the digests of the accounts' rows."""
        with self.store.read() as work:
            return [event.action for event in work.audit.rows() if event.action != "records.written"]
