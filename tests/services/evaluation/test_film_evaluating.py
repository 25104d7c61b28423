import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from core.domain.errors import BadInputError, DatasetError, LeakError
from core.domain.zone import Zone
from core.evaluate.cells import CellGroup
from core.imaging.encode import encode_png
from core.services.evaluation import film_evaluating
from core.services.evaluation.film_evaluating import FilmEvaluateService, FilmEvaluation
from core.services.inference.detecting import DetectService
from tests.artefacts import FolderModels, write_artefact

ROWS = """film,width,height,status,start_cm,iso6520_code,length_mm
a.png,128,96,recorded,1,2011,1.2
a.png,128,96,recorded,9,1011,1.2
b.png,128,96,no indication,,,
c.png,128,96,not recorded,,,
"""


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    for number, name in enumerate(("a", "b", "c", "crop")):
        pixels = np.random.default_rng(number).integers(0, 65535, (96, 128), np.uint16)
        (folder / f"{name}.png").write_bytes(encode_png(pixels))
    (folder / "films.csv").write_text(ROWS)
    entry = {"id": 1, "file_name": "crop.png", "width": 128, "height": 96, "parent_film": "b.png"}
    (folder / "crops.json").write_text(json.dumps({"images": [entry], "annotations": [], "categories": []}))
    return folder


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def evaluate(folder: Path, films: Path, **options: object) -> FilmEvaluation:
    models = FolderModels(folder)
    service = FilmEvaluateService(DetectService(models, device="cpu"), models)
    arguments: dict[str, object] = {"model": "weld", "cell_px": 32.0} | options
    return service.evaluate(films / "films.csv", films, **arguments)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_artefact(tmp_path_factory.mktemp("model") / "weld-v1", score_spread=1.0)


def test_cells_are_counted_and_what_lies_beyond_a_film_is_named(films: Path, model: Path) -> None:
    seen: list[tuple[int, int]] = []
    found = evaluate(model, films, probability=0.0, progress=lambda *at: seen.append(at))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert found.not_evaluable == ("a.png: 1011 begins in cell 9 of 4",)
    content = json.loads(json.dumps(found.to_dict()))
    assert (content["n_films"], content["n_trained_on"], content["operating_probability"]) == (3, 0, 0.0)
    assert content["all"]["groups"][CellGroup.PORES.value]["recorded"] == 1
    assert content["all"]["groups"][CellGroup.CRACKS.value]["share"] is None
    a, b, c = content["films"]
    assert (a["n_cells"], a["recorded"]["2011"]) == (4, [1])
    assert len(b["false_cells"]) == b["n_reached"] > 0
    assert c["false_cells"] is None


def test_boxes_outside_of_the_zone_are_left_out_of_a_second_count(
    films: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = Zone(((0.0, 0.0), (32.0, 0.0), (32.0, 96.0), (0.0, 96.0)))
    zones = iter([left, None, left])
    monkeypatch.setattr(film_evaluating, "judged_zone", lambda *_: next(zones))
    found = evaluate(model, films, probability=0.0)
    assert found.n_zones == 2
    for film, zoned, cut in zip(found.films, found.in_zone, (True, False, True), strict=True):
        middles = film.boxes[:, [0, 2]].mean(axis=1)
        kept = film.boxes[middles < 32] if cut else film.boxes
        assert 0 < len(kept) <= len(film.boxes)
        assert np.array_equal(zoned.boxes, kept)
        assert len(zoned.classes) == len(zoned.probabilities) == len(kept)
    content = found.to_dict()
    assert content["in_zone"]["all"]["n_false_cells"] <= content["all"]["n_false_cells"]


def test_the_sweep_rises_from_the_score_cut_and_reaches_ever_less(tmp_path: Path, films: Path) -> None:
    calibration = {"parameters": [0.3, -1.0]}
    timid = write_artefact(tmp_path / "timid", score_spread=1.0, calibration=calibration)
    found = evaluate(timid, films, cell_px=2.0)
    points = found.sweep(found.films)
    probabilities = [point.probability for point in points]
    assert probabilities == sorted(set(probabilities))
    assert found.probability == 0.5
    assert 0.5 in probabilities
    assert min(probabilities) > found.lowest_probability
    false_cells = [point.n_false for point in points]
    assert false_cells == sorted(false_cells, reverse=True)
    assert false_cells[0] > false_cells[-1]


def test_a_film_is_seen_when_it_or_its_crop_was_trained_on(tmp_path: Path, films: Path) -> None:
    trained = (digest(films / "a.png"), digest(films / "crop.png"))
    leaky = write_artefact(tmp_path / "leaky", score_spread=1.0, trained_on=trained)
    without_crops = evaluate(leaky, films)
    assert without_crops.trained_on == {"a.png": "it was trained on"}
    found = evaluate(leaky, films, crops=films / "crops.json")
    assert found.trained_on["b.png"] == "its crop crop.png was trained on"
    assert [film.name for film in found.unseen] == ["c.png"]
    assert found.to_dict()["unseen"]["n_judged"] == 0
    with pytest.raises(LeakError, match="1 of 3 films were trained on by weld v1"):
        evaluate(leaky, films, gate=True)


def test_films_that_contradict_their_records_are_refused(tmp_path: Path, films: Path, model: Path) -> None:
    other = tmp_path / "films.csv"
    for name in ("a.png", "b.png", "c.png"):
        (tmp_path / name).write_bytes((films / name).read_bytes())
    other.write_text(ROWS.replace("128,96,no", "129,96,no"))
    with pytest.raises(DatasetError, match="the records say 129x96"):
        evaluate(model, tmp_path)
    (tmp_path / "c.png").unlink()
    with pytest.raises(BadInputError, match="cannot read"):
        evaluate(model, tmp_path)
