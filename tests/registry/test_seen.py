"""What a version has seen is the union along its lineage."""

import json
from pathlib import Path

import pytest

from core.domain.errors import ModelArtefactError
from core.registry.seen import Seen, seen_by
from tests.artefacts import write_artefact
from tests.memory_registry import MemoryRegistry

A, B, C = ("a" * 64, "b" * 64, "c" * 64)


def add(registry: MemoryRegistry, folder: Path, seed: int, **more: object) -> None:
    registry.add(write_artefact(folder, seed=seed, **more))  # type: ignore[arg-type]  # keywords of a test


def seen(registry: MemoryRegistry, number: int) -> Seen:
    return seen_by(registry, *registry.resolve("weld", version=number))


@pytest.fixture
def registry(tmp_path: Path) -> MemoryRegistry:
    """Three generations; only the first one has ancestors that are not here."""
    made = MemoryRegistry()
    add(made, tmp_path / "1", 1, trained_on=(A,), calibration={"parts": ["series:X"]},
        card={"lineage": "casting v7"})  # fmt: skip
    add(made, tmp_path / "2", 2, trained_on=(A, B), calibration={"parts": ["series:X", "series:Y"]},
        card={"lineage": "weld v1"})  # fmt: skip
    add(made, tmp_path / "3", 3, trained_on=(C,), calibration={"parts": ["series:Z"]},
        card={"lineage": "weld v2"})  # fmt: skip
    return made


def test_images_and_parts_of_ancestors_count_each_told_with_the_nearest_that_saw_it(
    registry: MemoryRegistry,
) -> None:
    found = seen(registry, 3)
    assert found.trained == {A: "weld v2", B: "weld v2", C: "weld v3"}
    assert found.calibrated == {"series:X": "weld v2", "series:Y": "weld v2", "series:Z": "weld v3"}
    assert found.trained_on == {A, B, C}
    assert found.unknown == ("casting v7",)


def test_a_version_from_scratch_saw_its_own_alone(tmp_path: Path) -> None:
    registry = MemoryRegistry()
    add(registry, tmp_path / "1", 1, trained_on=(A,), card={"lineage": "from scratch"})
    found = seen(registry, 1)
    assert (found.trained, found.calibrated, found.unknown) == ({A: "weld v1"}, {}, ())


def test_a_lineage_in_a_circle_ends(tmp_path: Path) -> None:
    registry = MemoryRegistry()
    add(registry, tmp_path / "1", 1, trained_on=(A,), card={"lineage": "weld v2"})
    add(registry, tmp_path / "2", 2, trained_on=(B,), card={"lineage": "weld v1"})
    assert seen(registry, 1).trained == {A: "weld v1", B: "weld v2"}


def test_a_damaged_calibration_is_told(registry: MemoryRegistry, tmp_path: Path) -> None:
    version, folder = registry.resolve("weld", version=3)
    (folder / "calibration.json").write_text("{")
    with pytest.raises(ModelArtefactError, match=r"cannot read 3/calibration\.json"):
        seen_by(registry, version, folder)


def test_parts_that_trained_an_ancestor_are_known_with_the_nearest_that_saw_them(
    registry: MemoryRegistry, tmp_path: Path
) -> None:
    for number, series in ((1, "old"), (2, "old"), (3, "new")):
        images = [{"sha256": A, "series": series}, {"sha256": B}]
        (tmp_path / str(number) / "manifest.json").write_text(json.dumps({"images": images}))
    assert seen(registry, 3).parts == {"series:new": "weld v3", "series:old": "weld v2"}
