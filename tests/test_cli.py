"""The command line as its users run it, over a tiny real network and a real registry."""

import json
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from click.testing import CliRunner

from core.cli import main
from core.simulate.config import SimulationConfig
from core.simulate.dataset import write_dataset
from tests.artefacts import write_artefact, write_familiarity
from tests.empty_stores import copy_empty_mlflow
from tests.imaging.pictures import write_dicom

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "samples"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A data folder with a registry that holds weld v1, and three small simulated radiographs."""
    folder = tmp_path_factory.mktemp("home")
    write_dataset(folder / "sim", count=3, seed=5, config=SimulationConfig(height_px=64, width_px=96))
    copy_empty_mlflow(folder / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        _point_at(patch, folder)
        write_artefact(folder / "weld-v1", score_spread=0.3)
        result = CliRunner().invoke(
            main, ["models", "import", str(folder / "weld-v1"), "--alias", "champion"]
        )
        assert result.exit_code == 0, result.output
    return folder


def _point_at(patch, folder):
    patch.setenv("DATA_DIR", str(folder / "var"))
    patch.setenv("DATABASE_URL", f"sqlite:///{folder}/radikal.db")
    patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")


@pytest.fixture
def run(home, monkeypatch):
    _point_at(monkeypatch, home)

    def call(*arguments):
        return CliRunner().invoke(main, [str(a) for a in arguments])

    return call


def images(home):
    return sorted((home / "sim").glob("*.png"))


def test_detect_writes_the_documented_json(run, home):
    path = images(home)[0]
    result = run("detect", path, "--model", "weld", "--json", "-")
    assert result.exit_code == 0, result.output
    (entry,) = json.loads(result.stdout)
    assert set(entry) == {
        "image", "model", "calibration", "operating_probability", "elapsed_ms", "detections",
    }  # fmt: skip
    assert set(entry["image"]) == {
        "path", "sha256", "width", "height", "bit_depth", "polarity", "polarity_ground", "mm_per_px",
    }  # fmt: skip
    assert (entry["image"]["width"], entry["image"]["height"]) == (96, 64)
    assert entry["model"]["version"] == 1
    assert entry["detections"], "a network of this spread reports something"
    for found in entry["detections"]:
        assert set(found) == {"bbox", "class", "iso6520", "score", "probability"}
        x1, y1, x2, y2 = found["bbox"]
        assert 0 <= x1 <= x2 <= 96
        assert 0 <= y1 <= y2 <= 64
        assert found["score"] >= entry["calibration"]["score_cut"]


def test_detect_warns_when_the_picture_has_another_polarity_than_the_model_and_takes_the_stated_one(run):
    digital = SAMPLES / "digital_detector.png"
    assumed = run("detect", digital, "--model", "weld", "--json", "-")
    assert "polarity not stated, taken as film. The image looks digital" in assumed.stderr
    (entry,) = json.loads(assumed.stdout)
    assert (entry["image"]["polarity"], entry["image"]["polarity_ground"]) == ("unknown", "assumed")
    stated = run("detect", digital, "--model", "weld", "--polarity", "digital", "--json", "-")
    assert "polarity" not in stated.stderr
    (entry,) = json.loads(stated.stdout)
    assert (entry["image"]["polarity"], entry["image"]["polarity_ground"]) == ("digital", "person")
    wrong = run("detect", digital, "--model", "weld", "--polarity", "film")
    assert "you said film, but the image looks digital" in wrong.stderr


def test_detect_says_nothing_when_the_picture_agrees_with_the_model(run):
    result = run("detect", SAMPLES / "gas_pores.png", "--model", "weld", "--json", "-")
    assert result.stderr == ""
    assert json.loads(result.stdout)[0]["image"]["polarity_ground"] == "estimated"


def test_detect_gives_one_result_for_each_frame_and_names_a_broken_one(run, home, tmp_path):
    frames = np.stack([cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in images(home)])
    (tmp_path / "panel.dcm").write_bytes(write_dicom(frames, frames=3))
    (tmp_path / "many.dcm").write_bytes(write_dicom(np.zeros((251, 2, 2), np.uint8), frames=251))
    result = run("detect", tmp_path / "panel.dcm", tmp_path / "many.dcm", "--model", "weld", "--json", "-")
    assert result.exit_code == 1
    entries = json.loads(result.stdout)
    assert [entry["image"]["frame"] for entry in entries] == [1, 2, 3]
    assert {entry["image"]["path"] for entry in entries} == {str(tmp_path / "panel.dcm")}
    assert len({entry["image"]["sha256"] for entry in entries}) == 1, "each frame is of the file that came"
    assert result.stderr == "radikal: expected a DICOM file of at most 250 frames, got 251 (many.dcm)\n"
    told = run("detect", tmp_path / "panel.dcm", "--model", "weld", "--explain", tmp_path / "maps").stdout
    assert f"{tmp_path / 'panel.dcm'} frame 3: " in told
    assert {path.name.split("_")[0] for path in (tmp_path / "maps").iterdir()} <= {
        f"panel frame {n} of 3" for n in (1, 2, 3)
    }


def test_detect_gives_one_result_for_each_page_and_says_what_is_not_read(run, home, tmp_path):
    film = cv2.imread(str(images(home)[0]), cv2.IMREAD_UNCHANGED)
    with tifffile.TiffWriter(tmp_path / "films.tif") as writer:
        for page, kind in ((film[::8, ::8], 1), (film, 0), (film[::-1], 0)):
            writer.write(page, subfiletype=kind, photometric="minisblack")
    np.save(tmp_path / "panel.npy", np.stack([film, film]))
    paths = (tmp_path / "films.tif", tmp_path / "panel.npy")
    entries = json.loads(run("detect", *paths, "--model", "weld", "--json", "-").stdout)
    assert [entry["image"].get("frame") for entry in entries] == [1, 2, 1, 2]
    assert [entry["image"].get("page") for entry in entries] == [1, 2, None, None]
    assert [entry["image"]["height"] for entry in entries] == [len(film)] * 4
    copy = f"1 reduced copy not read ({film[::8, ::8].shape[1]} × {film[::8, ::8].shape[0]} px)"
    assert [entry["image"].get("not_read") for entry in entries] == [[copy], [copy], None, None]
    told = run("detect", tmp_path / "films.tif", "--model", "weld").stdout
    assert f"{tmp_path / 'films.tif'} page 2: " in told
    assert told.count(f"  Also in the file: {copy}\n") == 2


def test_detect_reports_every_box_above_the_asked_score(run, home):
    path = images(home)[0]
    (many,) = json.loads(run("detect", path, "--model", "weld", "--min-score", 0.01, "--json", "-").stdout)
    scores = sorted(found["score"] for found in many["detections"])
    middle = scores[len(scores) // 2]
    (few,) = json.loads(run("detect", path, "--model", "weld", "--min-score", middle, "--json", "-").stdout)
    expected = [score for score in scores if score >= middle]
    assert len(scores) > len(expected) > 0
    assert len(few["detections"]) == pytest.approx(len(expected), abs=1)  # the JSON rounds scores


def test_the_json_is_written_even_when_nobody_reads_the_table(run, home, tmp_path, monkeypatch):
    def closed(*_args):
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr("core.cli.detecting._print_detections", closed)
    out = tmp_path / "out.json"
    assert run("detect", images(home)[0], "--model", "weld", "--json", out).exit_code == 1
    assert len(json.loads(out.read_text())) == 1


def test_one_bad_file_is_one_line_and_the_others_are_still_done(run, home, tmp_path):
    bad = tmp_path / "broken.png"
    bad.write_bytes(b"not an image")
    out = tmp_path / "out.json"
    result = run("detect", bad, *images(home)[:2], "--model", "weld", "--polarity", "film", "--json", out)
    assert result.exit_code == 1
    assert len(json.loads(out.read_text())) == 2
    assert result.stderr.count("\n") == 1
    assert "broken.png" in result.stderr
    assert "Traceback" not in result.output


def test_a_file_that_breaks_a_library_is_one_line_and_the_others_are_still_done(
    run, home, tmp_path, monkeypatch
):
    import core.imaging.read

    real = core.imaging.read.read_radiograph

    def breaks_on_the_first(data, name="", **options):
        if name == images(home)[0].name:
            raise cv2.error(
                "(-2:Unspecified error) in function 'CvtHelper'\n> Unsupported depth of input image"
            )
        return real(data, name, **options)

    monkeypatch.setattr(core.imaging.read, "read_radiograph", breaks_on_the_first)
    out = tmp_path / "out.json"
    result = run("detect", *images(home), "--model", "weld", "--polarity", "film", "--json", out)
    assert result.exit_code == 1
    assert [entry["image"]["path"] for entry in json.loads(out.read_text())] == list(
        map(str, images(home)[1:])
    )
    assert result.stderr.count("\n") == 1
    assert f"{images(home)[0].name} failed unexpectedly: error: (-2:Unspecified error)" in result.stderr


def test_only_bad_input_is_bad_input(run, home, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"not an image")
    (tmp_path / "empty").mkdir()
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "note.txt").write_text("no film today")
    for path in (tmp_path / "broken.png", tmp_path / "empty", tmp_path / "letters", tmp_path / "gone.png"):
        result = run("detect", path, "--model", "weld", "--json", "-")
        assert result.exit_code == 2, path
        assert result.stderr


def test_detect_takes_folders_and_archives(run, home, tmp_path):
    films = [path.read_bytes() for path in images(home)]
    (tmp_path / "shift" / "north").mkdir(parents=True)
    for number, film in zip((10, 2), films, strict=False):
        (tmp_path / "shift" / "north" / f"film {number}.png").write_bytes(film)
    (tmp_path / "shift" / "note.txt").write_text("two films today")
    (tmp_path / "shift" / ".DS_Store").write_bytes(b"desktop")
    frames = np.stack([cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in images(home)])
    with zipfile.ZipFile(tmp_path / "films.zip", "w") as archive:
        archive.writestr("south/film.png", films[2])
        archive.writestr("broken.png", b"not an image")
        archive.writestr("panel.dcm", write_dicom(frames, frames=3))
    paths = (tmp_path / "shift", tmp_path / "films.zip")
    result = run("detect", *paths, "--model", "weld", "--polarity", "film", "--json", "-")
    entries = json.loads(result.stdout)
    assert [entry["image"]["path"].removeprefix(f"{tmp_path}/") for entry in entries] == [
        "shift/north/film 2.png",
        "shift/north/film 10.png",
        "films.zip/film.png",
        *["films.zip/panel.dcm"] * 3,
    ]
    assert [entry["image"].get("frame") for entry in entries] == [None, None, None, 1, 2, 3]
    assert result.exit_code == 1, "the broken member"
    broken, stray = result.stderr.splitlines()
    assert "broken.png" in broken
    assert stray == "radikal: Skipped 1 file that is no radiograph: note.txt."


def test_explain_writes_one_picture_a_reported_box(run, home, tmp_path):
    path = images(home)[0]
    result = run(
        "detect", path, "--model", "weld", "--explain", tmp_path / "maps", "--json", tmp_path / "o.json"
    )
    assert result.exit_code == 0, result.output
    (entry,) = json.loads((tmp_path / "o.json").read_text())
    reported = [d for d in entry["detections"] if d["probability"] >= entry["operating_probability"]]
    pictures = list((tmp_path / "maps").glob("*.png"))
    assert len(pictures) == len(reported) > 0
    assert cv2.imread(str(pictures[0])).shape[:2] == (64, 96)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "casting"], "casting"),
        (["--model", "weld", "--version", "7"], "version 7"),
        (["--model", "weld", "--alias", "winner"], "winner"),
    ],
)
def test_an_unknown_model_is_bad_input(run, home, arguments, message):
    result = run("detect", images(home)[0], *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_evaluate_prints_and_writes_the_figures(run, home, tmp_path):
    out = tmp_path / "figures.json"
    result = run(
        "evaluate",
        "--model",
        "weld",
        "--coco",
        home / "sim/truth.json",
        "--images",
        home / "sim",
        "--out",
        out,
    )
    assert result.exit_code == 0, result.output
    assert "0 of 3 images were trained on" in result.output
    figures = json.loads(out.read_text())
    documented = {
        "model", "version", "n_images", "n_boxes", "n_trained_on", "class_aware", "ap50",
        "ap50_ci", "ap50_95",
        "recall", "precision", "false_calls_per_image", "operating_probability", "d_ece", "d_ece_band",
        "d_ece_raw", "brier", "brier_raw", "score_cut",
    }  # fmt: skip
    assert documented <= set(figures)
    assert figures["n_images"] == 3


def test_evaluate_refuses_a_split_part_that_does_not_exist(run, home, tmp_path):
    split = tmp_path / "s.yaml"
    split.write_text("parts: {train: [a]}")
    result = run(
        "evaluate", "--model", "weld", "--coco", home / "sim/truth.json", "--images", home / "sim",
        "--split", split, "--part", "test",
    )  # fmt: skip
    assert result.exit_code == 2
    assert "no part 'test'" in result.stderr


def test_models_are_listed_with_alias_and_data_notice(run):
    result = run("models", "list")
    assert result.exit_code == 0
    assert "weld v1" in result.output
    assert "champion" in result.output
    assert "simulated" in result.output


def test_what_was_not_measured_is_not_promoted_but_in_an_emergency(run, home):
    write_artefact(home / "weld-v2", seed=7, score_spread=0.3)
    refused = run("models", "import", home / "weld-v2", "--alias", "champion")
    assert refused.exit_code == 2
    assert "has a champion" in refused.stderr
    assert run("models", "import", home / "weld-v2").exit_code == 0
    refused = run("models", "promote", "weld", "2")
    assert refused.exit_code == 1
    assert "the gate refuses weld v2, nothing was changed" in refused.stderr
    assert "there is no evaluation set" in refused.stderr
    assert run("models", "promote", "weld", "2", "--override").exit_code == 2, "an override needs a note"
    assert "v1 -> v2" not in run("models", "history", "weld").output
    forced = run("models", "promote", "weld", "2", "--override", "--note", "v1 cracks")
    assert forced.exit_code == 0
    assert "weld champion is version 2: gate overridden on the server" in forced.output
    assert "against the gate: " in forced.stderr
    assert run("models", "rollback", "weld").output == "weld champion is version 1: rolled back\n"
    again = run("models", "rollback", "weld")
    assert again.exit_code == 2
    assert "nothing to roll back to" in again.stderr


def test_history_tells_what_served_when(run, home):
    lines = run("models", "history", "weld").output.splitlines()
    assert "weld champion  nothing -> v1  set up  (imported)" in lines[0]
    assert "weld champion  v1 -> v2  gate overridden on the server  by command line  (v1 cracks)" in lines[1]
    assert "weld champion  v2 -> v1  rolled back" in lines[2]
    assert run("models", "history", "weld", "--at", "2001-01-01").output == (
        "nothing was recorded until then\n"
    )
    assert "v2 -> v1" in run("models", "history", "weld", "--at", "2999-01-01").output
    assert run("models", "history", "weld", "--inspection", "nothing").exit_code == 2


def test_an_unknown_version_or_set_is_refused(run):
    refused = run("models", "promote", "weld", "9")
    assert refused.exit_code == 2
    assert "version 9" in refused.stderr
    refused = run("models", "promote", "weld", "2", "--set", "no such set")
    assert refused.exit_code == 2
    assert "there is no evaluation set 'no such set' of weld; known: none" in refused.stderr


def test_simulate_writes_images_and_truth(run, tmp_path):
    result = run("simulate", "--out", tmp_path, "--count", 1, "--seed", 3)
    assert result.exit_code == 0
    truth = json.loads((tmp_path / "truth.json").read_text())
    pixels = cv2.imread(str(tmp_path / truth["images"][0]["file_name"]), cv2.IMREAD_UNCHANGED)
    assert pixels.dtype == np.uint16


def test_a_wrong_setting_names_its_key(run, home, monkeypatch):
    monkeypatch.setenv("DEVICE", "abacus")
    result = run("models", "list")
    assert result.exit_code == 2
    assert "DEVICE" in result.stderr


def test_train_runs_a_recipe_into_a_folder(run, home, tmp_path):
    recipe = tmp_path / "tiny.yaml"
    recipe.write_text(
        "model: weld\ntitle: tiny\npolarity: film\n"
        "network: {stem_width: 8, widths: [8, 8, 8, 8], channels: 8, head_convolutions: 1}\n"
        "sources: [{coco: truth.json, are_classes_known: true}]\n"
        "schedule: {steps: 2, batch: 1, crop_px: 64}\n"
    )
    result = run("train", "--recipe", recipe, "--data", home / "sim", "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "run" / "weights.safetensors").is_file()
    assert (tmp_path / "run" / "manifest.json").is_file()


def test_setup_creates_the_database_and_registers_what_ships(run, home, tmp_path, monkeypatch):
    import core.setting_up

    shipped = tmp_path / "checkpoints"
    write_artefact(shipped / "casting-v2", name="casting", seed=4, polarity="digital")
    monkeypatch.setattr(core.setting_up, "CHECKPOINTS", shipped)
    for _ in range(2):  # a second time changes nothing
        result = run("setup", "--demo")
        assert result.exit_code == 0, result.output
        assert "casting: version 2 registered" in result.output
    assert (home / "radikal.db").is_file()
    listed = run("models", "list").output
    assert "casting v2" in listed
    assert "champion" in listed
    assert "shipped as" not in listed


def test_a_shipped_version_that_has_another_number_here_says_under_which_it_ships(run, tmp_path, monkeypatch):
    import core.setting_up

    copy_empty_mlflow(tmp_path / "mlflow.db")
    _point_at(monkeypatch, tmp_path)
    shipped = tmp_path / "checkpoints"
    monkeypatch.setattr(core.setting_up, "CHECKPOINTS", shipped)
    assert run("models", "import", write_artefact(tmp_path / "own", seed=3)).exit_code == 0
    write_artefact(shipped / "weld-v1", seed=4)
    write_artefact(shipped / "casting-v1", name="casting", seed=5, polarity="digital")
    result = run("setup")
    assert result.exit_code == 0, result.output
    own, other = (line for line in run("models", "list").output.splitlines() if line.startswith("weld"))
    assert "shipped as" not in own
    assert other.startswith("weld v2")
    assert "(shipped as v1)" in other


def test_a_strange_part_is_read_by_casting_any_unless_a_version_is_named(run, home, tmp_path, monkeypatch):
    copy_empty_mlflow(tmp_path / "mlflow.db")
    _point_at(monkeypatch, tmp_path)
    for k, name in enumerate(("casting", "casting-any")):
        made = write_artefact(tmp_path / name, name=name, seed=k, polarity="digital", score_spread=0.3)
        write_familiarity(made, limit=0.0)
        assert run("models", "import", made, "--alias", "champion").exit_code == 0
    asked = ("detect", images(home)[0], "--polarity", "digital", "--model", "casting")
    told = run(*asked).stdout
    assert "(casting-any v1, " in told
    assert "Read by casting-any: this part looks unlike those that taught casting" in told
    assert "Probability not verified for this kind of image" in told
    (entry,) = json.loads(run(*asked, "--json", "-").stdout)
    assert (entry["model"]["name"], entry["picked"][:19]) == ("casting-any", "Read by casting-any")
    assert entry["familiarity"]["is_familiar"] is False
    (forced,) = json.loads(run(*asked, "--version", "1", "--json", "-").stdout)
    assert (forced["model"]["name"], "picked" in forced) == ("casting", False)
    (other,) = json.loads(run(*asked[:-1], "casting-any", "--json", "-").stdout)
    assert (other["model"]["name"], "picked" in other) == ("casting-any", False)
