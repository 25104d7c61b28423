"""Small but real model versions for tests."""

import json
from functools import cache
from pathlib import Path
from shutil import copyfile

import numpy as np
import torch
import yaml
from safetensors.torch import save

from core.calibrate.familiarity import FamiliarityReference
from core.domain.errors import ModelNotFoundError
from core.domain.model_version import ModelVersion
from core.engine.appearance import N_STAGES
from core.engine.look_features import FEATURES
from core.engine.network import IndicationNetwork, NetworkConfig
from core.engine.second_stage import LOOKS, Layer, Look, Reliability, SecondStage
from core.registry.artefact import FAMILIARITY, file_sha256, read_artefact

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
    score_spread: float | None = None,
    weights: Path | None = None,
    groups: dict[str, object] | None = None,
) -> Path:
    """An artefact folder with a random tiny network, different for each seed.

    With a `score_spread` of about 1 (the deviation of its logits) it reports boxes of every score on noise.
    With `weights`, the artefact has these, of a network that was trained.
    With `groups`, it has a second stage.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if weights is None:
        content = _random_weights(TINY, seed, polarity, score_spread)
        (folder / "weights.safetensors").write_bytes(content)
    else:
        copyfile(weights, folder / "weights.safetensors")
    about = {
        "name": name,
        "polarity": polarity,
        "data_notice": "simulated",
        "recipe": "tiny",
        "weights_sha256": file_sha256(folder / "weights.safetensors"),
        "evaluation": [
            {"on": "nothing", "ap50": 0.25, "n_images": 3, "class_aware": False, "ap50_ci": [0.1, 0.4]}
        ],
    }
    (folder / "card.yaml").write_text(yaml.safe_dump(about | (card or {})))
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
    if groups is not None:
        (folder / "groups.json").write_text(json.dumps(groups))
    return folder


def write_familiarity(folder: Path, *, limit: float) -> Path:
    """The folder, now with a reference of its tiny network: what is farther than `limit` is strange.

    Every image is at a distance above 0 and below 100.
    """
    n = sum(TINY.widths[:N_STAGES])
    examples = np.zeros((1, n), np.float32)
    weights = file_sha256(folder / "weights.safetensors")
    found = FamiliarityReference(weights, examples[0], examples[0] + 1, examples, limit, {"n_parts": 1})
    (folder / FAMILIARITY).write_text(found.to_json(), encoding="utf-8")
    return folder


@cache
def _random_weights(network: NetworkConfig, seed: int, polarity: str, score_spread: float | None) -> bytes:
    """The weights file; kept, because making one takes longer than most tests."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        made = IndicationNetwork(network)
        if score_spread is not None:
            _spread_scores(made.eval(), score_spread)
    tensors = {name: tensor.contiguous() for name, tensor in made.state_dict().items()}
    return save(tensors, metadata={"network": network.to_json(), "polarity": polarity})


def _spread_scores(network: IndicationNetwork, deviation: float) -> None:
    with torch.no_grad():
        noise = torch.rand(1, 1, 128, 128)
        now = network(noise)[1].score_logit.std()
        network.score.weight *= deviation / now
        network.score.bias += -2.0 - network(noise)[1].score_logit.mean()


def second_stage(look: str = "crack", *, operating_share: float = 1.0) -> dict[str, object]:
    """The content of a second stage that says the same look of everything, nine times in ten."""
    logits = np.where(
        np.array([one.value for one in LOOKS]) == look, np.log(0.9), np.log(0.1 / (len(LOOKS) - 1))
    )
    return SecondStage(
        np.zeros(len(FEATURES)),
        np.ones(len(FEATURES)),
        (Layer(np.zeros((len(FEATURES), len(LOOKS))), logits),),
        Reliability(1.0, 0.0),
        Reliability(1.0, 0.0),
        least_group=0.6,
        least_type=0.6,
        fitted_on="nothing",
        operating_shares={Look(look).group.value: operating_share},
    ).to_dict()


class FolderModels:
    """A source of models that knows one artefact folder, as version 1 and champion of its name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def resolve(
        self, name: str, *, version: int | None = None, alias: str = "champion"
    ) -> tuple[ModelVersion, Path]:
        """The version and its folder."""
        artefact = read_artefact(self._folder)
        if name != artefact.name or version not in (None, 1) or alias != "champion":
            raise ModelNotFoundError(f"no {name} {version} {alias}")
        return artefact.as_version(1, ("champion",)), self._folder
