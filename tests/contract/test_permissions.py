"""Tables written by hand, of who may do what and which method is which of it, and the code that obeys."""

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.shared.navigation import PAGES
from core.domain.accounts import Identity, Role
from core.domain.errors import NotAllowedError
from core.domain.permissions import PERMISSIONS, Action
from core.store.audit_trail import open_store
from core.store.database import open_database
from core.store.unit_of_work import Store
from tests import permitted
from tests.empty_stores import copy_empty_database

CORE = Path(__file__).resolve().parents[2] / "core"
#: Methods of services that are handed an identity, and the row of the manual's table of actions that says who
#: may call them. Written by hand: a new method belongs here before its test passes.
METHODS = {
    "hand in radiographs": """
        ImageService.add ImageService.keep_within ImageService.take_in WorklistService.describe
        WorklistService.put WorklistService.state_polarity""",
    "look at radiographs": "PlaceNotes.of_images",
    "send images of a comparison to labelling": "LabelSending.send",
    "write notes on images": "PlaceNotes.answer PlaceNotes.withdraw PlaceNotes.write",
    "have a radiograph inspected": """
        ImageQualityService.refresh ImageQualityService.report InspectFilesService.inspect
        IntakeJobService.start InspectionService.open
        InspectionService.prepare InspectionService.record WorklistService.read_as""",
    "look at inspections": """
        HistoryExportService.csv HistoryService.choices HistoryService.search InspectionRecordService.get
        InspectFilesService.explain
        InspectFilesService.reported InspectionService.get InspectionService.latest InspectionService.newest
        OpenReadingService.open
        OpenReadingService.open_newest OpenReadingService.progress RecordedService.get
        ReportingService.report ReportMapService.with_maps SimilarService.similar_to
        VerifyingService.verify ZoneService.of""",
    "set a disposition": """
        FirstLookService.finish FirstLookService.save InspectionService.decide InspectionService.describe
        MeasuringService.save ReadingService.save ScaleService.set ScaleService.type_pitch SeeingService.add
        SigningOffService.revise WorklistService.save_template ZoneService.draw ZoneService.find_again""",
    "review another person's inspection": """
        SecondReviewService.change_own SecondReviewService.compare SecondReviewService.conclude
        SecondReviewService.decide_own
        SecondReviewService.own_review SecondReviewService.queue SecondReviewService.save_own
        SecondReviewService.unveil""",
    "sign": "SigningOffService.sign",
    "look at annotations": """
        ImageBrowsing.authors ImageBrowsing.digests ImageBrowsing.page LabelFiles.export
        LabelImports.plan LabelService.before LabelService.open""",
    "save annotations": """
        LabelImports.apply LabelService.append LabelService.save LabelService.submit""",
    "look at own classes of labels": "OwnClassService.all",
    "add and change own classes of labels": "OwnClassService.save",
    "work through the queue of corrections": """
        CorrectionQueue.assign CorrectionQueue.catch_up CorrectionQueue.get CorrectionQueue.hold
        CorrectionQueue.page CorrectionQueue.peek CorrectionQueue.release CorrectionQueue.reopen
        CorrectionQueue.skip CorrectionQueue.skip_image CorrectionQueue.take_next CorrectionQueue.workers""",
    "look at data versions": """
        DataVersionService.all DataVersionService.authors DataVersionService.difference
        DataVersionService.judging DataVersionService.manifest DataVersionService.numbered
        DataVersionService.preview""",
    "make data versions": "DataVersionService.importable DataVersionService.start",
    "look at long jobs": """
        JobService.ahead_of JobService.find JobService.latest JobService.log_tail RetrainService.curves
        RetrainService.latest RetrainService.outlook RetrainService.resume_refusal""",
    "start, stop and resume long jobs": """
        JobService.cancel JobService.resume JobService.start RetrainService.start""",
    "compare model versions": """
        EvaluationService.compare EvaluationService.content EvaluationService.differences
        EvaluationService.equipment
        EvaluationService.latest_job EvaluationService.measured EvaluationService.measured_on
        EvaluationService.models EvaluationService.open EvaluationService.radiograph
        EvaluationService.versions BoxMaps.of EvaluationSets.all EvaluationSets.find
        SavedViews.all SavedViews.delete SavedViews.rename SavedViews.save SavedViews.share""",
    "measure model versions, add evaluation sets": """
        CleanSets.judge EvaluationService.start EvaluationService.start_simulated EvaluationSets.add_files
        BoxMaps.make EvaluationSets.subset SetMaker.count SetMaker.count_history SetMaker.from_archive
        SetMaker.from_history SetMaker.from_labels""",
    "look at model versions and what served when": """
        OverrideService.waiting PromotionService.gate PromotionService.rollback_target PromotionService.sets
        AliasHistory.at AliasHistory.history AliasHistory.of_inspection VersionService.all
        VersionService.models DriftService.state LiveCalibrationService.of
        QualificationService.records QualificationService.unnamed_equipment ShadowService.summary""",
    "record and withdraw a qualification of a model version": """
        QualificationService.qualify QualificationService.withdraw""",
    "acknowledge a drift alarm": "DriftService.acknowledge",
    "promote and roll back model versions": """
        OverrideService.ask PromotionService.force PromotionService.promote PromotionService.roll_back""",
    "consent to a promotion that the gate refused": "OverrideService.consent OverrideService.refuse",
    "look at acceptance rules": "RuleSetEditingService.history RuleSetEditingService.tables",
    "change acceptance rules": "RuleSetEditingService.save",
    "change one's own password": """
        CertificateService.is_required CertificateService.own FilmFirstService.is_default FilmFirstService.own
        FilmFirstService.set_own OwnAccountService.change_password OwnAccountService.confirm_password
        OwnAccountService.find""",
    "add, disable, erase users; set roles and passwords": """
        AccountService.add AccountService.all AccountService.disable AccountService.enable
        AccountService.erase AccountService.named AccountService.reset_password AccountService.set_role
        CertificateService.add CertificateService.all CertificateService.change CertificateService.remove
        CertificateService.set_required CertificateService.standings FilmFirstService.set_default
        PersonalDataService.export SignInService.end_sessions""",
    "look at the state of the installation": "OverviewService.overview",
    "add, list and revoke API keys": "ApiKeyService.add ApiKeyService.all ApiKeyService.revoke",
    "read, verify and export the audit log": """
        AuditService.begin_anchors AuditService.choices AuditService.export AuditService.last_verification
        AuditService.search AuditService.take_up AuditService.verify""",
}
#: Open to every role, because they reach nothing but the rows of whoever asks.
OWN_ROWS = frozenset(
    {
        "ApiAnswerService.once",
        "FilmFirstService.is_on",
        "IntakeJobService.done",
        "IntakeJobService.find",
        "IntakeJobService.resume",
        "IntakeJobService.stop",
        "WorklistService.entries",
        "WorklistService.remove",
    }
)
#: Refuses everybody: where it stands there are no accounts.
CLOSED = "NoAccounts.confirm_password"
#: What alone is possible as long as somebody has a password that another person set.
BEFORE_THE_CHANGE = "change one's own password"
ROWS = [(method, row) for row, methods in METHODS.items() for method in methods.split()]


