"""The challenger reads unseen; a version in use cannot change; a qualification holds where it says."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from core.domain.accounts import Identity, Role
from core.domain.detections import Detections
from core.domain.errors import (
    BadInputError,
    EngineBusyError,
    FieldFaultsError,
    ModelArtefactError,
    NotAllowedError,
    UnknownRecordError,
)
from core.domain.exposure import Exposure
from core.domain.qualification import QualificationScope
from core.domain.radiograph import Polarity
from core.domain.reading import Call, DismissalKind, Setup, first_reading
from core.engine.detector import Request
from core.services.inference.detecting import DetectService
from core.services.monitoring.drift import DriftService
from core.services.monitoring.following import FollowUp
from core.services.monitoring.frozen import FrozenService
from core.services.monitoring.live import LiveCalibrationService
from core.services.monitoring.qualifying import QualificationService
from core.services.monitoring.shadow import ShadowService, size_words
from core.services.workspaces import Workspace
from core.store.clock import now_utc
from core.store.evaluations import EvaluationSet
from core.store.unit_of_work import Store
from tests.artefacts import write_artefact
from tests.memory_registry import MemoryRegistry
from tests.records import add_user
from tests.workplace import radiograph_png


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A champion that reports much, and a challenger that reports otherwise; read only."""
    folder = tmp_path_factory.mktemp("models")
    return (
        write_artefact(folder / "one", name="weld", seed=1, score_spread=1.0),
        write_artefact(folder / "two", name="weld", seed=2, score_spread=0.0),
    )


@pytest.fixture
def registry(folders: tuple[Path, Path]) -> MemoryRegistry:
    registry = MemoryRegistry()
    for folder, alias in zip(folders, ("champion", "challenger"), strict=True):
        registry.add(folder, alias=alias)
    return registry


class _Full:
    """Other machines that take nothing more."""

    def detect(self, request: Request) -> Detections:
        raise EngineBusyError("full")

    def ask(self, work: object) -> object:
        raise EngineBusyError("full")


FULL = _Full()


def read(desk: Workspace, who: Identity, detect: DetectService, n: int) -> None:
    """Let the champion read `n` images."""
    for seed in range(n):
        film = desk.images.add(who, radiograph_png(seed), f"film {seed}.png", polarity=Polarity.FILM)
        desk.inspections.record(who, detect.detect(film, f"film {seed}.png", model="weld"))


def test_what_was_read_is_observed_and_read_unseen_while_nobody_waits(
    desk: Workspace, inspector: Identity, registry: MemoryRegistry
) -> None:
    detect = DetectService(registry, device="cpu")
    read(desk, inspector, detect, 2)
    drift = DriftService(desk.store, desk.images, detect)
    shadow = ShadowService(desk.store, desk.images, registry, detect)
    engineer = add_user(desk.store, Role.ML_ENGINEER)
    before = desk.inspections.latest(inspector, 10)
    is_busy = True
    follow_up = FollowUp((drift.observe_next, shadow.read_next), lambda: is_busy)
    assert not follow_up.work()
    is_busy = False
    while follow_up.work():
        pass
    found = shadow.summary(engineer, "weld")
    assert found is not None
    assert (found.champion, found.challenger) == (1, 2)
    assert (found.n_images, found.n_waiting, found.n_failed) == (2, 0, 0)
    assert sum(found.by_class.values()) == sum(found.by_size.values()) > 0
    champion, _ = registry.resolve("weld")
    assert drift.state(engineer, champion.sha256).n_observed == 2
    assert shadow.n_read(registry.resolve("weld", alias="challenger")[0]) == 2
    assert [one.version for one in desk.inspections.latest(inspector, 10)] == [one.version for one in before]

    registry.set_alias("weld", "challenger", 1)  # the champion itself: nothing to compare
    assert shadow.summary(engineer, "weld") is None
    assert not shadow.read_next()


def test_an_image_that_is_gone_is_told_and_not_tried_again(
    desk: Workspace, inspector: Identity, registry: MemoryRegistry
) -> None:
    detect = DetectService(registry, device="cpu")
    read(desk, inspector, detect, 1)
    (inspection,) = desk.inspections.latest(inspector, 1)
    desk.images.forget(inspection.image_sha256)
    desk.blobs.path(inspection.image_sha256).unlink()
    shadow = ShadowService(desk.store, desk.images, registry, detect)
    drift = DriftService(desk.store, desk.images, detect)
    assert shadow.read_next()
    assert not shadow.read_next()
    assert drift.observe_next() == 1
    assert drift.observe_next() == 0
    found = shadow.summary(add_user(desk.store, Role.REVIEWER), "weld")
    assert found is not None
    assert (found.n_images, found.n_failed) == (0, 1)


