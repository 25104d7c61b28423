"""A training run without the rest of the product: `python -m core.training`.

SIGTERM stops it after the step at hand, with a checkpoint that `--resume` goes on from.
"""

import argparse
import logging
import signal
import sys
from dataclasses import replace
from functools import partial
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
from core.training.workers import SharedRun, train_on_this_machine

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
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes that share each step's crops evenly"
    )
    parser.add_argument(
        "--engine",
        choices=("local", "ray"),
        default="local",
        help="where workers run: this machine, or the Ray cluster that RAY_ADDRESS names, else a local one",
    )
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
    load = partial(load_images, recipe, options.data.resolve(), ROOT / "data" / "splits")
    images = load()
    refuse_faults(recipe, images, options.data, ROOT / "data" / "splits")
    write_manifest(options.out / "manifest.json", images)
    (options.out / "recipe.yaml").write_bytes(options.recipe.read_bytes())
    settings = RunSettings(
        options.out, options.device, options.resume, ROOT, checkpoint_every=options.checkpoint_every
    )
    if options.workers > 1 or options.engine == "ray":
        threads = options.threads or max(1, torch.get_num_threads() // options.workers)
        settings = replace(settings, out=options.out.resolve())
        return _shared(SharedRun(recipe, load, settings, threads), options)
    return train(recipe, images, settings, FileRunLog(options.out), ConsoleJobLog(stop_on=signal.SIGTERM))


def _shared(run: SharedRun, options: argparse.Namespace) -> Path:
    if options.engine == "local":
        return train_on_this_machine(run, options.workers)
    from core.training.ray_workers import train_on_ray  # Ray is optional

    return train_on_ray(run, options.workers)


if __name__ == "__main__":
    sys.exit(main())
