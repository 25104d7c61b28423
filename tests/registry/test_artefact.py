import json
from pathlib import Path

import pytest

from core.domain.errors import ModelArtefactError
from core.domain.radiograph import Polarity
from core.registry.artefact import read_artefact
from core.registry.version_cache import VersionCache
from tests.artefacts import second_stage, write_artefact


def test_an_artefact_tells_what_belongs_to_a_version(tmp_path: Path) -> None:
    artefact = read_artefact(write_artefact(tmp_path / "weld-v1", trained_on=("ab" * 32, "cd" * 32)))
    assert artefact.name == "weld"
    assert artefact.polarity is Polarity.FILM
    assert artefact.trained_on == {"ab" * 32, "cd" * 32}
    version = artefact.as_version(3, ("champion",))
    assert (version.version, version.sha256, version.aliases) == (3, artefact.sha256, ("champion",))
    assert version.data_notice == "simulated"
    assert len(version.calibration.calibration_id) == 12


@pytest.mark.parametrize("name", ["weights.safetensors", "card.yaml", "calibration.json", "manifest.json"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    folder = write_artefact(tmp_path / "weld-v1")
    (folder / name).unlink()
    with pytest.raises(ModelArtefactError, match=name):
        read_artefact(folder)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("card.yaml", "just a line"),
        ("card.yaml", "a: [1"),
        ("card.yaml", "name: weld"),
        ("card.yaml", "{name: weld, polarity: sideways}"),
        ("calibration.json", "{"),
        ("calibration.json", '{"method": "platt"}'),
        ("calibration.json", '{"method": "platt", "parameters": 3}'),
        ("manifest.json", '{"images": [{"file_name": "a.png"}]}'),
        ("manifest.json", "[]"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, name: str, content: str) -> None:
    folder = write_artefact(tmp_path / "weld-v1")
    (folder / name).write_text(content)
    with pytest.raises(ModelArtefactError, match=name):
        read_artefact(folder)


def test_a_card_of_other_weights_is_refused(tmp_path: Path) -> None:
    folder = write_artefact(tmp_path / "weld-v1", card={"weights_sha256": "ff" * 32})
    with pytest.raises(ModelArtefactError, match="the card describes weights ffffffffffff"):
        read_artefact(folder)


@pytest.mark.parametrize("name", ["familiarity.json", "ranges.json", "zone_prior.json"])
def test_a_file_that_was_made_with_other_weights_is_refused_before_it_is_registered(
    tmp_path: Path, name: str
) -> None:
    folder = write_artefact(tmp_path / "weld-v1")
    (folder / name).write_text(json.dumps({"weights_sha256": "ff" * 32}))
    with pytest.raises(ModelArtefactError, match=f"{name} was made with weights ffffffffffff"):
        read_artefact(folder)


def test_the_digest_changes_with_any_of_the_files(tmp_path: Path) -> None:
    folder = write_artefact(tmp_path / "weld-v1")
    before = read_artefact(folder)
    record = json.loads((folder / "calibration.json").read_text())
    (folder / "calibration.json").write_text(json.dumps(record | {"score_cut": 0.1}))
    after = read_artefact(folder)
    assert after.sha256 == before.sha256
    assert after.digest != before.digest
    assert after.calibration.calibration_id != before.calibration.calibration_id


def test_a_second_stage_belongs_to_the_version(tmp_path: Path) -> None:
    plain = read_artefact(write_artefact(tmp_path / "plain"))
    folder = write_artefact(tmp_path / "weld-v1", groups=second_stage())
    with_stage = read_artefact(folder)
    assert with_stage.sha256 == plain.sha256
    assert with_stage.digest != plain.digest
    copy = VersionCache(tmp_path / "cache").store(folder, with_stage.digest)
    assert read_artefact(copy).digest == with_stage.digest


@pytest.mark.parametrize("kept", [None, {"of": "another"}])
def test_a_card_of_another_second_stage_is_refused(tmp_path: Path, kept: dict | None) -> None:
    folder = write_artefact(tmp_path / "weld-v1", groups=kept, card={"second_stage": {"sha256": "ee" * 32}})
    with pytest.raises(ModelArtefactError, match="describes a second stage eeeeeeeeeeee"):
        read_artefact(folder)
