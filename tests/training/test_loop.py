import dataclasses
import json
import signal

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from core.domain.errors import DatasetError, JobCancelledError
from core.domain.radiograph import Polarity
from core.engine.detector import Detector, read_network
from core.engine.fusion import Fusion
from core.engine.network import MASK_PREFIX, NetworkConfig
from core.training.checkpoint import PART_BYTES, load_checkpoint, save_checkpoint
from core.training.logs import ConsoleJobLog, FileRunLog
from core.training.loop import RunSettings, train
from core.training.mask_target import OutlinedPiece, mask_target
from core.training.recipe import Recipe, Schedule, SimulatedSource
from tests.training.conftest import make_image


class Quiet:
    """A job log that only remembers, and cancels once `stop_at` is reached."""

    def __init__(self, stop_at=None):
        self.seen = []
        self._stop_at = stop_at

    def progress(self, done, total, message):
        self.seen.append((done, total))

    def is_cancelled(self):
        return self._stop_at is not None and bool(self.seen) and self.seen[-1][0] >= self._stop_at


def recipe(steps, **changes):
    schedule = {"steps": steps, "batch": 2, "crop_px": 64, "warmup_steps": 5, "learning_rate": 3e-3}
    return Recipe(
        model="weld",
        title="test",
        polarity=Polarity.FILM,
        sources=(SimulatedSource(1, 0),),
        schedule=Schedule(**{**schedule, **changes}),
        network=NetworkConfig(stem_width=8, widths=(8, 8, 8, 8), channels=8, head_convolutions=1),
    )


@pytest.fixture
def images():
    return [make_image(seed) for seed in range(3)]


def test_training_lowers_the_loss_and_writes_usable_weights(tmp_path, images):
    job = Quiet()
    path = train(recipe(150), images, RunSettings(tmp_path), FileRunLog(tmp_path), job)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    figures = [line for line in lines if "step" in line]
    assert lines[0]["parameters"]["n_images"] == 3
    assert figures[-1]["box"] < figures[0]["box"]
    assert job.seen[-1] == (150, 150)
    assert Detector.load(path).polarity is Polarity.FILM
    header = read_network(path)[1]
    assert int(header["crop_px"]) == recipe(150).schedule.crop_px
    assert header["tiles"] == "bands"


def test_a_resumed_run_ends_as_an_uninterrupted_one(tmp_path, images, monkeypatch):
    monkeypatch.setattr("core.training.loop.CHECKPOINT_EVERY", 10)
    monkeypatch.setattr("core.training.loop.REPORT_EVERY", 10)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    reference = train(recipe(30), images, RunSettings(whole), FileRunLog(whole), Quiet())
    with pytest.raises(JobCancelledError, match="resume"):
        train(recipe(30), images, RunSettings(parts), FileRunLog(parts), Quiet(stop_at=10))
    resumed = train(recipe(30), images, RunSettings(parts, resume=True), FileRunLog(parts), Quiet())
    for name, tensor in load_file(reference).items():
        torch.testing.assert_close(load_file(resumed)[name], tensor, rtol=1e-2, atol=1e-3)


def test_fine_tuning_starts_from_the_given_weights(tmp_path, images):
    base = train(recipe(1), images, RunSettings(tmp_path), FileRunLog(tmp_path), Quiet())
    base = base.rename(tmp_path / "base.safetensors")
    again = dataclasses.replace(recipe(1, learning_rate=0.0), initial_weights="base.safetensors", seed=9)
    tuned = train(again, images, RunSettings(tmp_path, root=tmp_path), FileRunLog(tmp_path), Quiet())
    before, after = load_file(base), load_file(tuned)
    torch.testing.assert_close(after["score.weight"], before["score.weight"])


def test_a_start_in_the_other_polarity_sees_the_negative_alike(tmp_path, images):
    base = train(recipe(1), images, RunSettings(tmp_path), FileRunLog(tmp_path), Quiet())
    base = base.rename(tmp_path / "base.safetensors")
    other = dataclasses.replace(
        recipe(1, learning_rate=0.0), polarity=Polarity.DIGITAL, initial_weights=base.name
    )
    turned = train(other, images, RunSettings(tmp_path, root=tmp_path), FileRunLog(tmp_path), Quiet())
    image = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    first = read_network(base)[0].backbone.stem[0](image - 0.5)
    torch.testing.assert_close(read_network(turned)[0].backbone.stem[0](0.5 - image), first)


def test_classes_of_another_model_are_not_carried_over(tmp_path, images):
    base = train(recipe(60), images, RunSettings(tmp_path), FileRunLog(tmp_path), Quiet())
    base = base.rename(tmp_path / "base.safetensors")
    heads = {}
    for model in ("weld", "casting"):
        again = dataclasses.replace(
            recipe(1, learning_rate=0.0), model=model, initial_weights=base.name, seed=9
        )
        tuned = train(again, images, RunSettings(tmp_path, root=tmp_path), FileRunLog(tmp_path), Quiet())
        heads[model] = load_file(tuned)["classes.bias"].abs().max().item()
    assert heads["casting"] == 0 < heads["weld"]


@pytest.fixture
def outlined(images):
    """The images, each with its bright rectangle outlined."""
    found = []
    for image in images:
        x1, y1, x2, y2 = (int(v) for v in image.boxes[0])
        piece = OutlinedPiece((x1, y1), np.ones((y2 - y1, x2 - x1), np.bool_))
        found.append(dataclasses.replace(image, mask=mask_target(image.pixels.shape, [piece])))
    return found


