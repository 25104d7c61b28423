"""A training run without the rest of the product: `python -m core.training`.

SIGTERM stops it after the step at hand, with a checkpoint that `--resume` goes on from.
"""

import argparse
import logging
import signal
import sys
from dataclasses import replace
from pathlib import Path

import torch

from core.labelling.split import members_of, read_split
from core.training.command import exit_code
from core.training.data_check import refuse_faults
from core.training.images import load_images
from core.training.logs import ConsoleJobLog, FileRunLog
from core.training.loop import RunSettings, train
from core.training.manifest import write_manifest
from core.training.recipe import read_recipe

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str] | None = None) -> int:
    """Exit code of the run: 0 done, 2 bad input."""
    parser = argparse.ArgumentParser(prog="python -m core.training", description=__doc__)
    parser.add_argument("--recipe", type=Path, required=True, help="recipe YAML")
    parser.add_argument("--data", type=Path, required=True, help="folder with the COCO files and images")
    parser.add_argument("--out", type=Path, required=True, help="folder for weights, log and checkpoints")
    parser.add_argument("--without", help="split file:part whose images this run must not see, for a fold")
    parser.add_argument("--resume", action="store_true", help="go on from the newest checkpoint in --out")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads, 0 for all")
    parser.add_argument("--checkpoint-every", type=int, metavar="N", help="steps between two checkpoints")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if options.threads:
        torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    return exit_code(lambda: _trained(options))


def _trained(options: argparse.Namespace) -> Path:
    recipe = read_recipe(options.recipe)
    if options.without:
        name, _, part = options.without.partition(":")
        parts = read_split(ROOT / "data" / "splits" / name)
        recipe = replace(recipe, excluded=tuple(members_of(parts, part)))
    images = load_images(recipe, options.data, ROOT / "data" / "splits")
    refuse_faults(recipe, images, options.data, ROOT / "data" / "splits")
    write_manifest(options.out / "manifest.json", images)
    (options.out / "recipe.yaml").write_bytes(options.recipe.read_bytes())
    settings = RunSettings(
        options.out, options.device, options.resume, ROOT, checkpoint_every=options.checkpoint_every
    )
    return train(recipe, images, settings, FileRunLog(options.out), ConsoleJobLog(stop_on=signal.SIGTERM))


if __name__ == "__main__":
    sys.exit(main())
