import json
from pathlib import Path

import pytest
import yaml

from core.calibrate.calibrator import FIT
from core.calibrate.comparison import comparison_rows
from core.calibrate.familiarity import read_reference
from core.domain.errors import DatasetError, LeakError, ModelNotFoundError
from core.domain.kinds import Family
from core.engine.detector import Detector
from core.engine.ranges import read_ranges
from core.engine.zone_prior import ZonePrior, read_zone_prior
from core.labelling.coco import read_coco
from core.registry.artefact import FAMILIARITY, RANGES, file_sha256, files_of, read_artefact
from core.services.lifecycle.familiarising import write_familiarity
from core.services.lifecycle.ranging import write_ranges
from core.services.lifecycle.releasing import (
    OneModel,
    ReleaseSettings,
    build_release,
    read_release,
    recipe_of,
)
from tests.artefacts import write_artefact
from tests.recorded import write_recorded

HELD_OUT = {"parts": "test parts", "coco": "truth.json", "split": "s.yaml", "part": "b"}


@pytest.fixture
def data(tmp_path):
    """Six pictures of which the network of `run` is right about every second box, in two parts."""
    run = write_artefact(tmp_path / "run", score_spread=1.0)
    write_recorded(tmp_path / "data", Detector.load(run / "weights.safetensors"))
    (tmp_path / "data" / "s.yaml").write_text(yaml.safe_dump({"parts": {"a": ["A", "B"], "b": ["C"]}}))
    return tmp_path / "data"


def specification(**changes):
    content = {
        "name": "weld",
        "version": 1,
        "description": "d",
        "sources": ["simulated welds"],
        "limits": ["many"],
        "calibrate": HELD_OUT | {"part": "a"},
        "measure": [HELD_OUT],
    }
    return {key: value for key, value in (content | changes).items() if value is not None}


def settings(tmp_path, data):
    return ReleaseSettings(tmp_path / "run", data, tmp_path / "out", data, "a CPU", "2026-01-01")


def test_a_release_is_calibrated_and_measured_on_other_parts(tmp_path, data):
    artefact = read_artefact(build_release(specification(), settings(tmp_path, data)))
    (measured,) = artefact.card["evaluation"]
    assert measured["on"] == "test parts"
    assert measured["n_images"] == 2
    assert measured["n_trained_on"] == 0
    assert artefact.card["device"] == "a CPU"
    assert artefact.card["calibration"]["id"] == artefact.calibration.calibration_id
    comparison = artefact.card["calibration"]["comparison"]
    assert [row[0].split()[0] for row in comparison_rows(comparison)] == list(FIT)


def test_a_cross_fitted_release_judges_each_part_by_the_fold_that_left_it_out(tmp_path, data):
    for part in "ab":
        write_artefact(tmp_path / f"run-without-{part}", score_spread=1.0)
    how = {"parts": "all parts", "coco": "truth.json", "split": "s.yaml", "polarity": "film"}
    content = specification(calibrate=None, measure=None, cross_fit=how)
    artefact = read_artefact(build_release(content, settings(tmp_path, data)))
    assert artefact.card["evaluation"][0]["n_images"] == 6
    assert "cross-fitted" in artefact.calibration.fitted_on


HELD_OUT_PARTS = {
    "parts": "all parts",
    "coco": "truth.json",
    "split": "s.yaml",
    "polarity": "film",
    "held_out": True,
}


def test_parts_that_trained_nothing_are_judged_by_the_weights_that_ship(tmp_path, data):
    content = specification(calibrate=None, measure=None, cross_fit=HELD_OUT_PARTS)
    artefact = read_artefact(build_release(content, settings(tmp_path, data)))
    (measured,) = artefact.card["evaluation"]
    assert (measured["n_images"], measured["n_trained_on"]) == (6, 0)


def test_parts_that_did_train_are_not_held_out(tmp_path, data):
    manifest = tmp_path / "run" / "manifest.json"
    content = json.loads(manifest.read_text())
    content["images"].append({"sha256": "0" * 64, "series": "B"})
    manifest.write_text(json.dumps(content))
    with pytest.raises(LeakError, match="trained on B"):
        build_release(
            specification(calibrate=None, measure=None, cross_fit=HELD_OUT_PARTS), settings(tmp_path, data)
        )


