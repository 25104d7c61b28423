"""A call beside the weld of a whole film starts with a lower score, and nothing else changes."""

import hashlib
import shutil

import numpy as np
import pytest

from core.domain.detections import CellOrigin, Detections, View
from core.domain.errors import ModelArtefactError
from core.domain.indication import IndicationClass
from core.domain.kinds import Family
from core.domain.radiograph import Polarity
from core.engine import zone_prior as zone_prior_module
from core.engine.detector import Detector, Request
from core.engine.zone_prior import FILE, ZonePrior, read_zone_prior
from core.imaging.normalise import normalise
from core.imaging.zone import judged_zone
from core.registry.artefact import files_of, read_artefact
from core.simulate.config import SimulationConfig
from core.simulate.render import simulate_weld

SHIFT = -1.6


@pytest.fixture(scope="module")
def film() -> np.ndarray:
    """A simulated film with a seam across the middle, (H, W) float32 normalised."""
    made = simulate_weld(310_001, SimulationConfig())
    return normalise(made.pixels, polarity=made.polarity, model_polarity=Polarity.FILM)


def found(*rows: tuple[float, float, float]) -> Detections:
    """Boxes of 20 px around (x, y) with a score."""
    x, y, score = np.array(rows, np.float32).reshape(-1, 3).T
    boxes = np.stack([x - 10, y - 10, x + 10, y + 10], axis=1)
    origin = CellOrigin(View(0, 0, 2400, 700), 0, 0, 0)
    n = len(score)
    return Detections(boxes, score, (IndicationClass.POROSITY,) * n, (origin,) * n)


def log_odds(score: float) -> float:
    return float(np.log(score / (1 - score)))


def middle_of_seam(film: np.ndarray) -> tuple[float, float]:
    zone = judged_zone(film, Family.WELD, Polarity.FILM)
    assert zone is not None
    y = [point[1] for point in zone.points]
    return film.shape[1] / 2, (min(y) + max(y)) / 2


def test_the_score_outside_falls_by_the_shift_and_the_order_follows(film):
    x, y = middle_of_seam(film)
    before = found((x, 12.0, 0.9), (x, y, 0.8), (x + 40, 12.0, 0.3))
    after = ZonePrior("w", Family.WELD, SHIFT).weigh(before, film, Polarity.FILM)
    assert after.scores[0] == np.float32(0.8), "inside nothing changes, and it is first now"
    assert after.boxes[:, 1].tolist() == pytest.approx([y - 10, 2, 2])
    for score, was in zip(after.scores[1:], (0.9, 0.3), strict=True):
        assert log_odds(float(score)) == pytest.approx(log_odds(was) + SHIFT, abs=1e-4)


def test_where_no_zone_is_found_all_places_are_alike():
    before = found((50, 12, 0.9))
    flat = np.full((200, 900), 0.5, np.float32)
    assert ZonePrior("w", Family.WELD, SHIFT).weigh(before, flat, Polarity.FILM) is before


def test_certain_scores_stay_scores(film):
    x, _ = middle_of_seam(film)
    after = ZonePrior("w", Family.WELD, SHIFT).weigh(
        found((x, 12.0, 1.0), (x, 12.0, 0.0)), film, Polarity.FILM
    )
    assert after.scores.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("shift", [0.0, 0.5, -21.0, float("nan")])
def test_a_prior_never_believes_more_of_what_lies_outside(shift):
    with pytest.raises(ValueError, match="outside_log_odds"):
        ZonePrior("w", Family.WELD, shift)


@pytest.fixture
def shipped(repository, tmp_path):
    """The weights of the weld champion, with the prior that ships beside them."""
    folder = tmp_path / "version"
    shutil.copytree(repository / "models" / "checkpoints" / "weld-v4", folder)
    return folder / "weights.safetensors"


def test_it_weighs_whole_films_and_leaves_crops_and_places_read_again(shipped, film, monkeypatch):
    detector = Detector.load(shipped)
    asked = []
    monkeypatch.setattr(zone_prior_module, "judged_zone", lambda image, *_: asked.append(image.shape))
    crop = np.ascontiguousarray(film[:572, :768])
    detector.detect_many([Request(crop, 0.01)])
    detector.detect_many([Request(film, 0.01, tuple(detector.views_of(film)[:1]))])
    assert asked == []
    detector.in_floating_point().detect_many([Request(film, 0.01)])
    assert asked == [film.shape]


def test_what_ships_falls_outside_and_only_there(shipped, film):
    weighed = Detector.load(shipped).in_floating_point().detect(film)
    (shipped.parent / FILE).unlink()
    plain = Detector.load(shipped).in_floating_point().detect(film)
    zone = judged_zone(film, Family.WELD, Polarity.FILM)
    before = {tuple(box): float(score) for box, score in zip(plain.boxes.tolist(), plain.scores, strict=True)}
    inside = [zone.holds(box) for box in weighed.boxes.tolist()]
    assert any(inside)
    for box, score, is_inside in zip(weighed.boxes.tolist(), weighed.scores, inside, strict=True):
        was = before[tuple(box)]
        assert float(score) == was if is_inside else float(score) < was


def test_it_belongs_to_its_weights(shipped):
    digest = hashlib.sha256(shipped.read_bytes()).hexdigest()
    assert read_zone_prior(shipped) == ZonePrior(digest, Family.WELD, SHIFT)
    assert FILE in files_of(shipped.parent)
    other = ZonePrior("ab" * 32, Family.WELD, SHIFT)
    shipped.with_name(FILE).write_text(other.to_json())
    with pytest.raises(ModelArtefactError, match="is of weights abababababab"):
        read_zone_prior(shipped)
    with pytest.raises(ModelArtefactError, match=f"{FILE} was made with weights abababababab"):
        read_artefact(shipped.parent)


@pytest.mark.parametrize(
    "text", ["[]", "{}", "not", '{"weights_sha256": "a", "family": "weld", "outside_log_odds": 1}']
)
def test_a_damaged_file_is_refused(shipped, text):
    shipped.with_name(FILE).write_text(text)
    with pytest.raises(ModelArtefactError, match=FILE):
        Detector.load(shipped)
