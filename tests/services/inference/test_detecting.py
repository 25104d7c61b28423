import numpy as np
import pytest

from core.domain.flaw_group import FlawGroup, claim_from, is_reported
from core.domain.indication import IndicationClass
from core.domain.reading import first_reading
from core.imaging.encode import encode_png
from core.imaging.read import read_radiograph
from core.services.inference.detecting import DetectService
from tests.artefacts import FolderModels, second_stage, write_artefact


def detected(folder, **changes):
    models = FolderModels(write_artefact(folder / "model", score_spread=1.0, **changes))
    pixels = np.random.default_rng(0).integers(0, 65535, (96, 128), np.uint16)
    name = changes.get("name", "weld")
    detect = DetectService(models, device="cpu")
    return detect.detect(read_radiograph(encode_png(pixels), "noise.png"), "noise.png", model=name)


def test_a_version_with_a_second_stage_claims_a_group_of_each_indication(tmp_path) -> None:
    result = detected(tmp_path, groups=second_stage("crack"))
    assert len(result.detections) > 2
    assert set(result.detections.classes) == {IndicationClass.CRACK}
    for row in result.rows():
        claim = claim_from(row)
        assert claim is not None
        assert (claim.group, row["class"], row["iso6520"]) == (FlawGroup.LINEAR, "crack", "100")
        assert claim.reliability == pytest.approx(0.9 + 0.1 * 3 / 7, abs=0.01)


def test_a_version_without_one_reports_as_ever(tmp_path) -> None:
    plain, claimed = detected(tmp_path / "a", name="casting"), detected(tmp_path / "b", groups=second_stage())
    assert plain.detections.claims is None
    assert not any("claim" in row for row in plain.rows())
    np.testing.assert_array_equal(plain.detections.boxes, claimed.detections.boxes)
    np.testing.assert_array_equal(plain.detections.probabilities, claimed.detections.probabilities)


def test_linear_ones_are_reported_from_a_lower_probability_on(tmp_path) -> None:
    result = detected(tmp_path, groups=second_stage(operating_share=0.5))
    rows, at = result.rows(), float(np.median(result.detections.probabilities)) + 0.01
    reported = [index for index, row in enumerate(rows) if row["probability"] >= 0.5 * at]
    assert len(reported) > sum(row["probability"] >= at for row in rows)
    assert [one.model_index for one in first_reading(rows, at)] == reported
    assert result.detections.reported(at).tolist() == reported
    assert [index for index, row in enumerate(rows) if is_reported(row, at)] == reported
