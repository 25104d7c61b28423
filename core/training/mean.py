"""`python -m core.training.mean RUN RUN [...] --out FOLDER`: one network from several runs of one beginning.

The mean of weights that were trained on from the same start by different recipes often does better than each
(Wortsman et al. 2022, "Model soups", arXiv 2203.05482) and costs nothing when it runs.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from core.domain.errors import ModelArtefactError
from core.engine.detector import read_network
from core.engine.tiling import TILES
from core.training.command import exit_code
from core.training.manifest import write_entries

_WEIGHTS, _MANIFEST = "weights.safetensors", "manifest.json"
#: Header fields of weights; those of one mean must agree where they are present.
_HEADER = ("network", "polarity", "model", "crop_px", TILES)


def average_runs(runs: Sequence[Path], out: Path) -> Path:
    """Write the mean of the runs' weights, and all that trained any of them as the manifest.

    Args:
        runs: folders with `weights.safetensors` and `manifest.json`.
        out: folder, made when it is not there.

    Returns:
        The path of the weights, fp16 safetensors.

    Raises:
        ModelArtefactError: when weights or manifest of a run are missing, or their networks differ.
    """
    out.mkdir(parents=True, exist_ok=True)
    header = _common_header([read_network(run / _WEIGHTS)[1] for run in runs], [run.name for run in runs])
    states = [load_file(run / _WEIGHTS) for run in runs]
    mean = {
        name: torch.stack([state[name].float() for state in states]).mean(0).half()
        if tensor.is_floating_point()
        else tensor
        for name, tensor in states[0].items()
    }
    write_entries(out / _MANIFEST, _all_images(runs))
    save_file(mean, out / _WEIGHTS, header)
    return out / _WEIGHTS


def _common_header(headers: Sequence[dict[str, str]], names: Sequence[str]) -> dict[str, str]:
    common: dict[str, str] = {}
    for header, name in zip(headers, names, strict=True):
        for key in _HEADER:
            said = header.get(key)
            if said is not None and common.setdefault(key, said) != said:
                raise ModelArtefactError(
                    f"{name}: its {key} {said} is not that of the other runs, {common[key]}"
                )
    return common


def _all_images(runs: Sequence[Path]) -> list[dict[str, Any]]:
    """The manifests' entries, each once, in their order."""
    found: dict[str, dict[str, Any]] = {}
    for run in runs:
        try:
            entries = json.loads((run / _MANIFEST).read_text(encoding="utf-8"))["images"]
        except (OSError, ValueError, KeyError) as error:
            raise ModelArtefactError(f"{run.name}: cannot read its {_MANIFEST}: {error}") from error
        found |= {json.dumps(entry, sort_keys=True): entry for entry in entries}
    return list(found.values())


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 done, 2 bad input."""
    parser = argparse.ArgumentParser(prog="python -m core.training.mean", description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+", help="folders of training runs")
    parser.add_argument("--out", type=Path, required=True, help="folder for weights and manifest")
    options = parser.parse_args(arguments)
    return exit_code(lambda: average_runs(options.runs, options.out))


if __name__ == "__main__":
    sys.exit(main())