def test_full_machines_do_not_count_as_an_image_that_could_not_be_read(
    desk: Workspace, inspector: Identity, registry: MemoryRegistry
) -> None:
    here = DetectService(registry, device="cpu")
    read(desk, inspector, here, 1)
    shadow = ShadowService(
        desk.store, desk.images, registry, DetectService(registry, device="cpu", elsewhere=lambda *_: FULL)
    )
    with pytest.raises(EngineBusyError):
        shadow.read_next()
    engineer = add_user(desk.store, Role.ML_ENGINEER)
    found = shadow.summary(engineer, "weld")
    assert found is not None
    assert (found.n_images, found.n_waiting, found.n_failed) == (0, 1, 0)
    later = ShadowService(desk.store, desk.images, registry, here)
    assert later.read_next()
    found = later.summary(engineer, "weld")
    assert found is not None
    assert (found.n_images, found.n_waiting, found.n_failed) == (1, 0, 0)


@pytest.mark.parametrize(
    ("side", "words"), [(15.9, "below 16 px"), (16.0, "16 to 32 px"), (64.0, "64 px and more")]
)
def test_sizes_are_those_of_the_figures(side: float, words: str) -> None:
    assert size_words([10.0, 10.0, 10.0 + side, 12.0]) == words


def test_a_version_in_use_cannot_change(store: Store, tmp_path: Path) -> None:
    registry = MemoryRegistry()
    folder = write_artefact(tmp_path / "one", name="weld")
    registry.add(folder, alias="champion")
    now = 0.0
    frozen = FrozenService(store, registry, clock=lambda: now)
    version, _ = registry.resolve("weld")
    frozen.require(version, folder)  # never in use
    assert frozen.look_after()
    assert not frozen.look_after()  # only every ten minutes
    frozen.require(version, folder)

    card = folder / "card.yaml"
    card.write_text(card.read_text(encoding="utf-8") + "\nlimits: none\n", encoding="utf-8")
    with pytest.raises(ModelArtefactError, match=r"may not change, but card.yaml did"):
        frozen.require(version, folder)
    detect = DetectService(registry, device="cpu", check=frozen.require)
    with pytest.raises(ModelArtefactError, match="in use since"):
        detect.detector_for(version, folder)
    now = 601.0
    assert frozen.look_after()
    assert "card.yaml" in frozen.problems()[0]

    (folder / "weights.safetensors").unlink()  # what cannot even be read is told as well
    (state,) = frozen.check()
    assert (state.version, state.since is not None) == (1, True)
    assert "weights.safetensors" in state.problem


def test_a_release_renews_the_card_of_a_version_in_use_and_nothing_else(store: Store, tmp_path: Path) -> None:
    registry = MemoryRegistry()
    folder = write_artefact(tmp_path / "one", name="weld")
    registry.add(folder, alias="champion")
    frozen = FrozenService(store, registry)
    assert frozen.changed("weld", 1, folder) is None  # never in use
    frozen.check()
    card = folder / "card.yaml"
    card.write_text(card.read_text(encoding="utf-8") + "\nlimits: none\n", encoding="utf-8")
    assert frozen.changed("weld", 1, folder) == {"card.yaml"}
    frozen.renew_card("weld", 1, folder)
    frozen.require(registry.resolve("weld")[0], folder)
    with store.read() as work:
        renewed = work.audit.newest("model.card_renewed")
    assert renewed is not None

    calibration = folder / "calibration.json"
    calibration.write_text(calibration.read_text().replace("nothing", "other"), encoding="utf-8")
    assert frozen.changed("weld", 1, folder) == {"calibration.json"}
    with pytest.raises(ModelArtefactError, match="only its card"):
        frozen.renew_card("weld", 1, folder)
    assert frozen.changed("weld", 1, write_artefact(tmp_path / "two", name="weld", seed=2)) is None


