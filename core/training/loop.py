"""The training loop."""

import copy
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset

from core.domain.errors import ConfigurationError, JobCancelledError
from core.domain.ports import JobLog, RunLog
from core.domain.radiograph import Polarity
from core.engine.detector import read_network
from core.engine.network import (
    FIRST_WEIGHTS,
    MASK_PREFIX,
    IndicationNetwork,
    NetworkOutput,
    count_parameters,
    load_state,
)
from core.engine.precision import fast_dtype
from core.engine.tiling import BANDS, TILES
from core.imaging.normalise import is_inverted
from core.training.averaging import WeightAverage
from core.training.checkpoint import load_checkpoint, save_checkpoint
from core.training.crops import Batch, CropDataset, collate
from core.training.images import TrainingImage
from core.training.losses import detection_loss
from core.training.mask_loss import mask_loss
from core.training.mining import mined_places
from core.training.optimiser import make_optimiser, set_rate
from core.training.recipe import Recipe
from core.training.together import ALONE, Together, share_norms

log = logging.getLogger(__name__)
REPORT_EVERY = 50
CHECKPOINT_EVERY = 500
_GRADIENT_LIMIT = 5.0


@dataclass(frozen=True, slots=True)
class RunSettings:
    """Place, device and pace of a run; nothing that changes its result on one device.

    Attributes:
        out: folder of weights, logs and checkpoints.
        device: "cpu" or "cuda".
        resume: continue from the newest checkpoint in `out`.
        root: `initial_weights` are relative to this folder.
        report_every: steps between two reports; None takes `REPORT_EVERY`.
        checkpoint_every: steps between two checkpoints; None takes `CHECKPOINT_EVERY`.
        budget_s: the run ends after so many seconds of training, over all resumes; None trains all steps.
        validate: figures of the averaged network on what never trains, asked for with every report.
        together: this process among those that train; each takes its share of the crops of a step.
        in_float32: compute in float32 where bfloat16 would be faster. In bfloat16 what is summed in another
            order, as by several processes, differs by some per cent of the loss after a few steps.
    """

    out: Path
    device: str = "cpu"
    resume: bool = False
    root: Path = Path()
    report_every: int | None = None
    checkpoint_every: int | None = None
    budget_s: float | None = None
    validate: Callable[[nn.Module], Mapping[str, float]] | None = None
    together: Together = ALONE
    in_float32: bool = False


def train(
    recipe: Recipe, images: list[TrainingImage], settings: RunSettings, run_log: RunLog, job_log: JobLog
) -> Path:
    """Train by the recipe; the path of the averaged weights (fp16 safetensors).

    Processes that train together all call this: the first one reads and writes the folder and its logs.

    Raises:
        ConfigurationError: the crops of a step cannot be shared evenly by the processes.
        JobCancelledError: when the job log says so; the checkpoint stays.
    """
    together = settings.together
    if recipe.schedule.batch % together.count:
        raise ConfigurationError(
            f"{together.count} workers cannot share a step of {recipe.schedule.batch} crops evenly: take a "
            "number that divides it"
        )
    torch.manual_seed(recipe.seed)
    device = torch.device(settings.device)
    network = _initial_network(recipe, settings).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's overloads lack this pair
    share_norms(network, together)
    average = WeightAverage(network, recipe.schedule.ema_decay)
    optimiser = make_optimiser(network, recipe.schedule)
    mined = _mined(recipe, images, network, settings)
    start, spent_before = _restore(settings, network, average, optimiser)
    run_log.parameters(
        {"model": recipe.model, "title": recipe.title, "recipe": json.dumps(recipe.to_dict(), default=str),
         "device": str(device), "torch": torch.__version__, "n_images": len(images),
         "n_parameters": count_parameters(network), "first_step": start}
    )  # fmt: skip
    dtype = None if settings.in_float32 else fast_dtype(device)
    step, began, sums, n_summed = start, time.monotonic(), dict[str, float](), 0
    report_every = settings.report_every or REPORT_EVERY
    checkpoint_every = settings.checkpoint_every or CHECKPOINT_EVERY
    for batch in _batches(images, recipe, start, mined, together):
        set_rate(optimiser, recipe.schedule, step)
        is_trunk_frozen = step < recipe.schedule.frozen_steps
        parts = _step(
            network, optimiser, batch, device, together, dtype=dtype, is_trunk_frozen=is_trunk_frozen
        )
        average.update(network, step)
        step += 1
        sums, n_summed = {name: sums.get(name, 0.0) + value for name, value in parts.items()}, n_summed + 1
        spent = spent_before + time.monotonic() - began
        is_over = settings.budget_s is not None and spent > settings.budget_s
        is_over, is_cancelled = _agreed(together, is_over, job_log.is_cancelled())
        is_last = step == recipe.schedule.steps or is_over
        is_stopped = is_cancelled and not is_last
        if step % report_every == 0 or is_last:
            figures = {name: value / n_summed for name, value in sums.items()}
            run_log.metrics(step, figures | {"seconds": spent} | _validated(settings, average))
            job_log.progress(step, recipe.schedule.steps, f"loss {sum(figures[n] for n in parts):.3f}")
            sums, n_summed = {}, 0
        if step % checkpoint_every == 0 or is_last or is_stopped:
            _save(settings, network, average, optimiser, step, spent)
        if is_stopped:
            raise JobCancelledError(f"stopped at step {step}; resume to continue from there")
        if is_last:
            break
    path = settings.out / "weights.safetensors"
    if together.is_first:
        write_weights(path, average.average, recipe, _fusion_of_start(recipe, settings))
    return path


