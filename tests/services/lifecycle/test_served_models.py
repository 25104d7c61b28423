"""Who serves changes only once the next one is warm, and never leaves nobody."""

import threading
from pathlib import Path

import pytest

from core.domain.errors import ModelArtefactError, ModelNotFoundError
from core.domain.model_version import ModelVersion
from core.services.lifecycle.served_models import ServedModels
from tests.artefacts import write_artefact
from tests.memory_registry import MemoryRegistry


@pytest.fixture
def registry(tmp_path: Path) -> MemoryRegistry:
    made = MemoryRegistry()
    made.add(write_artefact(tmp_path / "one", seed=1), alias="champion")
    made.add(write_artefact(tmp_path / "two", seed=2))
    return made


def damaged(version: ModelVersion) -> None:
    raise ModelArtefactError(f"v{version.version} is damaged")


def test_before_anything_took_over_the_registry_answers(registry: MemoryRegistry) -> None:
    served = ServedModels(registry)
    assert served.champion("weld").version == 1
    registry.set_alias("weld", "champion", 2)
    assert served.champion("weld").version == 2
    with pytest.raises(ModelNotFoundError):
        served.champion("casting")


def test_a_moved_alias_serves_only_after_it_took_over(registry: MemoryRegistry) -> None:
    served, warmed = ServedModels(registry), list[int]()

    def warm(version: ModelVersion) -> None:
        assert served.champion("weld").version == 1, "the old one answers while the new one is warmed"
        warmed.append(version.version)

    served.take_over("weld", warm)
    registry.set_alias("weld", "champion", 2)
    assert served.champion("weld").version == 1
    assert served.resolve("weld", version=2)[0].version == 2
    served.take_over("weld", warm)
    served.take_over("weld", warm)
    assert served.champion("weld").version == 2
    assert warmed == [1, 2], "warmed once each"
    assert [version.version for version in served.serving()] == [2]


def test_a_version_that_cannot_be_loaded_leaves_the_old_one_and_says_so(registry: MemoryRegistry) -> None:
    served = ServedModels(registry)
    served.take_over("weld", lambda version: None)
    registry.set_alias("weld", "champion", 2)
    still = served.take_over("weld", damaged)
    assert still is not None
    assert (still.version, served.champion("weld").version) == (1, 1)
    refusal = served.refused("weld")
    assert refusal is not None
    assert (refusal.version, refusal.reason) == (2, "v2 is damaged")
    served.take_over("weld", lambda version: None)
    assert served.refused("weld") is None
    assert served.champion("weld").version == 2


def test_an_alias_that_was_taken_away_leaves_the_last_one_serving(registry: MemoryRegistry) -> None:
    served = ServedModels(registry)
    served.take_over("weld", lambda version: None)
    registry.moved_outside = {"weld": {}}
    registry.refresh()
    served.take_over("weld", lambda version: None)
    assert served.champion("weld").version == 1
    assert served.take_over("casting", lambda version: None) is None


def test_nobody_waits_while_another_version_is_warmed(registry: MemoryRegistry) -> None:
    served, asked, go_on = ServedModels(registry), threading.Event(), threading.Event()
    served.take_over("weld", lambda version: None)
    registry.set_alias("weld", "champion", 2)

    def slow(version: ModelVersion) -> None:
        asked.set()
        assert go_on.wait(30)

    thread = threading.Thread(target=served.take_over, args=("weld", slow))
    thread.start()
    assert asked.wait(30)
    assert served.champion("weld").version == 1
    go_on.set()
    thread.join(30)
    assert served.champion("weld").version == 2
