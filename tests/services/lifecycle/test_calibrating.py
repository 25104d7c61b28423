import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.calibrate.calibrator import FIT, calibrator_from
from core.calibrate.comparison import comparison_rows
from core.calibrate.platt import Platt
from core.domain.errors import CalibrationDataError
from core.engine.detector import Detector
from core.registry.artefact import read_artefact, read_calibration
from core.services.lifecycle.calibrating import (
    CalibrationSet,
    OperatingPoint,
    calibrate_artefact,
    choose_score_cut,
    collect_calibration_set,
    fit_calibration,
    join_calibration_sets,
    operating_probability,
)
from tests.artefacts import write_artefact
from tests.recorded import write_recorded


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_artefact(tmp_path_factory.mktemp("calibrating") / "weld-v1", score_spread=1.0)


@pytest.fixture(scope="module")
def coco(folder: Path) -> Path:
    return write_recorded(folder.parent / "set", Detector.load(folder / "weights.safetensors"))


def _set(scores: list[float], is_true: list[bool], n_truth: int) -> CalibrationSet:
    return CalibrationSet(
        np.array(scores, np.float32),
        np.array(is_true, np.bool_),
        ("a",) * len(scores),
        n_truth,
        1,
        frozenset("a"),
    )


def test_an_artefact_is_calibrated_in_place(folder: Path, coco: Path) -> None:
    seen: list[tuple[int, int]] = []
    record = calibrate_artefact(
        folder,
        [(coco, coco.parent, ["A", "B"])],
        description="two parts of noise",
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen[-1] == (4, 4)
    assert record == read_artefact(folder).calibration
    assert 0.01 <= record.score_cut < 0.5
    assert record.fitted_on.startswith("two parts of noise: ")
    assert "4 images of 2 parts" in record.fitted_on
    assert 0.1 <= record.operating_probability <= 0.9


def test_about_half_of_the_boxes_are_true_where_every_second_one_is_recorded(
    folder: Path, coco: Path
) -> None:
    found = collect_calibration_set(Detector.load(folder / "weights.safetensors"), coco, coco.parent)
    collected = found.above(0.05)
    assert len(collected.groups) == len(collected.scores) < len(found.scores)
    assert (collected.scores >= 0.05).all()
    assert 0.35 < collected.is_true.mean() < 0.75
    assert set(collected.groups) == {"series:A", "series:B", "series:C"}
    twice = join_calibration_sets([collected, collected])
    assert len(twice.scores) == 2 * len(collected.scores)
    assert twice.n_truth == 2 * collected.n_truth


def facts_in(path: Path) -> dict[str, Any]:
    """The content of a calibration file."""
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_asked_method_is_used(tmp_path: Path) -> None:
    collected = _set([0.2, 0.4, 0.6, 0.8], [False, True, False, True], 2)
    for method in FIT:
        path = tmp_path / "calibration.json"
        record = fit_calibration(collected, path, description="four", method=method)
        assert record.method == calibrator_from(record.method, record.parameters).method == method
        assert facts_in(path)["comparison"] is None, "one part alone cannot be compared"


def test_all_methods_are_compared_in_the_file_whichever_is_used(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    scores = random.uniform(0.1, 0.9, 400).astype(np.float32)
    collected = replace(
        _set(scores.tolist(), (random.random(400) < scores).tolist(), 400),
        groups=tuple(f"part {i % 8}" for i in range(400)),
    )
    path = tmp_path / "calibration.json"
    chosen = fit_calibration(collected, path, description="x", score_cut=0.1).method
    comparison = facts_in(path)["comparison"]
    assert comparison is not None
    assert comparison["chosen"] == chosen
    assert [row[0].split()[0] for row in comparison_rows(comparison)] == list(FIT)
    fit_calibration(collected, path, description="x", score_cut=0.1, method="beta")
    assert facts_in(path)["comparison"] == comparison
    assert json.loads(path.read_text())["method"] == "beta"


def test_shipped_calibrations_from_before_the_comparison_still_load(repository: Path) -> None:
    files = sorted((repository / "models" / "checkpoints").glob("*/calibration.json"))
    assert files
    for path in files:
        record = read_calibration(path)
        p = calibrator_from(record.method, record.parameters).probability(np.array([0.2, 0.9]))
        assert p[0] < p[1]
        comparison = facts_in(path)["comparison"]
        assert comparison is None or comparison_rows(comparison)


def test_nothing_to_calibrate_with_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(CalibrationDataError, match="no detection"):
        fit_calibration(_set([], [], 3), tmp_path / "calibration.json", description="none")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(CalibrationDataError, match="no images"):
        join_calibration_sets([])


def test_an_operating_point_that_was_chosen_elsewhere_is_kept_with_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    collected = _set([0.2, 0.4, 0.6, 0.8], [False, True, False, True], 2)
    chosen = OperatingPoint(0.45, "at most two false cells a film")
    record = fit_calibration(collected, path, description="parts", operating=chosen)
    assert record.operating_probability == 0.45
    assert facts_in(path)["operating_chosen"] == "at most two false cells a film"
    fit_calibration(collected, path, description="parts")
    assert "F-measure" in facts_in(path)["operating_chosen"]


@pytest.mark.parametrize(("probability", "why"), [(0.09, "x"), (0.91, "x"), (float("nan"), "x"), (0.5, " ")])
def test_an_operating_point_without_reason_or_out_of_range_is_refused(probability: float, why: str) -> None:
    with pytest.raises(CalibrationDataError, match="operating probability"):
        OperatingPoint(probability, why)


@pytest.mark.parametrize(
    ("scores", "is_true", "n_truth", "expected"),
    [
        ([0.2, 0.6, 0.8], [False, True, True], 2, 0.21),
        ([0.2, 0.6, 0.8], [True, True, True], 3, 0.1),
        ([0.3, 0.3, 0.3, 0.3, 0.7], [True, False, False, False, True], 2, 0.31),
        ([0.5], [False], 1, 0.1),
    ],
)
def test_operating_probability_by_hand(
    scores: list[float], is_true: list[bool], n_truth: int, expected: float
) -> None:
    found = operating_probability(_set(scores, is_true, n_truth), Platt(1.0, 0.0))
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(
    ("scores", "is_true", "expected"),
    [
        ([0.02, 0.3, 0.31, 0.5], [False, False, False, True], 0.01),
        ([0.05] * 20 + [0.4, 0.6], [False] * 20 + [False, True], 0.06),
        ([0.05] * 20 + [0.4] * 9 + [0.6], [False] * 29 + [True], 0.41),
        ([0.05] * 20 + [0.4] * 9 + [0.6] * 10, [False] * 29 + [True] + [False] * 9, 0.6),
        ([0.1] * 24 + [0.3] * 3 + [0.8], [True] * 2 + [False] * 22 + [True] * 3 + [False], 0.11),
        ([0.1] * 30 + [0.8], [True] * 3 + [False] * 27 + [True], 0.1),
        ([], [], 0.01),
    ],
)
def test_the_score_cut_leaves_one_true_box_in_five(
    scores: list[float], is_true: list[bool], expected: float
) -> None:
    assert choose_score_cut(_set(scores, is_true, 1)) == pytest.approx(expected)


def test_boxes_below_the_cut_have_no_say(tmp_path: Path) -> None:
    with_noise = _set([0.1, 0.4, 0.6, 0.8, 0.1], [False, True, False, True, False], 2)
    without = _set([0.4, 0.6, 0.8], [True, False, True], 2)
    records = [
        fit_calibration(s, tmp_path / "calibration.json", description="x", score_cut=0.3, method="platt")
        for s in (with_noise, without)
    ]
    assert records[0].parameters == records[1].parameters


def test_a_score_that_says_nothing_is_called_flat(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    backwards = _set([0.3, 0.4, 0.6, 0.8], [True, True, False, False], 2)
    fit_calibration(backwards, tmp_path / "calibration.json", description="x", score_cut=0.2, method="platt")
    assert "flat calibration" in caplog.text
    assert "flat: the score says nothing" in (tmp_path / "calibration.json").read_text()


def test_the_record_names_the_parts_so_that_nothing_uses_them_again(folder: Path, coco: Path) -> None:
    calibrate_artefact(folder, [(coco, coco.parent, ["A", "B"])], description="two parts of noise")
    assert json.loads((folder / "calibration.json").read_text())["parts"] == ["series:A", "series:B"]