def write_weights(path: Path, network: nn.Module, recipe: Recipe, fusion: str | None = None) -> Path:
    """Write the network's weights in fp16; the header holds its shape, polarity and the side of its crops.

    Args:
        path: of the file.
        network: as it ships.
        recipe: that trained it.
        fusion: of boxes and outlines, as the header holds it; None without one.
    """
    tensors = {
        name: (t.half() if t.is_floating_point() else t).cpu().contiguous()
        for name, t in network.state_dict().items()
    }
    metadata = {
        "network": recipe.network.to_json(),
        "polarity": recipe.polarity.value,
        "model": recipe.model,
        "crop_px": str(recipe.schedule.crop_px),
        TILES: BANDS,
    }
    if fusion is not None:
        metadata["fusion"] = fusion
    save_file(tensors, path, metadata)
    return path


def _initial_network(recipe: Recipe, settings: RunSettings) -> IndicationNetwork:
    network = IndicationNetwork(recipe.network)
    if recipe.initial_weights is not None:
        base, header = read_network(settings.root / recipe.initial_weights)
        load_state(network, _carried_over(base, header, network, recipe))
    network.train()
    if recipe.schedule.is_norm_frozen:
        for name, module in network.named_modules():
            if isinstance(module, nn.BatchNorm2d) and not name.startswith(MASK_PREFIX):
                module.eval()
    return network


def _fusion_of_start(recipe: Recipe, settings: RunSettings) -> str | None:
    """The fusion of the initial weights: a network trained on keeps it, else it would draw nothing."""
    if recipe.initial_weights is None or not recipe.network.has_mask:
        return None
    return read_network(settings.root / recipe.initial_weights)[1].get("fusion")


def _mined(
    recipe: Recipe, images: list[TrainingImage], network: IndicationNetwork, settings: RunSettings
) -> dict[int, npt.NDArray[np.float32]]:
    """False reports of the network that the run starts from; {} when the recipe asks for none."""
    if not recipe.schedule.mined_share:
        return {}
    start = copy.deepcopy(network).eval()
    found = settings.together.first(
        lambda: mined_places(settings.out, images, start, recipe.polarity, settings.device)
    )
    log.info("mined %d places on %d images", sum(len(boxes) for boxes in found.values()), len(found))
    return found


def _carried_over(
    base: IndicationNetwork, header: Mapping[str, str], network: IndicationNetwork, recipe: Recipe
) -> dict[str, torch.Tensor]:
    """The weights to start from: those of `base`, seen in the recipe's polarity.

    The first convolution has no bias and works on grey values around zero, so its negative sees the negative
    image alike. The classes of another model mean nothing here; the class head starts afresh, and so does a
    mask head that `base` does not have.
    """
    tensors = base.state_dict()
    if is_inverted(Polarity(header.get("polarity", "unknown")), recipe.polarity):
        tensors[FIRST_WEIGHTS] = -tensors[FIRST_WEIGHTS]
    if header.get("model") != recipe.model:
        tensors |= {name: t for name, t in network.state_dict().items() if name.startswith("classes.")}
    if base.mask is None:
        tensors |= {name: t for name, t in network.state_dict().items() if name.startswith(MASK_PREFIX)}
    return tensors


