import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from core.engine.detector import Detector
from core.engine.network import IndicationNetwork, NetworkConfig
from core.training.mean import main

CONFIG = NetworkConfig(stem_width=8, widths=(8, 8, 8, 8), channels=8, head_convolutions=1)


def run(folder, seed, *, images=(), **header):
    folder.mkdir()
    torch.manual_seed(seed)
    tensors = {
        name: t.half() if t.is_floating_point() else t
        for name, t in IndicationNetwork(CONFIG).state_dict().items()
    }
    said = {"network": CONFIG.to_json(), "polarity": "film", "model": "weld", **header}
    save_file(tensors, folder / "weights.safetensors", said)
    (folder / "manifest.json").write_text(json.dumps({"digest": "", "images": list(images)}))
    return str(folder)


def test_weights_are_the_mean_and_the_manifest_holds_all_that_trained(tmp_path):
    a, b, shared = ({"sha256": name, "file_name": name} for name in "abc")
    runs = [
        run(tmp_path / "one", 1, images=[a, shared]),
        run(tmp_path / "two", 2, images=[shared, b], crop_px="64"),
    ]
    assert main([*runs, "--out", str(tmp_path / "mean")]) == 0
    one, two, mean = (load_file(tmp_path / name / "weights.safetensors") for name in ("one", "two", "mean"))
    for name in ("score.weight", "backbone.stem.0.weight"):
        wanted = (one[name].float() + two[name].float()) / 2
        torch.testing.assert_close(mean[name].float(), wanted, rtol=1e-3, atol=1e-4)
    manifest = json.loads((tmp_path / "mean" / "manifest.json").read_text())
    assert manifest["images"] == [a, shared, b]
    assert Detector.load(tmp_path / "mean" / "weights.safetensors").polarity.value == "film"


@pytest.mark.parametrize("header", [{"polarity": "digital"}, {"model": "casting"}, {"crop_px": "128"}])
def test_runs_that_do_not_belong_together_are_one_clear_error(tmp_path, capsys, header):
    runs = [run(tmp_path / "one", 1, crop_px="64"), run(tmp_path / "two", 2, **header)]
    assert main([*runs, "--out", str(tmp_path / "mean")]) == 2
    assert f"two: its {next(iter(header))}" in capsys.readouterr().err
    assert not (tmp_path / "mean" / "weights.safetensors").exists()


def test_a_run_without_manifest_is_one_clear_error(tmp_path, capsys):
    runs = [run(tmp_path / "one", 1), run(tmp_path / "two", 2)]
    (tmp_path / "two" / "manifest.json").unlink()
    assert main([*runs, "--out", str(tmp_path / "mean")]) == 2
    assert "two: cannot read its manifest.json" in capsys.readouterr().err