def with_mask(made, base=None, **changes):
    return dataclasses.replace(
        made,
        network=dataclasses.replace(made.network, has_mask=True),
        schedule=dataclasses.replace(made.schedule, **changes),
        initial_weights=base,
    )


def test_a_mask_head_learns_the_outlines_of_a_few_images(tmp_path, outlined):
    made = with_mask(recipe(160, flaw_share=1.0, ema_decay=0.9, learning_rate=1e-2))
    path = train(made, outlined, RunSettings(tmp_path), FileRunLog(tmp_path), Quiet())
    network, _ = read_network(path)
    image = outlined[0].pixels.astype(np.float32)[:192, :288]
    with torch.no_grad():
        found = network.outline(torch.from_numpy(image)[None, None])[0, 0].sigmoid().numpy() > 0.5
    wanted = outlined[0].mask.is_flaw[:192:2, :288:2] > 0
    assert (found & wanted).sum() / (found | wanted).sum() > 0.8


def test_while_the_trunk_is_frozen_only_the_mask_head_learns(tmp_path, images, outlined):
    base = train(recipe(20), images, RunSettings(tmp_path), FileRunLog(tmp_path), Quiet())
    base = base.rename(tmp_path / "base.safetensors")
    made = with_mask(recipe(12), base.name, frozen_steps=12, is_norm_frozen=True, trunk_rate=1e-3)
    tuned = train(made, outlined, RunSettings(tmp_path, root=tmp_path), FileRunLog(tmp_path), Quiet())
    before, after = load_file(base), load_file(tuned)
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    assert {name for name in after if name not in before} == {n for n in after if n.startswith(MASK_PREFIX)}


@pytest.mark.parametrize("has_mask", [True, False])
def test_a_network_trained_on_keeps_the_fusion_of_its_start_with_its_mask_head(has_mask, tmp_path, outlined):
    start = with_mask(recipe(2))
    base = train(start, outlined, RunSettings(tmp_path), FileRunLog(tmp_path), Quiet())
    plain = Fusion((0.5, 0.5, 0, 0, 0), (1, 0, 0, 0, 0), (0, 1, 0, 0, 0))
    header = read_network(base)[1] | {"fusion": plain.to_json()}
    tensors = {n: t for n, t in load_file(base).items() if has_mask or not n.startswith(MASK_PREFIX)}
    shape = dataclasses.replace(start.network, has_mask=has_mask)
    save_file(tensors, tmp_path / "base.safetensors", header | {"network": shape.to_json()})
    made = dataclasses.replace(start, network=shape, initial_weights="base.safetensors")
    tuned = train(made, outlined, RunSettings(tmp_path, root=tmp_path), FileRunLog(tmp_path), Quiet())
    assert ("fusion" in read_network(tuned)[1]) is has_mask


def test_after_the_frozen_steps_the_trunk_learns_at_its_own_rate(tmp_path, images, outlined):
    base = train(recipe(20), images, RunSettings(tmp_path), FileRunLog(tmp_path), Quiet())
    base = base.rename(tmp_path / "base.safetensors")
    moved = {}
    for rate in (0.0, 1e-3):
        made = with_mask(recipe(12), base.name, frozen_steps=4, is_norm_frozen=True, trunk_rate=rate)
        tuned = train(made, outlined, RunSettings(tmp_path, root=tmp_path), FileRunLog(tmp_path), Quiet())
        before, after = load_file(base), load_file(tuned)
        moved[rate] = any(not torch.equal(after[name], tensor) for name, tensor in before.items())
        statistics = [name for name in before if name.endswith("running_mean")]
        assert all(torch.equal(after[name], before[name]) for name in statistics)
    assert moved == {0.0: False, 1e-3: True}


def test_a_stopped_run_with_two_rates_goes_on(tmp_path, outlined):
    made = with_mask(recipe(30), frozen_steps=5, trunk_rate=1e-3)
    settings = RunSettings(tmp_path, report_every=10, checkpoint_every=10)
    with pytest.raises(JobCancelledError):
        train(made, outlined, settings, FileRunLog(tmp_path), Quiet(stop_at=10))
    job = Quiet()
    train(made, outlined, dataclasses.replace(settings, resume=True), FileRunLog(tmp_path), job)
    assert job.seen == [(20, 30), (30, 30)]


def test_a_signal_cancels_a_console_run():
    handler = signal.getsignal(signal.SIGUSR1)
    try:
        job = ConsoleJobLog(stop_on=signal.SIGUSR1)
        assert not job.is_cancelled()
        signal.raise_signal(signal.SIGUSR1)
        assert job.is_cancelled()
    finally:
        signal.signal(signal.SIGUSR1, handler)


def test_checkpoints_come_in_small_parts_and_only_the_newest_stays(tmp_path):
    state = {"step": 1, "x": torch.randn(5_000_000)}
    save_checkpoint(tmp_path, state, 1)
    save_checkpoint(tmp_path, state | {"step": 2}, 2)
    parts = list(tmp_path.glob("checkpoint-*.part*"))
    assert len(parts) == 2
    assert all(p.stat().st_size <= PART_BYTES for p in parts)
    loaded = load_checkpoint(tmp_path)
    assert loaded["step"] == 2
    torch.testing.assert_close(loaded["x"], state["x"])


def test_a_lost_part_is_one_clear_error(tmp_path):
    save_checkpoint(tmp_path, {"step": 1}, 1)
    next(tmp_path.glob("*.part0")).unlink()
    with pytest.raises(DatasetError, match="lacks a part"):
        load_checkpoint(tmp_path)


def test_no_checkpoint_means_a_fresh_start(tmp_path):
    assert load_checkpoint(tmp_path) is None
