"""What health says when something is missing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from core.container import Container
from core.services.health import HealthService
from tests.workplace import close_workplace, make_workplace


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


def test_a_model_counts_as_loaded_once_its_network_is_in_memory(services: Container) -> None:
    assert not services.health.report().content["models"]["weld"]["loaded"]
    services.detect.detector_for(services.registry.resolve("weld")[0])
    assert services.health.report().content["models"]["weld"]["loaded"]


def test_an_unreachable_database_is_unusable(services: Container, tmp_path: Path) -> None:
    away = create_engine(f"sqlite:///{tmp_path / 'no such folder' / 'x.db'}")
    health = HealthService(database=away, registry=services.registry, networks=services.detect)
    report = health.report()
    assert not report.is_usable
    assert report.content["database"] == {"reachable": False}


def test_one_missing_model_degrades_and_two_make_it_unusable(services: Container, tmp_path: Path) -> None:
    (tmp_path / "casting" / "weights.safetensors").unlink()
    report = services.health.report()
    assert (report.is_usable, report.content["status"]) == (True, "degraded")
    assert not report.content["models"]["casting"]["usable"]
    services.registry.is_there = False
    assert not services.health.report().is_usable


def test_uptime_counts_from_the_start(services: Container) -> None:
    now = [100.0]
    health = HealthService(
        database=services.database,
        registry=services.registry,
        networks=services.detect,
        clock=lambda: now[0],
    )
    now[0] = 112.34
    assert health.report().content["uptime_s"] == 12.3
