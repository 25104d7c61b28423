"""The composition root: settings in, services out, for the app, commands, jobs and tests alike.

A service is made when it is first asked for, so that a command loads no more than it needs. Whatever loads
PyTorch, SciPy, OpenCV or MLflow is imported where it is made: accounts and the audit log answer at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.config import ROOT, Settings
from core.domain.accounts import COMMAND_LINE, SYSTEM, Identity
from core.domain.model_version import ModelVersion
from core.domain.reading import setup_from
from core.domain.records import Inspection
from core.evaluate.gate_report import GateRule
from core.foundations import Foundations, file_of
from core.keys import Purpose
from core.services.accounts.passwords import COST
from core.services.auditing import verification_facts
from core.services.datasets.data_versions import MAKE_DATA_VERSION, DataVersionService
from core.services.inspections.correction_queue import DISAGREE
from core.services.intake.asked import INSPECT
from core.services.jobs.job_queue import JobQueue
from core.services.jobs.job_worker import JobRun, JobWorker
from core.services.jobs.jobs import JobService
from core.services.lifecycle.alias_history import AliasHistory
from core.services.lifecycle.alias_moves import AliasMover
from core.services.lifecycle.overriding import OverrideService
from core.services.lifecycle.promoting import Evidence, PromotionService
from core.services.lifecycle.registry_sync import RegistrySync
from core.services.lifecycle.served_models import ServedModels
from core.services.lifecycle.versions import VersionService
from core.services.monitoring.frozen import FrozenService
from core.services.operations.backup_record import recovery_facts
from core.services.operations.checks import CheckService, Places
from core.services.operations.minutes import MinuteFiles, Tally
from core.services.training.retraining import RETRAIN, RetrainService
from core.store.array_files import ArrayFiles
from core.store.audit_trail import open_store
from core.store.database import upgrade
from core.store.evaluations import EVALUATE

if TYPE_CHECKING:
    from core.registry.training_run import MlflowRunLog
    from core.services.bulk.bulk import BulkService
    from core.services.datasets.data_checking import DataCheckService
    from core.services.datasets.data_making import DataMaker
    from core.services.datasets.set_making import SetMaker
    from core.services.demo_workspaces import DemoWorkspaces
    from core.services.evaluation.box_maps import BoxMaps
    from core.services.evaluation.clean_sets import CleanSets
    from core.services.evaluation.evaluating import EvaluateService
    from core.services.evaluation.evaluation_archive import EvaluationArchive
    from core.services.evaluation.evaluation_run import EvaluationRun
    from core.services.evaluation.evaluation_sets import EvaluationSets
    from core.services.evaluation.evaluations import EvaluationService
    from core.services.evaluation.explain_evaluating import ExplainEvaluateService
    from core.services.evaluation.film_evaluating import FilmEvaluateService
    from core.services.evaluation.pod_evaluating import PodEvaluateService
    from core.services.evaluation.saved_views import SavedViews
    from core.services.evaluation.version_records import VersionRecords
    from core.services.health import HealthService, OverviewService
    from core.services.images.samples import SampleLibrary
    from core.services.inference.detecting import DetectService, Engine
    from core.services.inference.explaining import ExplainService
    from core.services.inference.picking import PickService
    from core.services.inference.without_it import WithoutItService
    from core.services.inspections.similar_indications import SimilarService
    from core.services.intake.inspecting_files import InspectFilesService
    from core.services.intake.intake_jobs import IntakeJobService, IntakeRun
    from core.services.intake.recorded import RecordedService
    from core.services.intake.report_maps import ReportMapService
    from core.services.labels.sending import LabelSending
    from core.services.labels.version_disagreements import VersionDisagreements
    from core.services.monitoring.drift import DriftService
    from core.services.monitoring.following import FollowUp
    from core.services.monitoring.live import LiveCalibrationService
    from core.services.monitoring.qualifying import QualificationService
    from core.services.monitoring.shadow import ShadowService
    from core.services.reports.reporting import ReportingService
    from core.services.reports.verifying import VerifyingService
    from core.services.routing.routing import RoutingService
    from core.services.training.retrain_run import Retrainer
    from core.services.training.training import TrainService
    from core.services.workspaces import Workspace

#: The kinds of long jobs, and what runs each in the worker's process; see `core.services.jobs.jobs`.
JOB_KINDS: dict[str, Callable[[Container], JobRun]] = {
    MAKE_DATA_VERSION: lambda services: services.data_maker.run,
    RETRAIN: lambda services: services.retrainer.run,
    EVALUATE: lambda services: services.evaluation_run.run,
    DISAGREE: lambda services: services.version_disagreements.run,
    INSPECT: lambda services: services.intake_run.run,
}


class Container(Foundations):
    """The services over the database, registry and folders that `settings` name; creates no schema.

    Threads may share one whose `detect`, `registry_sync` and `demo` were made before: Python 3.12 and later
    may make two of a property that two threads ask for first.

    Args:
        settings: of this process.
        serves: versions answer here: one is loaded and run once before it may be champion.
        hash_cost: of password hashes.
    """

    def __init__(self, settings: Settings, *, serves: bool = False, hash_cost: int = COST) -> None:
        super().__init__(settings, hash_cost=hash_cost)
        self.serves = serves

    def close(self) -> None:
        """Let what runs here finish, anchor the audit log, close the database; nothing is made for that."""
        for name in ("registry_sync", "demo"):
            if name in vars(self):
                getattr(self, name).close()
        super().close()

    # --- workspaces and reports

    @cached_property
    def workspace(self) -> Workspace:
        from core.services.workspaces import make_workspace

        seal_key, *earlier = self.secrets.keys(Purpose.SIGNATURE)
        return make_workspace(
            "",
            self.store,
            self.data_dir / "originals",
            blobs=self.blobs,
            accounts=self.own_account,
            seal_key=seal_key,
            earlier_seal_keys=earlier,
        )

    @cached_property
    def demo(self) -> DemoWorkspaces:
        from core.services.demo_workspaces import DemoWorkspaces

        return DemoWorkspaces(
            self.data_dir / "demo",
            open_store,
            idle_s=60 * self.settings.demo_idle_minutes,
            max_guests=self.settings.demo_guests,
            max_per_address=self.settings.demo_guests_per_address,
        )

    def workspace_of(self, identity: Identity) -> Workspace:
        """The workspace with this person's images and records; a guest never sees that of accounts."""
        return self.demo.of(identity) if identity.is_guest else self.workspace

    @cached_property
    def samples(self) -> SampleLibrary:
        from core.services.images.samples import SampleLibrary

        return SampleLibrary(ROOT / "data" / "dataset_card.yaml", ROOT / "data" / "samples")

    def reporting(self, identity: Identity) -> ReportingService:
        """Reports of the inspections in this person's workspace."""
        from core.services.reports.reporting import ReportingService

        return ReportingService(self.workspace_of(identity), self.registry, self.standing_of)

    @cached_property
    def verifying(self) -> VerifyingService:
        from core.services.reports.verifying import VerifyingService

        return VerifyingService(self.reporting(COMMAND_LINE), self.workspace.images, self.detect)

    # --- models: inference, and which version serves

    @cached_property
    def served(self) -> ServedModels:
        return ServedModels(self.registry)

    @cached_property
    def detect(self) -> DetectService:
        from core.services.inference.detecting import DetectService

        check, elsewhere = self.frozen.require, self._networks_elsewhere()
        return DetectService(self.served, device=self.settings.device, check=check, elsewhere=elsewhere)

    def _networks_elsewhere(self) -> Callable[[ModelVersion, Path], Engine] | None:
        settings = self.settings
        if settings.engine == "local":
            return None
        from core.services.inference.ray_networks import RayNetworks

        address = settings.engine.removeprefix("ray").removeprefix("://")
        cluster = RayNetworks(
            address,
            most_replicas=settings.engine_replicas,
            gpus_each=settings.engine_gpus_each,
            most_waiting=settings.engine_waiting,
        )
        return cluster.engine_for

    @cached_property
    def picking(self) -> PickService:
        from core.services.inference.picking import PickService

        return PickService(self.served, self.detect)

    @cached_property
    def bulk(self) -> BulkService:
        from core.services.bulk.bulk import BulkService

        return BulkService(self.served, device=self.settings.device)

    @cached_property
    def explain(self) -> ExplainService:
        from core.services.inference.explaining import ExplainService

        return ExplainService(self.detect, self.explanation_records.of)

    @cached_property
    def without_it(self) -> WithoutItService:
        from core.services.inference.without_it import WithoutItService

        return WithoutItService(self.detect)

    def similar(self, identity: Identity) -> SimilarService:
        """Decided indications of this person's workspace by what they look like."""
        from core.services.inspections.similar_indications import SimilarService

        held = self.workspace_of(identity)
        return SimilarService(held.store, held.images, self.detect, held.features)

    @cached_property
    def inspect_files(self) -> InspectFilesService:
        from core.services.intake.inspecting_files import InspectFilesService

        return InspectFilesService(self.workspace, self.served, self.detect, self.picking, self.explain)

    @cached_property
    def report_maps(self) -> ReportMapService:
        from core.services.intake.report_maps import ReportMapService

        records = self.explanation_records
        return ReportMapService(self.inspect_files, self.explain, self.without_it, records.of)

    @cached_property
    def recorded(self) -> RecordedService:
        from core.services.intake.recorded import RecordedService

        return RecordedService(self.workspace.store, self.workspace.records)

    @cached_property
    def routing(self) -> RoutingService:
        from core.services.routing.routing import RoutingService
        from core.services.routing.routing_certificates import RoutingCertificates

        certificates = RoutingCertificates(self.data_dir / "routing")
        return RoutingService(self.detect, self.registry, certificates)

    @cached_property
    def checks(self) -> CheckService:
        return CheckService(
            database=self.database,
            ring=lambda: self.trail.ring,
            places=Places(
                self.data_dir,
                self.data_dir / "originals",
                file_of(self.settings.database_url),
                self.settings.upload_limit_mb * 2**20,
            ),
            registry=self.served,
            is_key_kept=self.is_key_kept,
            remote=self.object_blobs,
        )

    @cached_property
    def health(self) -> HealthService:
        from core.services.health import HealthService

        return HealthService(
            checks=self.checks,
            registry=self.served,
            networks=self.detect,
            audit=partial(verification_facts, self.store),
            recovery=partial(recovery_facts, self.store),
            in_use=self.in_use_facts,
        )

    @cached_property
    def overview(self) -> OverviewService:
        from core.services.health import OverviewService

        return OverviewService(self.health, self.minute_files)

    @cached_property
    def tally(self) -> Tally:
        return Tally()

    @cached_property
    def minute_files(self) -> MinuteFiles:
        return MinuteFiles(self.data_dir / "figures")

    @cached_property
    def versions(self) -> VersionService:
        return VersionService(self.store, self.registry)

    @cached_property
    def alias_history(self) -> AliasHistory:
        return AliasHistory(self.store, self.registry)

    @cached_property
    def registry_sync(self) -> RegistrySync:
        return RegistrySync(self.registry, self.served, self.alias_history, self.detect.warm_up)

    @cached_property
    def alias_mover(self) -> AliasMover:
        return AliasMover(
            self.store,
            self.registry,
            self.alias_history,
            warm_up=self.detect.warm_up if self.serves else None,
            take_over=self.registry_sync.take_over if self.serves else None,
        )

    @cached_property
    def promoting(self) -> PromotionService:
        rule = GateRule(min_shadow_images=self.settings.gate_shadow_images)
        return PromotionService(self.store, self.alias_mover, self.evidence, rule, self._n_shadow)

    def _n_shadow(self, version: ModelVersion) -> int:
        return self.shadow.n_read(version)

    @cached_property
    def overriding(self) -> OverrideService:
        return OverrideService(self.store, self.alias_mover, self.promoting)

    @cached_property
    def evidence(self) -> Evidence:
        from core.services.lifecycle.gate_evidence import StoredEvidence

        return StoredEvidence(self.evaluation_archive, self.registry, self.pod_records, self.time_records)

    # --- after promotion

    @cached_property
    def drift(self) -> DriftService:
        from core.services.monitoring.drift import DriftService

        return DriftService(self.store, self.workspace.images, self.detect)

    @cached_property
    def shadow(self) -> ShadowService:
        from core.services.monitoring.shadow import ShadowService

        return ShadowService(self.store, self.workspace.images, self.registry, self.detect)

    @cached_property
    def live(self) -> LiveCalibrationService:
        from core.services.monitoring.live import LiveCalibrationService

        return LiveCalibrationService(self.store)

    @cached_property
    def qualifying(self) -> QualificationService:
        from core.services.monitoring.qualifying import QualificationService

        return QualificationService(self.store, self.registry)

    @cached_property
    def frozen(self) -> FrozenService:
        return FrozenService(self.store, self.registry)

    def in_use_facts(self) -> dict[str, Any]:
        """Standing drift alarms and changed versions, for the health report; empty where there are none."""
        drift = [f"{name} v{version}: {n}" for (name, version), n in self.drift.n_standing().items()]
        frozen = list(self.frozen.problems())
        return {**({"drift_alarms": drift} if drift else {}), **({"frozen": frozen} if frozen else {})}

    def standing_of(self, inspection: Inspection) -> tuple[str | None, str | None]:
        """Drift and qualification of the version behind an inspection, in words; None each without."""
        model, setup = inspection.model, setup_from(inspection.setup)
        qualified = self.qualifying.words(model.sha256, model.calibration_id, setup, inspection.created_at)
        return self.drift.reported(inspection), qualified or None

    def follow_up(self, is_busy: Callable[[], bool]) -> FollowUp:
        """Follows what was read while nobody waits; not started yet."""
        from core.services.monitoring.following import FollowUp

        steps = (self.frozen.look_after, self.drift.observe_next, self.shadow.read_next)
        return FollowUp(steps, is_busy)

    # --- evaluation

    @cached_property
    def evaluation_sets(self) -> EvaluationSets:
        from core.services.evaluation.evaluation_sets import EvaluationSets

        return EvaluationSets(self.store, self.data_dir / "evaluations" / "sets")

    @cached_property
    def set_maker(self) -> SetMaker:
        from core.services.datasets.set_making import SetMaker

        folder = self.data_dir / "evaluations" / "sets" / "images"
        return SetMaker(self.store, self.blobs, self.evaluation_sets, folder)

    @cached_property
    def evaluation_archive(self) -> EvaluationArchive:
        from core.services.evaluation.evaluation_archive import EvaluationArchive

        outcomes = ArrayFiles(self.data_dir / "evaluations" / "outcomes")
        return EvaluationArchive(self.store, outcomes)

    @cached_property
    def evaluations(self) -> EvaluationService:
        from core.services.evaluation.evaluations import EvaluationService

        return EvaluationService(
            self.evaluation_sets,
            self.evaluation_archive,
            self.registry,
            self.jobs,
            self.store,
            device=self.detect.device,
        )

    @cached_property
    def clean_sets(self) -> CleanSets:
        from core.services.evaluation.clean_sets import CleanSets

        return CleanSets(self.store, self.evaluations, self.evaluation_archive)

    @cached_property
    def box_maps(self) -> BoxMaps:
        from core.services.evaluation.box_maps import BoxMaps

        folder = self.data_dir / "evaluations" / "maps"
        return BoxMaps(self.evaluation_sets, self.evaluation_archive, self.registry, self.detect, folder)

    @cached_property
    def saved_views(self) -> SavedViews:
        from core.services.evaluation.saved_views import SavedViews

        return SavedViews(self.store, self.registry)

    @cached_property
    def evaluate(self) -> EvaluateService:
        from core.services.evaluation.evaluating import EvaluateService

        return EvaluateService(self.detect, self.registry)

    def evaluate_artefact(self, folder: Path) -> EvaluateService:
        """Measuring the version in `folder`, which is not registered."""
        from core.services.evaluation.evaluating import EvaluateService
        from core.services.inference.detecting import DetectService
        from core.services.lifecycle.releasing import OneModel

        models = OneModel(folder, 0)
        return EvaluateService(DetectService(models, device=self.settings.device), models)

    @cached_property
    def explain_evaluate(self) -> ExplainEvaluateService:
        from core.services.evaluation.explain_evaluating import ExplainEvaluateService

        return ExplainEvaluateService(self.detect, self.registry)

    @cached_property
    def explanation_records(self) -> VersionRecords:
        from core.services.evaluation.version_records import EXPLANATIONS_FILE, VersionRecords

        folder, shipped = self.data_dir / "explanations", ROOT / "models" / "explanations"
        return VersionRecords(folder, self.registry, EXPLANATIONS_FILE, shipped=shipped)

    @cached_property
    def pod_evaluate(self) -> PodEvaluateService:
        from core.services.evaluation.pod_evaluating import PodEvaluateService

        return PodEvaluateService(self.detect, self.registry)

    @cached_property
    def pod_records(self) -> VersionRecords:
        from core.services.evaluation.version_records import POD_FILE, VersionRecords

        return VersionRecords(self.data_dir / "pod", self.registry, POD_FILE)

    @cached_property
    def time_records(self) -> VersionRecords:
        from core.services.evaluation.version_records import TIMES_FILE, VersionRecords

        return VersionRecords(self.data_dir / "times", self.registry, TIMES_FILE)

    @cached_property
    def evaluate_films(self) -> FilmEvaluateService:
        from core.services.evaluation.film_evaluating import FilmEvaluateService

        return FilmEvaluateService(self.detect, self.registry)

    # --- jobs, data versions and training

    @cached_property
    def jobs(self) -> JobService:
        return JobService(self.store, self.data_dir / "jobs", kinds=JOB_KINDS)

    @cached_property
    def job_queue(self) -> JobQueue:
        return JobQueue(self.store)

    @cached_property
    def intake_jobs(self) -> IntakeJobService:
        from core.services.intake.intake_jobs import IntakeJobService

        return IntakeJobService(self.store, self.data_dir / "intake", self.served, self.jobs.folder_of)

    @cached_property
    def intake_run(self) -> IntakeRun:
        from core.services.intake.intake_jobs import IntakeRun

        return IntakeRun(self.store, self.data_dir / "intake", self.inspect_files)

    def job_worker(self) -> JobWorker:
        """Does one job in this process."""
        return JobWorker(self.store, self.data_dir / "jobs", lambda kind: JOB_KINDS[kind](self))

    @cached_property
    def data(self) -> DataVersionService:
        return DataVersionService(
            self.store,
            self.manifests,
            self.data_dir / "imports",
            self.jobs,
            held_by=self.evaluation_sets.held_by,
        )

    @cached_property
    def data_checks(self) -> DataCheckService:
        from core.services.datasets.data_checking import DataCheckService

        return DataCheckService(self.registry)

    @cached_property
    def retraining(self) -> RetrainService:
        digests_of = self.evaluation_sets.digests_of
        return RetrainService(self.jobs, self.data, self.registry, digests_of, self.blobs.has)

    @cached_property
    def data_maker(self) -> DataMaker:
        from core.registry.data_log import log_dataset
        from core.services.datasets.data_making import DataMaker

        return DataMaker(
            self.store,
            self.blobs,
            self.manifests,
            self.registry,
            evaluated=self.evaluation_sets.digests_of,
            log_dataset=partial(
                log_dataset, self.tracking_uri, self.data_dir / "registry" / "data-artifacts"
            ),
        )

    @cached_property
    def retrainer(self) -> Retrainer:
        from core.services.training.retrain_run import Retrainer

        return Retrainer(
            self.store,
            self.blobs,
            self.manifests,
            self.registry,
            evaluated=self.evaluation_sets.digests_of,
            open_run=self.open_run,
            challenge=self.alias_mover.challenge,
        )

    @cached_property
    def evaluation_run(self) -> EvaluationRun:
        from core.services.evaluation.evaluation_run import EvaluationRun
        from core.services.evaluation.times_in_turn import TimesInTurn

        return EvaluationRun(
            self.store,
            self.evaluation_sets,
            self.evaluation_archive,
            self.registry,
            self.detect,
            self.registry,
            TimesInTurn(self.detect, self.time_records),
        )

    @cached_property
    def label_sending(self) -> LabelSending:
        from core.services.labels.sending import LabelSending

        return LabelSending(self.store, self.workspace.images, self.evaluation_sets)

    @cached_property
    def version_disagreements(self) -> VersionDisagreements:
        from core.services.labels.version_disagreements import VersionDisagreements

        return VersionDisagreements(self.store, self.workspace.images, self.registry, self.detect)

    def training(self, job: str | None = None) -> TrainService:
        """Training by a recipe; the row of `job`, if any, follows it."""
        from core.engine.precision import pick_device
        from core.services.training.training import TrainService

        return TrainService(
            root=ROOT,
            runs=self.data_dir / "train",
            device=pick_device(self.settings.device),
            open_run=self.open_run,
            store=self.store,
            job=job,
        )

    def open_run(self, name: str, *, run_id: str | None = None) -> MlflowRunLog:
        """A new MLflow run of that name, or the run of `run_id` to go on with."""
        from core.registry.training_run import MlflowRunLog, source_tags

        artifacts = self.data_dir / "registry" / "training-artifacts"
        run = MlflowRunLog(self.tracking_uri, name, artifacts, run_id=run_id)
        run.tags(source_tags(ROOT))
        return run


@contextmanager
def open_container(settings: Settings, *, newest: bool = False) -> Iterator[Container]:
    """The services for one command; afterwards the audit log is anchored and the database is closed.

    Args:
        settings: of this process.
        newest: bring the database to the newest schema first.
    """
    services = Container(settings)
    try:
        if newest:
            upgrade(services.database)
            services.audit.take_up(SYSTEM)
        yield services
    finally:
        services.close()
        services.close_to_others()
