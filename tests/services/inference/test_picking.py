from pathlib import Path

import pytest

from core.domain.errors import ModelNotFoundError
from core.domain.model_version import ModelVersion
from core.domain.radiograph import Radiograph
from core.registry.artefact import read_artefact
from core.services.inference.detecting import DetectService
from core.services.inference.picking import PickService
from tests.artefacts import write_artefact, write_familiarity
from tests.records import radiograph


class Folders:
    """A source of models over folders, by name and number; the highest number is champion."""

    def __init__(self, **folders: dict[int, Path]) -> None:
        self.folders = {name.replace("_", "-"): found for name, found in folders.items()}

    def resolve(
        self, name: str, *, version: int | None = None, alias: str = "champion"
    ) -> tuple[ModelVersion, Path]:
        found = self.folders.get(name, {})
        number = max(found, default=0) if version is None else version
        if number not in found:
            raise ModelNotFoundError(f"no {name} {version} {alias}")
        return read_artefact(found[number]).as_version(number, ("champion",)), found[number]


def service(root: Path, *, limit: float | None, any_versions: tuple[int, ...] = (1, 2)) -> PickService:
    """Casting v3 that finds everything beyond `limit` strange, and versions of casting-any."""
    taught = write_artefact(root / "casting", name="casting", polarity="digital")
    if limit is not None:
        write_familiarity(taught, limit=limit)
    others = {
        k: write_artefact(root / f"any-{k}", name="casting-any", seed=k, polarity="digital")
        for k in any_versions
    }
    models = Folders(casting={3: taught}, casting_any=others)
    return PickService(models, DetectService(models, device="cpu"))


@pytest.fixture
def part() -> Radiograph:
    return radiograph()


def test_a_strange_part_is_read_by_the_model_for_parts_that_nobody_taught(
    tmp_path: Path, part: Radiograph
) -> None:
    pick = service(tmp_path, limit=0.0).pick(part, model="casting")
    assert (pick.model, pick.version) == ("casting-any", 2)
    assert pick.words == "Read by casting-any: this part looks unlike those that taught casting"
    assert pick.familiarity is not None
    assert pick.familiarity.is_strange


def test_the_version_that_read_it_before_goes_on_reading_it(tmp_path: Path, part: Radiograph) -> None:
    picking = service(tmp_path, limit=0.0)
    assert picking.pick(part, model="casting", earlier=1).version == 1
    assert picking.pick(part, model="casting", earlier=9).version == 2, "that one is gone"


@pytest.mark.parametrize(
    ("limit", "any_versions", "model"),
    [
        (100.0, (1,), "casting"),  # a familiar part
        (None, (1,), "casting"),  # the version cannot tell
        (0.0, (), "casting"),  # nothing else serves
        (0.0, (1,), "casting-any"),  # asked for itself
    ],
)
def test_else_the_model_that_was_asked_for_reads_it(
    tmp_path: Path, part: Radiograph, limit: float | None, any_versions: tuple[int, ...], model: str
) -> None:
    pick = service(tmp_path, limit=limit, any_versions=any_versions).pick(part, model=model)
    assert (pick.model, pick.words) == (model, "")


def test_a_model_that_is_not_there_is_told(tmp_path: Path, part: Radiograph) -> None:
    with pytest.raises(ModelNotFoundError):
        service(tmp_path, limit=0.0).pick(part, model="casting", version=9)
