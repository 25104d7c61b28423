"""The whole suite on a tiny network: what it measures, and that a drawn Gaussian never passes."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.domain.errors import BadInputError
from core.domain.explanations import Baseline, Curve, Faithfulness, Fill, Method
from core.imaging.encode import encode_png
from core.services.evaluation.explain_evaluating import DRAWN, BoxRecord, ExplainEvaluateService, ExplainPlan
from core.services.evaluation.explain_summary import summarise_methods
from core.services.evaluation.version_records import EXPLANATIONS_FILE, VersionRecords
from core.services.inference.detecting import DetectService
from tests.artefacts import FolderModels, write_artefact

PLAN = ExplainPlan(boxes=8, masks=8, references=1, reference_masks=8, randomised=1,
                   methods=(Method.GRADCAM, Method.INTEGRATED, Method.PERTURBED))  # fmt: skip


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("explain-eval")
    artefact = write_artefact(folder / "weld-v1", score_spread=1.0)
    images = []
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 65535, (96, 128), np.uint16)
        (folder / f"{number}.png").write_bytes(encode_png(pixels))
        images.append({"id": number, "file_name": f"{number}.png", "width": 128, "height": 96})
    boxes = [{"id": 1, "image_id": 0, "category_id": 1, "bbox": [10, 10, 20, 20], "area": 400, "iscrowd": 0}]
    coco = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "defect"}]}
    (folder / "coco.json").write_text(json.dumps(coco), encoding="utf-8")
    models = FolderModels(artefact)
    service = ExplainEvaluateService(DetectService(models, device="cpu"), models)
    return service.evaluate(folder / "coco.json", folder, model="weld", plan=PLAN)


def test_every_method_and_the_drawn_gaussian_is_measured(figures: dict[str, Any]) -> None:
    assert set(figures["methods"]) == {"gradcam", "integrated", "perturbed", DRAWN}
    assert 0 < figures["n_boxes"] <= 8
    assert sum(figures["strata"].values()) == figures["n_boxes"] == sum(figures["kinds"].values())
    for one in figures["methods"].values():
        assert sum(one["beliefs"].values()) == one["n_boxes"]
        assert set(one["better_than"]) == {"random", "a Gaussian on the box", "edges"}
        assert one["passes"] == (not one["fails"])


def test_the_drawn_gaussian_is_rejected(figures: dict[str, Any]) -> None:
    drawn = figures["methods"][DRAWN]
    assert not drawn["passes"]
    assert "not better than a Gaussian on the box" in drawn["fails"]
    assert drawn["better_than"]["a Gaussian on the box"]["value"] == 0
    assert drawn["beliefs"]["faithful"] == drawn["beliefs"]["weak"] == 0


def test_drawn_weights_are_compared_from_the_head_to_the_backbone(figures: dict[str, Any]) -> None:
    assert list(figures["methods"]["gradcam"]["drawn_weights"]) == ["head", "pyramid", "backbone"]
    assert figures["methods"]["perturbed"]["drawn_weights"] is None


def _record(own: float, random: float, reference: float | None) -> Any:
    curve = {Fill.MEMBRANE: Curve((0.0, 1.0), (0.0, 0.0), (own, own))}
    other = {Fill.MEMBRANE: Curve((0.0, 1.0), (0.0, 0.0), (random, random))}
    tested = {"gradcam": Faithfulness(curve, dict.fromkeys(Baseline, other))}
    box = SimpleNamespace(image=f"film {own}", kind="true", is_true=True)
    return BoxRecord(box, tested=tested, reference_gain=reference)  # type: ignore[arg-type]


def test_the_share_of_the_reference_is_that_of_its_lead_over_noise() -> None:
    records = [_record(0.5, 0.1, 0.6), _record(0.4, 0.2, 0.5), _record(0.9, 0.0, None)]
    found = summarise_methods(records, seed=1)["gradcam"]
    assert found["share_of_reference"] == pytest.approx((0.4 + 0.2) / (0.5 + 0.3))
    assert "75% of the reference, the bar is 90%" in found["fails"]


def test_a_method_that_beats_every_baseline_on_every_film_passes() -> None:
    found = summarise_methods([_record(0.5 + 0.01 * i, 0.1, None) for i in range(12)], seed=1)["gradcam"]
    assert found["passes"]
    assert found["by_kind"] == {"true": 1.0}


def test_a_trust_line_needs_both_kinds_of_boxes(figures: dict[str, Any]) -> None:
    without = figures["without_it"]
    assert without["n_boxes"] + without["n_not_evaluable"] == figures["n_boxes"]
    if not 0 < without["n_true"] < without["n_boxes"]:
        assert not without["helps"]


class _Runs:
    def __init__(self) -> None:
        self.logged: list[tuple[str, int, str, Any]] = []

    def log_figures(self, name: str, version: int, file_name: str, figures: Any) -> None:
        self.logged.append((name, version, file_name, figures))


def test_figures_are_kept_by_weights_and_in_the_run_of_the_version(
    figures: dict[str, Any], tmp_path: Path
) -> None:
    runs = _Runs()
    records = VersionRecords(tmp_path / "explanations", runs, EXPLANATIONS_FILE)
    assert records.of(figures["sha256"]) is None
    records.keep(figures)
    assert records.of(figures["sha256"]) == json.loads(json.dumps(figures))
    assert [(name, version, file) for name, version, file, _ in runs.logged] == [
        ("weld", 1, EXPLANATIONS_FILE)
    ]


def test_what_came_with_the_program_counts_until_it_is_measured_here(
    figures: dict[str, Any], tmp_path: Path
) -> None:
    sha256 = figures["sha256"]
    (tmp_path / "shipped").mkdir()
    (tmp_path / "shipped" / f"{sha256}.json").write_text('{"n_boxes": 7}', encoding="utf-8")
    records = VersionRecords(tmp_path / "own", _Runs(), EXPLANATIONS_FILE, shipped=tmp_path / "shipped")
    assert records.of(sha256) == {"n_boxes": 7}
    records.keep(figures)
    assert records.of(sha256) == json.loads(json.dumps(figures))


def test_figures_so_far_are_told_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.services.evaluation.explain_evaluating._TOLD_EVERY", 2)
    monkeypatch.setattr(ExplainEvaluateService, "_box", lambda *_, **__: {})
    told: list[int] = []
    boxes: Any = [SimpleNamespace(image=name) for name in "abcde"]
    service: Any = ExplainEvaluateService(None, None)  # type: ignore[arg-type]  # nothing is detected
    measured = service._measured(
        boxes, ExplainPlan(randomised=0), lambda *_: None, lambda r: told.append(len(r))
    )
    assert (told, len(measured)) == ([2, 4], 5)


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "ab.json").write_text("{", encoding="utf-8")
    with pytest.raises(BadInputError, match=r"ab\.json"):
        VersionRecords(tmp_path, _Runs(), EXPLANATIONS_FILE).of("ab")