def test_a_qualification_holds_where_it_says_and_nowhere_else(store: Store, registry: MemoryRegistry) -> None:
    qualifying = QualificationService(store, registry)
    version, _ = registry.resolve("weld")
    key = (version.sha256, version.calibration.calibration_id)
    today = now_utc().date()
    scope = QualificationScope(
        "QP 7", "held-out welds", today + timedelta(days=30), equipment=("Ir-192, C5",), materials=("steel",)
    )
    steel = Setup(material="Steel", exposure=Exposure(source="Ir-192", film_system="C5"))
    assert qualifying.words(*key, steel) == ""  # nobody ever recorded one
    with pytest.raises(NotAllowedError):
        qualifying.qualify(add_user(store, Role.ML_ENGINEER), "weld", 1, scope)
    reviewer = add_user(store, Role.REVIEWER)
    with pytest.raises(FieldFaultsError, match="no evaluation set 'held-out welds' of weld"):
        qualifying.qualify(reviewer, "weld", 1, scope)
    with store.write() as work:
        work.evaluations.add_set(
            EvaluationSet("s" * 32, "held-out welds", "weld", "d" * 64, {}, 1, 1, None, work.now)
        )
    record = qualifying.qualify(reviewer, "weld", 1, scope)
    assert qualifying.unnamed_equipment(reviewer, scope) == ("Ir-192, C5",)  # no image was observed
    assert qualifying.unnamed_equipment(reviewer, replace(scope, equipment=())) == ()
    assert qualifying.words(*key, steel) == "qualified: QP 7"
    assert qualifying.words(*key, None).startswith("qualified for Ir-192, C5, steel only: QP 7, until ")
    other = Setup(material="steel", exposure=Exposure(source="Se-75"))
    assert qualifying.words(*key, other) == (
        "not qualified for this: equipment Se-75; qualified for Ir-192, C5"
    )
    assert "material not stated" in qualifying.words(*key, Setup(exposure=steel.exposure))
    later = now_utc() + timedelta(days=31)
    assert "expired" in qualifying.words(*key, steel, later)
    with pytest.raises(BadInputError, match="say why"):
        qualifying.withdraw(reviewer, record.qualification_id, note=" ")
    qualifying.withdraw(reviewer, record.qualification_id, note="the tube was replaced")
    assert "withdrawn" in qualifying.words(*key, steel)
    with pytest.raises(UnknownRecordError):
        qualifying.withdraw(reviewer, record.qualification_id, note="again")
    ((kept, by),) = qualifying.records(reviewer, version)
    assert (kept.withdrawn_note, by) == ("the tube was replaced", "reviewer2")


@pytest.mark.parametrize(
    "wrong", [{"procedure": " "}, {"evaluation_set": ""}, {"equipment": ("x" * 256,)}], ids=str
)
def test_a_qualification_without_its_grounds_is_refused(wrong: dict[str, object]) -> None:
    given = {"procedure": "QP 7", "evaluation_set": "welds", "expires_on": now_utc().date()} | wrong
    with pytest.raises(BadInputError):
        QualificationScope(**given)  # type: ignore[arg-type]  # as a form would


def test_decisions_become_figures_and_what_says_nothing_of_the_detector_does_not(
    desk: Workspace, inspector: Identity, registry: MemoryRegistry
) -> None:
    detect = DetectService(registry, device="cpu")
    read(desk, inspector, detect, 1)
    (inspection,) = desk.inspections.latest(inspector, 1)
    open_boxes = first_reading(inspection.detections, 0.0)
    assert len(open_boxes) >= 4
    calls = [
        {"call": Call.CONFIRMED},
        {"call": Call.DISMISSED},
        {"call": Call.DISMISSED, "dismissed_as": DismissalKind.GEOMETRY},
    ]
    said = [replace(one, **call) for one, call in zip(open_boxes, calls, strict=False)]  # type: ignore[arg-type]
    desk.readings.save(inspector, inspection.inspection_id, [*said, *open_boxes[3:]], expected_version=0)
    version, _ = registry.resolve("weld")
    found = LiveCalibrationService(desk.store).of(add_user(desk.store, Role.REVIEWER), version)
    assert (found.n_readings, found.all.n_boxes, found.all.n_true) == (1, 2, 1)
    assert (found.n_open, found.n_left_out) == (len(open_boxes) - 3, 1)
    assert found.all.bins == ()