def _batches(
    images: list[TrainingImage],
    recipe: Recipe,
    start: int,
    mined: Mapping[int, npt.NDArray[np.float32]],
    together: Together,
) -> DataLoader[Any]:
    """The crops of each step that this process takes; all together take those that one process would."""
    crops = CropDataset(images, recipe.schedule, recipe.seed, mined)
    share = recipe.schedule.batch // together.count
    firsts = range(start * recipe.schedule.batch + together.rank * share, len(crops), recipe.schedule.batch)
    remaining = Subset(crops, [number for first in firsts for number in range(first, first + share)])
    return DataLoader(
        remaining,
        batch_size=share,
        collate_fn=collate,
        num_workers=recipe.schedule.workers,
        persistent_workers=recipe.schedule.workers > 0,
    )


def _step(
    network: IndicationNetwork,
    optimiser: torch.optim.Optimizer,
    batch: Batch,
    device: torch.device,
    together: Together,
    *,
    dtype: torch.dtype | None,
    is_trunk_frozen: bool,
) -> dict[str, float]:
    """One optimiser step; the parts of the loss."""
    parts = _losses(network, batch, device, together, dtype=dtype, is_trunk_frozen=is_trunk_frozen)
    optimiser.zero_grad(set_to_none=True)
    torch.stack(list(parts.values())).sum().backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    together.add_gradients(network)
    nn.utils.clip_grad_norm_(network.parameters(), _GRADIENT_LIMIT)
    optimiser.step()
    values = together.total(torch.stack([value.detach() for value in parts.values()]))
    return dict(zip(parts, values.tolist(), strict=True))


def _agreed(together: Together, *told: bool) -> list[bool]:
    """Whether any process was told each of these: all go on, or none."""
    return [bool(n) for n in together.total(torch.tensor([int(one) for one in told])).tolist()]


def _losses(
    network: IndicationNetwork,
    batch: Batch,
    device: torch.device,
    together: Together,
    *,
    dtype: torch.dtype | None,
    is_trunk_frozen: bool,
) -> dict[str, Tensor]:
    """The parts of the loss: of the mask head alone while all else is frozen."""
    pixels = batch.images.to(device, memory_format=torch.channels_last)
    with torch.autocast(device.type, dtype or torch.bfloat16, enabled=dtype is not None):
        if is_trunk_frozen:
            output = NetworkOutput([], network.outline(pixels, is_trunk_frozen=True))
        else:
            output = network.predict(pixels)
    parts: dict[str, Tensor] = {}
    if output.levels:
        known = (batch.boxes, batch.class_ids, batch.is_ignored)
        on_device = ([t.to(device) for t in items] for items in known)
        parts |= detection_loss(output.levels, *on_device, together=together)
    if output.mask_logit is not None and batch.masks is not None:
        parts |= mask_loss(output.mask_logit, batch.masks.to(device), together)
    return parts


def _validated(settings: RunSettings, average: WeightAverage) -> dict[str, float]:
    return dict(settings.validate(average.average)) if settings.validate is not None else {}


def _save(
    settings: RunSettings,
    network: nn.Module,
    average: WeightAverage,
    optimiser: torch.optim.Optimizer,
    step: int,
    spent_s: float,
) -> None:
    if not settings.together.is_first:
        return
    state = {
        "step": step,
        "spent_s": spent_s,
        "network": network.state_dict(),
        "average": average.average.state_dict(),
        "optimiser": optimiser.state_dict(),
    }
    save_checkpoint(settings.out, state, step)


def _restore(
    settings: RunSettings, network: nn.Module, average: WeightAverage, optimiser: torch.optim.Optimizer
) -> tuple[int, float]:
    """The step to go on from and the seconds spent until there, 0 for a fresh run."""
    state = settings.together.first(lambda: load_checkpoint(settings.out)) if settings.resume else None
    if state is None:
        return 0, 0.0
    network.load_state_dict(state["network"])
    average.average.load_state_dict(state["average"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"]), float(state.get("spent_s", 0.0))
