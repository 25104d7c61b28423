from pathlib import Path

import pytest

from core.domain.errors import DatasetError
from core.engine.detector import Detector
from core.registry.artefact import read_artefact
from core.services.lifecycle.cross_fitting import Fold, cross_fit
from tests.artefacts import write_artefact
from tests.recorded import write_recorded


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_artefact(tmp_path_factory.mktemp("cross") / "weld-v2", score_spread=1.0)


@pytest.fixture(scope="module")
def coco(folder: Path) -> Path:
    return write_recorded(folder.parent / "set", Detector.load(folder / "weights.safetensors"))


def test_every_film_is_judged_once_and_the_record_says_that_it_was_cross_fitted(
    folder: Path, coco: Path
) -> None:
    weights = folder / "weights.safetensors"
    folds = [Fold(weights, ("A",)), Fold(weights, ("B",)), Fold(weights, ("C",))]
    record, summary = cross_fit(
        folds, coco, coco.parent, folder=folder, model="weld", version=2, description="three parts"
    )
    assert read_artefact(folder).calibration == record
    assert "cross-fitted in 3 folds" in record.fitted_on
    assert (summary.n_images, summary.n_clusters, summary.version) == (6, 3, 2)
    assert summary.ap50 is not None
    assert summary.ap50 > 0.3
    assert summary.calibration_id == record.calibration_id


def test_a_fold_is_judged_by_its_own_network(folder: Path, coco: Path) -> None:
    stranger = write_artefact(folder.parent / "stranger", seed=9, score_spread=1.0) / "weights.safetensors"
    mine = folder / "weights.safetensors"
    same = cross_fit(
        [Fold(mine, ("A",)), Fold(mine, ("B", "C"))],
        coco,
        coco.parent,
        folder=folder,
        model="weld",
        version=2,
        description="x",
    )[1]
    worse = cross_fit(
        [Fold(mine, ("A",)), Fold(stranger, ("B", "C"))],
        coco,
        coco.parent,
        folder=folder,
        model="weld",
        version=2,
        description="x",
    )[1]
    assert same.ap50 is not None
    assert worse.ap50 is not None
    assert same.ap50 > worse.ap50
    assert same.n_detections != worse.n_detections


def test_overlapping_folds_are_refused(folder: Path, coco: Path) -> None:
    weights = folder / "weights.safetensors"
    with pytest.raises(DatasetError, match="two folds"):
        cross_fit(
            [Fold(weights, ("A", "B")), Fold(weights, ("B",))],
            coco,
            coco.parent,
            folder=folder,
            model="weld",
            version=2,
            description="x",
        )
