"""Small but real model versions for tests."""

import json
from pathlib import Path

import torch
import yaml
from safetensors.torch import save_file

from core.engine.network import IndicationNetwork, NetworkConfig
from core.registry.artefact import file_sha256

TINY = NetworkConfig(stem_width=8, widths=(8, 8, 8, 8), channels=8, head_convolutions=1)


def write_artefact(
    folder: Path,
    *,
    name: str = "weld",
    seed: int = 0,
    polarity: str = "film",
    trained_on: tuple[str, ...] = ("aa" * 32,),
    card: dict[str, object] | None = None,
    calibration: dict[str, object] | None = None,
) -> Path:
    """An artefact folder with a random tiny network, different for each seed."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    network = IndicationNetwork(TINY)
    save_file(
        {k: v.contiguous() for k, v in network.state_dict().items()},
        folder / "weights.safetensors",
        metadata={"network": TINY.to_json(), "polarity": polarity},
    )
    content = {
        "name": name,
        "polarity": polarity,
        "data_notice": "simulated",
        "recipe": "tiny",
        "weights_sha256": file_sha256(folder / "weights.safetensors"),
        "evaluation": [
            {"on": "nothing", "ap50": 0.25, "n_images": 3, "class_aware": False, "ap50_ci": [0.1, 0.4]}
        ],
    }
    (folder / "card.yaml").write_text(yaml.safe_dump(content | (card or {})))
    record = {
        "method": "platt",
        "parameters": [1.0, 0.0],
        "score_cut": 0.05,
        "operating_probability": 0.5,
        "fitted_on": "nothing",
    }
    (folder / "calibration.json").write_text(json.dumps(record | (calibration or {})))
    images = [{"sha256": sha256, "file_name": f"{i}.png"} for i, sha256 in enumerate(trained_on)]
    (folder / "manifest.json").write_text(json.dumps({"images": images}))
    return folder
