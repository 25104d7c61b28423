"""Runs that processes share, in two processes of this machine, and on Ray where it is installed."""

import dataclasses
import json
import os
import signal
import sys
import threading
import time
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
import psutil
import pytest
import torch
from safetensors.torch import load_file

from core.domain.errors import ConfigurationError, JobCancelledError, TrainingWorkerLostError
from core.engine.network import NetworkConfig
from core.training.checkpoint import load_checkpoint
from core.training.images import TrainingImage
from core.training.logs import FileRunLog
from core.training.loop import RunSettings, train
from core.training.mask_target import OutlinedPiece, mask_target
from core.training.recipe import Recipe
from core.training.together import Together
from core.training.workers import SharedRun, train_on_this_machine
from tests.training.conftest import make_image
from tests.training.test_loop import Quiet, recipe


@pytest.fixture(autouse=True)
def plain_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages that were tested in this process left themselves as its main module, which workers would run."""
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))


def three_images(*, are_outlined: bool) -> list[TrainingImage]:
    found = [make_image(seed) for seed in range(3)]
    if not are_outlined:
        return found
    masks = []
    for image in found:
        x1, y1, x2, y2 = (int(v) for v in image.boxes[0])
        piece = OutlinedPiece((x1, y1), np.ones((y2 - y1, x2 - x1), np.bool_))
        masks.append(mask_target(image.pixels.shape, [piece]))
    return [dataclasses.replace(image, mask=mask) for image, mask in zip(found, masks, strict=True)]


def shared(made: Recipe, folder: Path, **settings: object) -> SharedRun:
    folder.mkdir(exist_ok=True)
    load = partial(three_images, are_outlined=made.network.has_mask)
    return SharedRun(made, load, RunSettings(folder, in_float32=True, **settings))


def alone(made: Recipe, folder: Path, **settings: object) -> Path:
    run = shared(made, folder, **settings)
    return train(made, run.load(), run.settings, FileRunLog(folder), Quiet())


def figures(folder: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if "step" in line]


def assert_alike(mine: Path, theirs: Path) -> None:
    """Within what sums of another order make of the weights in half precision."""
    for name, tensor in load_file(theirs).items():
        torch.testing.assert_close(load_file(mine)[name], tensor, rtol=1e-2, atol=2e-3)


def test_two_processes_learn_what_one_learns_from_the_crops_of_both(tmp_path: Path) -> None:
    network = NetworkConfig(stem_width=8, widths=(8, 8, 8, 8), channels=8, head_convolutions=1, has_mask=True)
    made = dataclasses.replace(recipe(20, batch=4), network=network)
    one = alone(made, tmp_path / "one", report_every=10)
    two = train_on_this_machine(shared(made, tmp_path / "two", report_every=10), 2)
    assert_alike(two, one)
    for mine, theirs in zip(figures(tmp_path / "two"), figures(tmp_path / "one"), strict=True):
        for name in ("score", "box", "class", "mask", "overlap"):
            assert mine[name] == pytest.approx(theirs[name], rel=0.02)


def test_when_a_worker_is_killed_the_others_end_and_the_run_goes_on_from_the_same_step(
    tmp_path: Path,
) -> None:
    made = recipe(2_000, batch=4)
    run = shared(made, tmp_path / "run", checkpoint_every=10)
    killer = threading.Thread(target=_kill_last_child, args=(tmp_path / "run" / "checkpoint.index",))
    killer.start()
    with pytest.raises(TrainingWorkerLostError, match="--resume"):
        train_on_this_machine(run, 2)
    killer.join()
    reached = load_checkpoint(tmp_path / "run")["step"]
    assert reached >= 10
    assert reached % 10 == 0
    less = dataclasses.replace(made, schedule=dataclasses.replace(made.schedule, steps=reached + 2))
    again = dataclasses.replace(run, recipe=less, settings=dataclasses.replace(run.settings, resume=True))
    train_on_this_machine(again, 2)
    starts = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [line["parameters"]["first_step"] for line in starts if "parameters" in line] == [0, reached]
    assert load_checkpoint(tmp_path / "run")["step"] == reached + 2


def test_a_run_that_is_asked_to_stop_keeps_its_checkpoint(tmp_path: Path) -> None:
    run = shared(recipe(5_000, batch=4), tmp_path / "run", checkpoint_every=10)
    index = tmp_path / "run" / "checkpoint.index"
    thread = threading.Thread(target=_once, args=(index, lambda: os.kill(os.getpid(), signal.SIGTERM)))
    thread.start()
    with pytest.raises(JobCancelledError, match="--resume"):
        train_on_this_machine(run, 2)
    thread.join()
    assert load_checkpoint(tmp_path / "run")["step"] >= 10


def test_a_step_that_cannot_be_shared_evenly_is_refused(tmp_path: Path) -> None:
    run = shared(recipe(1, batch=4), tmp_path, together=Together(0, 3))
    with pytest.raises(ConfigurationError, match="3 workers cannot share a step of 4 crops"):
        train(run.recipe, run.load(), run.settings, FileRunLog(tmp_path), Quiet())


@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_on_ray_a_killed_worker_is_replaced_and_the_result_is_that_of_one_process(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install .[scale]")
    from core.training.ray_workers import train_on_ray

    made = recipe(20, batch=4)
    run = shared(made, tmp_path / "ray", checkpoint_every=10)
    killer = threading.Thread(target=_once, args=(tmp_path / "ray" / "checkpoint.index", _kill_ray_worker))
    killer.start()
    there = train_on_ray(run, 2)
    killer.join()
    starts = [json.loads(line) for line in (tmp_path / "ray" / "metrics.jsonl").read_text().splitlines()]
    first_steps = [line["parameters"]["first_step"] for line in starts if "parameters" in line]
    assert first_steps == [0, 10]
    assert_alike(there, alone(made, tmp_path / "one"))
    assert not (tmp_path / "ray" / "ray").exists()


def _once(path: Path, act: object) -> None:
    """Act when the file is there."""
    end = time.monotonic() + 120
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.005)
    act()


def _kill_last_child(index: Path) -> None:
    _once(index, lambda: _spawned()[-1].kill())


def _spawned() -> list[psutil.Process]:
    """The workers of this process, in the order that they were started."""
    workers = [one for one in psutil.Process().children() if "spawn_main" in " ".join(one.cmdline())]
    return sorted(workers, key=lambda one: one.pid)


def _kill_ray_worker() -> None:
    processes = psutil.process_iter(["cmdline"])
    [*_, last] = [one for one in processes if "RayTrainWorker" in " ".join(one.info["cmdline"] or ())]
    last.kill()
