"""What a retraining can come to is told before it starts."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.registry.artefact import read_artefact
from core.services.training.outlook import Outlook, outlook
from core.store.data_versions import DataVersion
from tests.artefacts import write_artefact


def told(tmp_path: Path, model: str, train: int, calibration: int, test: int, **films: int) -> Outlook:
    parts = {"train": [train, 3 * train], "test": [test, test]}
    parts["calibration"] = [calibration, 10 * calibration]
    version = DataVersion(
        number=4, manifest_sha256="a" * 64, model_name=model, counts={"parts": parts}, parent_sha256=None,
        note="", licence="own", created_by=None, created_at=datetime(2026, 3, 1, tzinfo=UTC),
    )  # fmt: skip
    base = read_artefact(write_artefact(tmp_path / model, name=model)).as_version(2)
    return outlook(version, base, **({"n_simulated": 6, "n_judging": 12} | films))


def test_welds_are_calibrated_and_judged_on_simulated_films_too(tmp_path: Path) -> None:
    found = told(tmp_path, "weld", train=1, calibration=0, test=2)
    assert (found.refusal, found.is_calibration_inherited) == ("", False)
    assert found.lines == (
        "Teaches: 1 image with 3 boxes, mixed with 6 simulated films.",
        "Calibrates: 12 simulated films.",
        "Judges: 2 images with 2 boxes and 12 simulated films.",
    )


@pytest.mark.parametrize(("calibration", "is_inherited"), [(4, True), (5, False)])
def test_castings_keep_the_calibration_of_the_base_where_too_little_is_held_back(
    tmp_path: Path, calibration: int, is_inherited: bool
) -> None:
    found = told(tmp_path, "casting", train=9, calibration=calibration, test=0)
    assert found.is_calibration_inherited is is_inherited
    assert ("the calibration of casting v2 is kept" in found.lines[1]) is is_inherited
    assert found.lines[0] == "Teaches: 9 images with 27 boxes."
    assert found.lines[2].startswith("Judges: nothing.")


def test_nothing_to_train_on_is_refused(tmp_path: Path) -> None:
    assert "no image to train on" in told(tmp_path, "weld", train=0, calibration=3, test=3).refusal
