"""What health says when something is missing."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from core.audit.chain import keyring
from core.container import Container
from core.domain.accounts import COMMAND_LINE
from core.services.auditing import verification_facts
from core.services.health import HealthReport, HealthService
from core.services.images.images import ImageService
from core.services.operations.backup_record import recovery_facts
from core.services.operations.checks import CheckService, Places
from core.store.database import open_database
from tests.artefacts import write_artefact
from tests.workplace import close_workplace, make_workplace, radiograph_png


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Container]:
    held = make_workplace(tmp_path)
    yield held.services
    close_workplace(held)


def test_all_is_well(services: Container) -> None:
    report = services.health.report()
    assert report.is_usable
    assert report.content["status"] == "ok"
    assert report.content["device"] == "cpu"
    assert report.content["models"]["weld"]["version"] == 1
    assert isinstance(report.content["gpu"]["present"], bool)


@pytest.mark.parametrize("error", [ModuleNotFoundError("no nvidia-ml-py"), RuntimeError("driver")])
def test_use_of_a_gpu_is_told_where_it_can_be_asked(
    services: Container, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(_device: int) -> int:
        raise error

    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda _device: (2**30, 2**31))
    monkeypatch.setattr("torch.cuda.get_device_name", lambda _device: "H200")
    monkeypatch.setattr("torch.cuda.utilization", lambda _device: 25)
    told = {"present": True, "name": "H200", "memory_free_mib": 1024, "memory_total_mib": 2048}
    assert services.health.report().content["gpu"] == told | {"use": 0.25}
    monkeypatch.setattr("torch.cuda.utilization", fail)
    assert services.health.report().content["gpu"] == told


def test_a_model_counts_as_loaded_once_its_network_is_in_memory(services: Container) -> None:
    assert not services.health.report().content["models"]["weld"]["loaded"]
    services.detect.detector_for(services.registry.resolve("weld")[0])
    assert services.health.report().content["models"]["weld"]["loaded"]


class Room:
    """A disk with so many free MiB."""

    def __init__(self, free_mib: int) -> None:
        self.free_mib = free_mib

    def __call__(self, _folder: Path) -> tuple[int, int]:
        return self.free_mib * 2**20, 2**40


def looked(services: Container, **changed: object) -> HealthReport:
    """The report over checks of which some arguments are changed."""
    arguments = {
        "database": services.database,
        "ring": lambda: services.trail.ring,
        "places": Places(services.data_dir, services.data_dir / "originals", None, 500 * 2**20),
        "registry": services.registry,
        "free_and_total": Room(5000),
    }
    checks = CheckService(**{**arguments, **changed})
    return HealthService(
        checks=checks,
        registry=services.registry,
        networks=services.detect,
        audit=partial(verification_facts, services.store),
        recovery=partial(recovery_facts, services.store),
    ).report()


def test_an_unreachable_database_is_unusable(services: Container, tmp_path: Path) -> None:
    away = open_database(f"postgresql://nobody@/radikal?host={tmp_path}")
    report = looked(services, database=away)
    away.dispose()
    assert not report.is_usable
    assert report.content["database"]["reachable"] is False
    assert "cannot be reached" in report.content["database"]["problem"]


def test_another_schema_or_key_is_unusable(services: Container, tmp_path: Path) -> None:
    with services.store.write() as work:
        work.audit.record(COMMAND_LINE, action="image.added", object_type="image", object_id="o-1")
    report = looked(services, ring=lambda: keyring(b"n" * 32))
    assert not report.is_usable
    assert "is not known here" in report.content["signing_key"]["problem"]
    empty = open_database(f"sqlite:///{tmp_path}/empty.db")
    report = looked(services, database=empty)
    empty.dispose()
    assert (report.is_usable, report.content["database"]["schema"]) == (False, "other")
    assert "run `radikal setup`" in report.content["database"]["problem"]


def test_a_key_file_that_went_away_is_told_before_the_next_start_is_refused(
    services: Container, tmp_path: Path
) -> None:
    services.audit.verify(COMMAND_LINE)
    assert services.health.report().content["signing_key"] == {"ok": True}
    (tmp_path / "signing.key").rename(tmp_path / "elsewhere")
    report = services.health.report()
    assert (report.is_usable, report.content["status"]) == (True, "degraded")
    assert "the next start would be refused" in report.content["signing_key"]["problem"]


def test_a_database_file_that_went_away_is_called_that(services: Container, tmp_path: Path) -> None:
    assert services.health.report().is_usable
    (tmp_path / "radikal.db").rename(tmp_path / "elsewhere")
    report = services.health.report()
    assert not report.is_usable
    assert f"there is no file {tmp_path}/radikal.db any more" in report.content["database"]["problem"]


@pytest.mark.parametrize(
    ("free_mib", "status"),
    [(0, "unusable"), (127, "unusable"), (128, "degraded"), (999, "degraded"), (1024, "ok")],
)
def test_free_space_is_told_and_a_full_disk_is_unusable(
    services: Container, free_mib: int, status: str
) -> None:
    report = looked(services, free_and_total=Room(free_mib))
    assert report.content["status"] == status
    assert report.content["disk"]["free_mib"] == free_mib
    assert report.is_usable == (status != "unusable")


def test_a_folder_of_films_that_went_away_is_unusable(services: Container, tmp_path: Path) -> None:
    assert looked(services).is_usable, "no film, no folder"
    ImageService(services.blobs, services.store).add(COMMAND_LINE, radiograph_png(), "film.png")
    assert looked(services).is_usable
    (tmp_path / "originals").rename(tmp_path / "unmounted")
    report = looked(services)
    assert not report.is_usable
    assert "is missing, but the database knows films" in report.content["originals"]["problem"]


def test_weights_that_changed_on_disk_are_not_used(services: Container, tmp_path: Path) -> None:
    weights = tmp_path / "weld" / "weights.safetensors"
    assert looked(services).content["models"]["weld"]["usable"]
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    report = services.health.report()
    assert report.content["status"] == "degraded"
    assert "the card describes weights" in report.content["models"]["weld"]["reason"]


def test_a_registry_that_does_not_answer_degrades(services: Container) -> None:
    services.registry.is_reachable = lambda: False
    report = services.health.report()
    assert (report.is_usable, report.content["status"]) == (True, "degraded")
    assert "served from the cache" in report.content["registry"]["problem"]


def test_one_missing_model_degrades_and_two_make_it_unusable(services: Container, tmp_path: Path) -> None:
    (tmp_path / "casting" / "weights.safetensors").unlink()
    report = services.health.report()
    assert (report.is_usable, report.content["status"]) == (True, "degraded")
    assert not report.content["models"]["casting"]["usable"]
    services.registry.is_there = False
    assert not services.health.report().is_usable


def test_a_model_for_new_parts_is_told_once_it_is_registered(services: Container, tmp_path: Path) -> None:
    assert set(services.health.report().content["models"]) == {"weld", "casting"}
    services.registry.add(write_artefact(tmp_path / "any", name="casting-any"), alias="champion")
    report = services.health.report()
    assert (report.content["status"], report.content["models"]["casting-any"]["usable"]) == ("ok", True)
    (tmp_path / "any" / "weights.safetensors").unlink()
    report = services.health.report()
    assert (report.is_usable, report.content["status"]) == (True, "degraded")
    assert not report.content["models"]["casting-any"]["usable"]


def test_uptime_counts_from_the_start(services: Container) -> None:
    now = [100.0]
    health = HealthService(
        checks=services.checks,
        registry=services.registry,
        networks=services.detect,
        audit=dict,
        recovery=dict,
        clock=lambda: now[0],
    )
    now[0] = 112.34
    assert health.report().content["uptime_s"] == 12.3


def test_the_last_verification_is_told_and_faults_degrade(services: Container) -> None:
    assert services.health.report().content["audit"] == {"verified_at": None}
    services.audit.verify(COMMAND_LINE)
    told = services.health.report().content["audit"]
    assert told["is_whole"] is True
    with services.store.write() as work:
        details = {"n_events": 5, "n_findings": 2}
        work.audit.record(
            COMMAND_LINE, action="audit.verified", object_type="audit", object_id="log", details=details
        )
    report = services.health.report()
    assert (report.content["audit"]["is_whole"], report.content["audit"]["n_findings"]) == (False, 2)
    assert report.content["status"] != "ok"
