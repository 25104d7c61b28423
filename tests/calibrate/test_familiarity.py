import json
from pathlib import Path

import numpy as np
import pytest

from core.calibrate.familiarity import FILE, FamiliarityReference, Features, make_reference, read_reference
from core.domain.errors import CalibrationDataError, ModelArtefactError
from core.domain.familiarity import Familiarity

RNG = np.random.default_rng(5)
PARTS = [f"part {k}" for k in range(6)]
CENTRES = dict(zip(PARTS, RNG.normal(0, 3, (6, 12)).astype(np.float32), strict=True))


def views(part: str, n: int, seed: int) -> Features:
    """`n` views of a part in features, one unit apart."""
    noise = np.random.default_rng(seed).normal(0, 1, (n, 12))
    return (CENTRES[part] + noise).astype(np.float32)


def reference(calibrating: dict[str, Features] | None = None) -> FamiliarityReference:
    learnt = PARTS[:4]
    held = calibrating or {part: views(part, 5, 100 + k) for k, part in enumerate(learnt)}
    return make_reference(
        np.concatenate([views(part, 8, k) for k, part in enumerate(learnt)]),
        [part for part in learnt for _ in range(8)],
        np.concatenate(list(held.values())),
        [part for part, own in held.items() for _ in own],
        weights_sha256="ab" * 32,
        about={"n_parts": 4},
    )


def test_another_view_of_a_taught_part_is_familiar_and_a_part_that_nobody_taught_is_strange() -> None:
    found = reference()
    assert not any(found.of(one).is_strange for one in views("part 1", 20, 7))
    assert all(found.of(one).is_strange for one in views("part 5", 20, 8))


def test_calibrated_on_other_parts_such_parts_are_familiar() -> None:
    found = reference({"part 4": views("part 4", 5, 20), "part 5": views("part 5", 5, 21)})
    assert np.mean([found.of(one).is_strange for one in views("part 5", 20, 8)]) < 0.3
    assert found.of(np.full(12, 40, np.float32)).is_strange


def test_each_part_counts_alike_for_the_limit() -> None:
    few, many = views("part 4", 1, 30), views("part 0", 200, 31)
    found = reference({"part 4": few, "part 0": many})
    assert found.limit == pytest.approx(found.distance(few[0]))


def test_a_few_views_stand_for_a_part_and_features_are_measured_in_spreads_between_views() -> None:
    found = reference()
    assert found.examples.shape == (4 * 5, 12)  # of eight views, three are set aside
    assert found.spread == pytest.approx(np.ones(12), abs=0.35)


def test_a_feature_that_never_changes_divides_by_no_zero() -> None:
    same = np.zeros((3, 2), np.float32)
    found = make_reference(same, ["a", "a", "b"], same, ["c"] * 3, weights_sha256="ab" * 32, about={})
    assert (found.limit, found.of(same[0]).is_strange) == (0.0, False)
    assert found.of(np.ones(2, np.float32)).is_strange


def test_the_file_measures_the_same(tmp_path: Path) -> None:
    found = reference()
    (tmp_path / FILE).write_text(found.to_json())
    again = read_reference(tmp_path, "ab" * 32)
    assert again is not None
    assert again.about == {"n_parts": 4}
    for one in views("part 2", 5, 9):
        assert again.of(one) == found.of(one)


def test_a_version_without_the_file_has_no_reference(tmp_path: Path) -> None:
    assert read_reference(tmp_path, "ab" * 32) is None


@pytest.mark.parametrize(
    "change", [{"examples": "AA=="}, {"limit": "far"}, {"centre": None}, {"examples": ""}]
)
def test_a_damaged_file_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    content = json.loads(reference().to_json())
    (tmp_path / FILE).write_text(json.dumps(content | change))
    with pytest.raises(ModelArtefactError, match="not a reference"):
        read_reference(tmp_path, "ab" * 32)


def test_a_file_of_other_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(reference().to_json())
    with pytest.raises(ModelArtefactError, match="made with weights abababababab, not cdcdcdcdcdcd"):
        read_reference(tmp_path, "cd" * 32)


def test_without_images_there_is_none() -> None:
    nothing = np.zeros((0, 12), np.float32)
    with pytest.raises(CalibrationDataError, match="images that calibrated"):
        make_reference(views("part 0", 2, 1), ["a", "a"], nothing, [], weights_sha256="", about={})


@pytest.mark.parametrize(("distance", "is_strange"), [(0.0, False), (1.5, False), (1.5001, True)])
def test_up_to_the_limit_an_image_is_familiar(distance: float, is_strange: bool) -> None:
    seen = Familiarity(distance, 1.5)
    assert seen.is_strange is is_strange
    assert ("not verified" in seen.words) is is_strange
    assert Familiarity.of_dict(seen.to_dict()) == seen
    assert seen.to_dict()["is_familiar"] is not is_strange
