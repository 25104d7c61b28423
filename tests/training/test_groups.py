import json

import numpy as np
import pytest
import yaml

from core.engine.look_features import FEATURES
from core.engine.second_stage import LOOKS, Look, SecondStage
from core.labelling.film_cells import BAM_CELL_PX
from core.registry.artefact import file_sha256, read_artefact
from core.simulate.config import SimulationConfig
from core.simulate.render import simulate_weld
from core.training.group_examples import Examples, look_of, matched_looks, read_examples, write_examples
from core.training.groups import main
from tests.artefacts import write_artefact

RNG = np.random.default_rng(8)
POROSITY, CRACK = LOOKS.index(Look.POROSITY), LOOKS.index(Look.CRACK)
RECORDS = """film,width,height,status,start_cm,iso6520_code,length_mm
a.png,2480,900,recorded,1,1011,30
b.png,2480,900,recorded,2,2011,1.5
c.png,2480,900,recorded,5,1021,8
d.png,2480,900,no indication,,,
"""


def reports(looks, boxes, source, names):
    """Reports whose first class share tells their look."""
    values = RNG.normal(size=(len(looks), len(FEATURES))).astype(np.float32)
    values[:, FEATURES.index("class_1")] += np.where(np.array(looks) == CRACK, 4, -4)
    n = len(looks)
    return Examples(
        values,
        np.array(looks, np.int64),
        np.array(boxes, np.float32).reshape(n, 4),
        np.full(n, 0.7, np.float32),
        np.array(source, np.int64),
        tuple(names),
    )


def box(cell):
    """In the middle of a cell."""
    x = (cell - 0.5) * BAM_CELL_PX
    return (x - 10, 40, x + 10, 60)


@pytest.fixture
def fitted(tmp_path):
    """A folder with a second stage that was fitted to kept examples, and the arguments that fitted it."""
    folder = write_artefact(tmp_path / "weld")
    (tmp_path / "weld_films.csv").write_text(RECORDS)
    looks = [POROSITY, CRACK] * 40
    known = reports(looks, [box(1)] * 80, np.arange(80) // 8, [f"simulated {n}" for n in range(10)])
    seen = [(0, 1, CRACK), (0, 2, CRACK), (0, 3, CRACK), (1, 2, POROSITY), (2, 5, CRACK), (3, 7, POROSITY)]
    films = reports([look for *_, look in seen], [box(c) for _, c, _ in seen], [f for f, *_ in seen], "abcd")
    key = f"{file_sha256(folder / 'weights.safetensors')[:12]}-5-1-0-{len(FEATURES)}.npz"
    kept = tmp_path / "kept"
    kept.mkdir()
    write_examples(kept / f"films-{key}", films)
    write_examples(kept / f"simulated-{key}", known)
    write_examples(kept / f"virtual-{key}", known.take(np.zeros(80, np.bool_)))
    arguments = [
        str(folder), "--data", str(tmp_path), "--seed", "5", "--count", "1", "--variants", "0",
        "--examples", str(kept), "--unseen", "a,b,c",
    ]  # fmt: skip
    assert main(arguments) == 0
    return folder, arguments


def test_the_second_stage_is_fitted_judged_and_told_to_the_card(fitted) -> None:
    folder, _ = fitted
    stage = SecondStage.load(folder / "groups.json")
    asked = np.zeros((2, len(FEATURES)), np.float32)
    asked[:, FEATURES.index("class_1")] = 4, -4
    assert stage.shares(asked).argmax(axis=1).tolist() == [CRACK, POROSITY]
    told = yaml.safe_load((folder / "card.yaml").read_text())["second_stage"]
    assert told["sha256"] == file_sha256(folder / "groups.json")
    assert told["simulated"]["n"] == 80
    assert [sum(row) for row in told["films"]["recorded_by_claimed"]] == [4, 0, 1, 0]
    assert told["operating"]["points"]["linear"] <= told["operating"]["points"]["rounded"]
    assert read_artefact(folder).card["second_stage"] == told


def test_the_same_examples_give_the_same_second_stage(fitted) -> None:
    folder, arguments = fitted
    before = json.loads((folder / "groups.json").read_text())
    assert main(arguments) == 0
    assert json.loads((folder / "groups.json").read_text()) == before


def test_weights_that_are_not_there_are_refused(tmp_path, capsys) -> None:
    (tmp_path / "weld_films.csv").write_text(RECORDS)
    assert main([str(tmp_path), "--data", str(tmp_path)]) == 2
    assert "weights" in capsys.readouterr().err


def test_examples_come_back_from_their_file(tmp_path) -> None:
    made = reports([CRACK, -1], [box(1), box(2)], [0, 1], ["a", "b"])
    write_examples(tmp_path / "kept.npz", made)
    read = read_examples(tmp_path / "kept.npz")
    np.testing.assert_array_equal(read.features, made.features)
    assert read.names == made.names


def test_a_report_has_the_look_of_the_flaw_that_fills_it() -> None:
    made = simulate_weld(7, SimulationConfig(width_px=900, height_px=400, flaw_groups=20))
    seen = [flaw for flaw in made.truth if flaw.visible]
    flaw = max(seen, key=lambda one: one.mask.sum())
    x1, y1, x2, y2 = flaw.bbox
    boxes = np.array([flaw.bbox, (x1 - (x2 - x1), y1 - (y2 - y1), x2, y2)], np.float32)
    looks = matched_looks(boxes, [flaw])
    assert looks.tolist() == [LOOKS.index(look_of(flaw)), -1]