def guarded_methods() -> Iterator[tuple[type, str]]:
    """Every public method of a service class that is handed an identity."""
    for path in sorted(CORE.glob("services/**/*.py")):
        if "identity: Identity" not in path.read_text(encoding="utf-8"):
            continue  # some are slow to import
        name = ".".join(path.relative_to(CORE.parent).with_suffix("").parts)
        module = importlib.import_module(name)
        for _, service in inspect.getmembers(module, inspect.isclass):
            if service.__module__ != module.__name__ or getattr(service, "_is_protocol", False):
                continue
            for method_name, method in inspect.getmembers(service, inspect.isfunction):
                is_public = not method_name.startswith("_")
                if is_public and "identity" in inspect.signature(method).parameters:
                    yield service, method_name


@pytest.fixture(scope="module")
def services() -> dict[str, type]:
    """The classes by name."""
    return {service.__name__: service for service, _ in guarded_methods()}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One for all methods: none of them is handed anything that it could write."""
    engine = open_database(copy_empty_database(tmp_path_factory.mktemp("permissions") / "radikal.db"))
    yield open_store(engine)
    engine.dispose()


def call(service: type, name: str, store: Store, identity: Identity) -> None:
    """Call the method of a service that has nothing but its store, with nothing that makes sense."""
    bare: Any = service.__new__(service)
    bare._store = store
    given = {
        parameter.name: None
        for parameter in inspect.signature(getattr(service, name)).parameters.values()
        if parameter.name not in ("self", "identity") and parameter.default is parameter.empty
    }
    result = getattr(bare, name)(identity=identity, **given)
    if inspect.isgenerator(result):
        next(result)


def refusal(method: str, services: dict[str, type], store: Store, identity: Identity) -> str:
    """Why the method does not let somebody past; empty when it goes on, however far it comes."""
    service, _, name = method.partition(".")
    try:
        call(services[service], name, store, identity)
    except NotAllowedError as error:
        return str(error)
    except Exception:  # noqa: BLE001 - nothing that it was handed made sense
        pass
    return ""


def test_every_method_that_is_handed_an_identity_is_in_the_table_once() -> None:
    listed = sorted([*(method for method, _ in ROWS), *OWN_ROWS, CLOSED])
    assert sorted(f"{service.__name__}.{name}" for service, name in guarded_methods()) == listed


def test_the_actions_are_open_to_whom_the_manual_says() -> None:
    assert {action.value: roles for action, roles in PERMISSIONS.items()} == permitted.ACTIONS
    assert {action.value for action in Action} == set(permitted.ACTIONS)


def test_the_pages_are_open_to_whom_the_manual_says() -> None:
    assert {f"{page.section}: {page.title}": page.roles for page in PAGES} == permitted.PAGES


@pytest.mark.parametrize(("method", "row"), ROWS)
def test_a_method_lets_past_whom_the_manual_says_and_nobody_else(
    method: str, row: str, services: dict[str, type], store: Store
) -> None:
    for role in Role:
        said = refusal(method, services, store, Identity("u-0", "somebody", role))
        if role in permitted.ACTIONS[row]:
            assert "the role" not in said, f"{role}; refused for another reason is fine"
        else:
            assert said.startswith(f"the role {role.label} may not {row}"), role


@pytest.mark.parametrize("role", Role)
def test_without_accounts_nobody_confirms_a_password(
    role: Role, services: dict[str, type], store: Store
) -> None:
    assert refusal(CLOSED, services, store, Identity("u-0", "somebody", role))


@pytest.mark.parametrize(("method", "row"), ROWS)
def test_nobody_does_anything_before_the_password_was_changed(
    method: str, row: str, services: dict[str, type], store: Store
) -> None:
    for role in permitted.ACTIONS[row]:
        said = refusal(method, services, store, Identity("u-0", "somebody", role, must_change_password=True))
        assert ("change your password first" in said) == (row != BEFORE_THE_CHANGE)
