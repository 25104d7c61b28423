"""Against one real MLflow with a SQLite store."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.calibrate.familiarity import read_reference
from core.domain.errors import ModelArtefactError, ModelNotFoundError, RegistryUnavailableError
from core.imaging.encode import encode_png
from core.registry.artefact import read_artefact
from core.registry.curve_plots import Plot
from core.registry.mlflow_registry import MlflowRegistry
from tests.artefacts import write_artefact, write_familiarity

SCRIPT = Path(__file__).resolve().parents[2] / "core" / "services" / "lifecycle" / "pyfunc_model.py"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("registry")


def _open(root: Path, cache: str = "cache") -> MlflowRegistry:
    return MlflowRegistry(f"sqlite:///{root}/store/mlflow.db", root / cache, pyfunc_script=SCRIPT)


@pytest.fixture(scope="module")
def registry(root: Path) -> Iterator[MlflowRegistry]:
    opened = _open(root)
    opened.register(write_artefact(root / "shipped" / "weld-v1", seed=1))
    opened.register(write_artefact(root / "shipped" / "weld-v2", seed=2, score_spread=1.0), alias="champion")
    return opened


def test_versions_are_numbered_in_the_order_of_registering(registry: MlflowRegistry) -> None:
    assert [v.version for v in registry.versions("weld")] == [1, 2]
    assert registry.names() == ["weld"]


def test_the_same_weights_are_the_same_version(registry: MlflowRegistry, root: Path) -> None:
    assert registry.register(root / "shipped" / "weld-v1") == 1
    assert registry.register(root / "shipped" / "weld-v2") == 2


def test_resolving_gives_the_version_its_aliases_and_a_complete_folder(registry: MlflowRegistry) -> None:
    version, folder = registry.resolve("weld")
    assert version.version == 2
    assert version.aliases == ("champion",)
    assert read_artefact(folder).sha256 == version.sha256
    assert registry.resolve("weld", version=1)[0].aliases == ()


def test_figures_are_stored_in_the_run_of_their_version(registry: MlflowRegistry, root: Path) -> None:
    registry.log_figures("weld", 1, "explanations.json", {"n_boxes": 300})
    registry.log_plot("weld", 1, "pod.png", Plot("POD", "mm", "POD", [0.1, 1], [0, 0.9], [0, 0.8], [0.1, 1]))
    (plot,) = (root / "cache" / "mlflow-artifacts").rglob("pod.png")
    assert plot.read_bytes().startswith(b"\x89PNG")
    (stored,) = (root / "cache" / "mlflow-artifacts").rglob("explanations.json")
    assert json.loads(stored.read_text(encoding="utf-8")) == {"n_boxes": 300}


def test_an_alias_moves(registry: MlflowRegistry) -> None:
    registry.set_alias("weld", "challenger", 2)
    registry.set_alias("weld", "challenger", 1)
    assert registry.resolve("weld", alias="challenger")[0].version == 1
    assert registry.resolve("weld")[0].version == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "casting"}, "no registered model 'casting'; known: weld"),
        ({"name": "weld", "version": 9}, "no version 9; versions: 1, 2"),
        ({"name": "weld", "alias": "prince"}, "no alias 'prince'"),
    ],
)
def test_what_is_not_registered_is_said_with_what_is(
    registry: MlflowRegistry, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(ModelNotFoundError, match=message):
        registry.resolve(**arguments)  # type: ignore[arg-type]  # a table of keywords


def test_an_alias_to_an_unknown_version_is_refused(registry: MlflowRegistry) -> None:
    with pytest.raises(ModelNotFoundError, match="no version 7"):
        registry.set_alias("weld", "champion", 7)


def test_mlflow_holds_lineage_metrics_and_tags(registry: MlflowRegistry, root: Path) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{root}/store/mlflow.db", f"sqlite:///{root}/store/mlflow.db")
    version = client.get_model_version("weld", "2")
    artefact = read_artefact(root / "shipped" / "weld-v2")
    assert version.tags["weights_sha256"] == artefact.sha256
    assert version.tags["data_notice"] == "simulated"
    run = client.get_run(str(version.run_id))
    assert run.info.status == "FINISHED"
    assert run.data.params["manifest_sha256"] == artefact.manifest_sha256
    assert run.data.params["recipe"] == "tiny"
    assert run.data.metrics == {"ap50": 0.25, "n_images": 3.0}


@pytest.fixture
def stored(registry: MlflowRegistry, root: Path) -> Any:
    """The champion, as a user of MLflow loads it."""
    import mlflow.pyfunc

    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{root}/store/mlflow.db")
    try:
        return mlflow.pyfunc.load_model("models:/weld@champion")
    finally:
        mlflow.set_tracking_uri(before)


PIXELS = np.random.default_rng(0).integers(0, 65535, (96, 128), np.uint16)


def test_the_stored_model_answers_what_the_workbench_shows(
    registry: MlflowRegistry, root: Path, stored: Any
) -> None:
    from core.imaging.read import read_radiograph
    from core.services.inference.detecting import DetectService

    content = encode_png(PIXELS)
    expected = DetectService(registry, device="cpu").detect(read_radiograph(content), "", model="weld")
    found = expected.detections
    answer = stored.predict(content)
    assert len(answer) == len(found) > 0
    assert answer[["x1", "y1", "x2", "y2"]].to_numpy() == pytest.approx(found.boxes, abs=1e-3)
    assert answer["score"].to_numpy() == pytest.approx(found.scores)
    assert answer["probability"].to_numpy() == pytest.approx(found.probabilities)
    assert list(answer["class"]) == [str(one) for one in found.classes]


def test_the_stored_model_takes_arrays_paths_and_bytes(root: Path, stored: Any) -> None:
    path = root / "image.png"
    path.write_bytes(encode_png(PIXELS))
    one = stored.predict(PIXELS)
    assert set(one["image"]) == {0}
    for same in (str(path), path.read_bytes(), [path], PIXELS.astype(np.float64), PIXELS.astype(np.int64)):
        pd.testing.assert_frame_equal(stored.predict(same), one, atol=1e-3)
    many = stored.predict(np.stack([PIXELS, PIXELS]))
    assert (many["image"] == 1).sum() == (many["image"] == 0).sum() == len(one)
    assert len(stored.predict([PIXELS, str(path)])) == 2 * len(one)
    assert len(stored.predict((PIXELS >> 8).astype(np.uint8))) > 0
    strong = stored.predict(PIXELS, params={"min_probability": float(one["probability"].max())})
    assert 0 < len(strong) < len(one)


@pytest.mark.parametrize("wrong", [np.zeros((2, 3, 4, 5)), np.array([["a"]]), np.full((4, 4), -1)])
def test_the_stored_model_says_what_is_no_radiograph(stored: Any, wrong: Any) -> None:
    with pytest.raises(ValueError, match="expected"):
        stored.predict(wrong)


def test_the_stored_model_says_what_goes_in_and_what_comes_out(stored: Any) -> None:
    signature = stored.metadata.signature
    assert signature.outputs.input_names() == list(stored.predict(stored.input_example).columns)
    assert {one.name for one in signature.params} == {"min_probability", "polarity"}
    assert np.asarray(stored.input_example["image"][0]).shape == (64, 96)


def test_a_new_process_resolves_without_loading_mlflow(registry: MlflowRegistry, root: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from core.registry.mlflow_registry import MlflowRegistry; "
        f"r = MlflowRegistry('sqlite:///{root}/store/mlflow.db', Path({str(root / 'cache')!r}), "
        "pyfunc_script=Path('x')); print(r.resolve('weld')[0].version, 'mlflow' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=SCRIPT.parents[2]
    )
    assert done.stdout.split() == ["2", "False"]


def test_with_mlflow_away_the_cache_answers_and_says_so(
    registry: MlflowRegistry, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    away = MlflowRegistry("http://127.0.0.1:9", root / "cache", pyfunc_script=SCRIPT)
    started = time.perf_counter()
    assert away.resolve("weld")[0].version == 2
    assert time.perf_counter() - started < 0.5
    assert not away.is_reachable()
    assert not away.refresh()
    assert "answering from the cache" in caplog.text
    with pytest.raises(RegistryUnavailableError, match="does not answer"):
        away.register(root / "shipped" / "weld-v1")


def test_a_lost_cache_is_filled_again_from_mlflow(registry: MlflowRegistry, root: Path) -> None:
    fresh = _open(root, cache="other cache")
    version, folder = fresh.resolve("weld")
    assert version.version == 2
    assert read_artefact(folder).digest == read_artefact(root / "shipped" / "weld-v2").digest
    assert fresh.is_reachable()


def test_without_any_registry_the_message_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="run `radikal setup`"):
        _open(tmp_path).resolve("weld")
    assert not (tmp_path / "store").exists()


def test_a_changed_calibration_keeps_the_number_and_replaces_the_artefact(
    registry: MlflowRegistry, root: Path
) -> None:
    folder = write_artefact(root / "shipped" / "casting-v1", name="casting", seed=3)
    assert registry.register(folder, alias="champion") == 1
    record = json.loads((folder / "calibration.json").read_text())
    (folder / "calibration.json").write_text(json.dumps(record | {"score_cut": 0.2}))
    assert registry.register(folder) == 1
    assert registry.resolve("casting")[0].calibration.score_cut == 0.2
    assert _open(root, cache="third cache").resolve("casting")[0].calibration.score_cut == 0.2


def test_a_cached_file_that_changed_is_refused(registry: MlflowRegistry, root: Path) -> None:
    _, folder = _open(root, cache="damaged").resolve("weld", version=1)
    (folder / "calibration.json").write_text((folder / "calibration.json").read_text() + " ")
    with pytest.raises(ModelArtefactError, match="has changed on disk"):
        _open(root, cache="damaged").resolve("weld", version=1)


def test_a_damaged_index_says_what_to_remove(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "registry.json").write_text("{")
    with pytest.raises(ModelArtefactError, match="is damaged"):
        _open(tmp_path).names()


def test_a_reference_of_familiar_images_is_part_of_the_artefact_and_keeps_the_number(
    registry: MlflowRegistry, root: Path
) -> None:
    folder = write_artefact(root / "shipped" / "casting-any-v1", name="casting-any", seed=8)
    before = read_artefact(folder).digest
    assert registry.register(folder) == 1
    write_familiarity(folder, limit=2.5)
    assert read_artefact(folder).digest != before
    assert registry.registered_as(folder) is None
    assert registry.register(folder) == 1
    assert registry.registered_as(folder) == ("casting-any", 1)
    version, cached = _open(root, cache="cache with a reference").resolve("casting-any", version=1)
    reference = read_reference(cached, version.sha256)
    assert reference is not None
    assert reference.limit == 2.5