def test_weights_that_saw_every_part_are_judged_by_the_network_they_came_from(tmp_path, data):
    content = json.loads((tmp_path / "run" / "manifest.json").read_text())
    before = write_artefact(tmp_path / "run-before", score_spread=1.0, seed=3)
    content["images"].append({"sha256": "0" * 64, "series": "B"})
    (tmp_path / "run" / "manifest.json").write_text(json.dumps(content))
    how = {key: value for key, value in HELD_OUT_PARTS.items() if key != "held_out"}
    said = specification(calibrate=None, measure=None, cross_fit=how | {"judged_by": "before"})
    artefact = read_artefact(build_release(said, settings(tmp_path, data)))
    assert artefact.card["evaluation"][0]["n_images"] == 6
    (before / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(LeakError, match="trained on B"):
        build_release(said, settings(tmp_path, data))


def test_a_single_view_that_trained_is_not_held_out(tmp_path, data):
    manifest = tmp_path / "run" / "manifest.json"
    content = json.loads(manifest.read_text())
    content["images"].append({"sha256": "0" * 64, "file_name": "folder/C_7.png"})
    manifest.write_text(json.dumps(content))
    (data / "views.yaml").write_text(yaml.safe_dump({"parts": {"a": ["A", "C_7"], "b": ["B"]}}))
    how = HELD_OUT_PARTS | {"split": "views.yaml"}
    with pytest.raises(LeakError, match="trained on C_7"):
        build_release(specification(calibrate=None, measure=None, cross_fit=how), settings(tmp_path, data))


def test_a_cross_fitted_release_may_be_measured_on_further_parts(tmp_path, data):
    for part in "ab":
        write_artefact(tmp_path / f"run-without-{part}", score_spread=1.0)
    how = {"parts": "all parts", "coco": "truth.json", "split": "s.yaml", "polarity": "film"}
    content = specification(calibrate=None, cross_fit=how)
    first, second = read_artefact(build_release(content, settings(tmp_path, data))).card["evaluation"]
    assert (first["on"], first["n_images"]) == ("all parts", 6)
    assert (second["on"], second["n_images"]) == ("test parts", 2)


def test_what_trained_later_is_measured_by_the_earlier_run_with_the_same_calibrator(tmp_path, data):
    images = [json.loads((data / "truth.json").read_text())["images"][-1]]
    digest = file_sha256(data / images[0]["file_name"])
    manifest = tmp_path / "run" / "manifest.json"
    content = json.loads(manifest.read_text())
    content["images"].append({"sha256": digest, "series": "C"})
    manifest.write_text(json.dumps(content))
    with pytest.raises(LeakError):
        build_release(specification(), settings(tmp_path, data))
    write_artefact(tmp_path / "run-before", score_spread=1.0, seed=5)
    said = specification(measure=[HELD_OUT | {"judged_by": "before"}])
    artefact = read_artefact(build_release(said, settings(tmp_path, data)))
    (measured,) = artefact.card["evaluation"]
    assert (measured["n_images"], measured["n_trained_on"]) == (2, 0)
    assert measured["calibration_id"] == artefact.calibration.calibration_id


def test_an_operating_point_of_the_specification_stands_in_calibration_and_card(tmp_path, data):
    operate = {"probability": 0.45, "why": "at most two false cells a film"}
    artefact = read_artefact(build_release(specification(operate=operate), settings(tmp_path, data)))
    assert artefact.calibration.operating_probability == 0.45
    assert artefact.card["calibration"]["operating_chosen"] == operate["why"]
    assert artefact.card["evaluation"][0]["operating_probability"] == 0.45


@pytest.mark.parametrize(
    "operate", [{"probability": 0.45}, {"why": "x"}, "0.45", {"probability": "a", "why": "x"}]
)
def test_an_operating_point_without_its_reason_is_refused(tmp_path, data, operate):
    with pytest.raises(DatasetError, match="operate"):
        build_release(specification(operate=operate), settings(tmp_path, data))


@pytest.mark.parametrize(
    "changes",
    [
        {"limits": None},
        {"calibrate": None},
        {"cross_fit": {}},
        {"measure": [{"coco": "truth.json"}]},
        {"measure": None},
    ],
)
def test_an_incomplete_specification_is_refused(tmp_path, changes):
    path = tmp_path / "release.yaml"
    path.write_text(yaml.safe_dump(specification(**changes)))
    with pytest.raises(DatasetError, match="lacks"):
        read_release(path)


def test_every_shipped_specification_is_sound_and_names_a_recipe(repository):
    paths = sorted((repository / "models/releases").glob("*.yaml"))
    assert paths
    for path in paths:
        recipe = recipe_of(read_release(path))
        assert (repository / "core/training/recipes" / recipe).is_file()
        card = repository / "models/checkpoints" / path.stem / "card.yaml"
        if card.is_file():
            assert yaml.safe_load(card.read_text(encoding="utf-8"))["recipe"] == recipe


def test_one_model_answers_only_for_itself(tmp_path):
    models = OneModel(write_artefact(tmp_path / "m"), 3)
    assert models.resolve("weld")[0].version == 3
    for asked in ({"name": "casting"}, {"name": "weld", "version": 1}):
        with pytest.raises(ModelNotFoundError):
            models.resolve(**asked)


FAMILIAR = {
    "learnt": [{"coco": "truth.json", "split": "s.yaml", "part": "a", "polarity": "film"}],
    "calibrated": [{"coco": "truth.json", "split": "s.yaml", "part": "b", "polarity": "film"}],
}


def test_a_release_says_what_the_images_looked_like_and_the_command_says_it_again(tmp_path, data):
    content = specification(familiar=FAMILIAR)
    out = build_release(content, settings(tmp_path, data))
    written = (out / FAMILIARITY).read_text()
    found = read_reference(out, read_artefact(out).sha256)
    assert found.about == {
        "n_parts": 2, "n_views": 4, "n_calibrating_parts": 1, "n_calibrating_views": 2,
    }  # fmt: skip
    again = write_familiarity(content, out, data=data, splits=data)
    assert again.limit == found.limit
    assert (out / FAMILIARITY).read_text() == written


def test_an_entry_may_leave_out_views_that_another_list_names(tmp_path, data):
    (first, *_), measured = (read_coco(data / "truth.json").images, HELD_OUT | {"without": "w.yaml:out"})
    (data / "w.yaml").write_text(yaml.safe_dump({"parts": {"out": [Path(first.file_name).stem, "C"]}}))
    learnt = [FAMILIAR["learnt"][0] | {"without": "w.yaml:out"}]
    content = specification(familiar=FAMILIAR | {"learnt": learnt})
    out = build_release(content, settings(tmp_path, data))
    assert read_reference(out, read_artefact(out).sha256).about["n_views"] == 3
    with pytest.raises(DatasetError, match="leaves no image of truth.json"):
        build_release(specification(measure=[measured]), settings(tmp_path, data))


@pytest.mark.parametrize("familiar", [None, {"learnt": FAMILIAR["learnt"]}])
def test_a_release_that_does_not_say_what_calibrated_it_has_no_reference(tmp_path, data, familiar):
    out = build_release(specification(), settings(tmp_path, data))
    assert not (out / FAMILIARITY).exists()
    with pytest.raises(DatasetError, match="familiar: lacks calibrated"):
        write_familiarity(specification(familiar=familiar), out, data=data, splits=data)


def test_a_release_measures_the_ranges_of_its_maps(tmp_path, data):
    part = {"coco": "truth.json", "split": "s.yaml", "part": "a"}
    out = build_release(specification(ranges=[part]), settings(tmp_path, data))
    ranges = read_ranges(out / "weights.safetensors")
    assert ranges is not None
    assert ranges.limits["backbone.stem"][1] > 0
    assert RANGES in files_of(out)
    build_release(specification(), settings(tmp_path, data))
    assert read_ranges(out / "weights.safetensors") is None, "those of an earlier build are gone"


@pytest.mark.parametrize("ranges", [None, []])
def test_ranges_are_not_measured_on_nothing(tmp_path, data, ranges):
    out = build_release(specification(), settings(tmp_path, data))
    with pytest.raises(DatasetError, match="lacks ranges"):
        write_ranges(specification(ranges=ranges), out, data=data, splits=data)


def test_a_release_sets_the_prior_of_its_zone_before_it_is_calibrated(tmp_path, data):
    out = build_release(specification(zone_prior={"outside_log_odds": -1.6}), settings(tmp_path, data))
    prior = read_zone_prior(out / "weights.safetensors")
    assert prior == ZonePrior(read_artefact(out).sha256, Family.WELD, -1.6)
    assert (out / "zone_prior.json").stat().st_mtime_ns <= (out / "calibration.json").stat().st_mtime_ns
    build_release(specification(), settings(tmp_path, data))
    assert read_zone_prior(out / "weights.safetensors") is None, "that of an earlier build is gone"


@pytest.mark.parametrize("prior", [{}, {"outside_log_odds": 0.5}, {"outside_log_odds": "much"}, 3])
def test_a_prior_that_would_believe_more_outside_is_refused(tmp_path, data, prior):
    with pytest.raises(DatasetError, match="zone_prior: expected `outside_log_odds` below 0"):
        build_release(specification(zone_prior=prior), settings(tmp_path, data))
