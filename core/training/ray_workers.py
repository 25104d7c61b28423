"""One training run shared by workers of a Ray cluster, through Ray Train.

When a worker dies, Ray Train ends the others and starts all of them again, on what is left of the cluster;
they go on from the newest checkpoint.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from typing import Any

from core.domain.errors import JobCancelledError, TrainingWorkerLostError
from core.engine.ray_session import ray_session
from core.training.checkpoint import forget_checkpoint
from core.training.logs import ConsoleJobLog
from core.training.together import Together
from core.training.workers import SharedRun, stoppable

#: The workers are started again so often.
_MOST_DEATHS = 3
_TOLD_EVERY_S = 2.0


def train_on_ray(run: SharedRun, n_workers: int) -> Path:
    """Train with so many workers of the cluster; the path of the weights. SIGTERM stops with a checkpoint.

    The cluster is the one that `RAY_ADDRESS` names, else a new one on this machine for as long as this takes.
    Each worker takes one CPU, or one GPU where the device of the run is "cuda".

    Raises:
        ConfigurationError: Ray is not installed.
        JobCancelledError: the run was stopped.
        TrainingWorkerLostError: workers died too often, or failed.
    """
    kept = run.settings.out / "ray"
    with ray_session():
        from ray.train import FailureConfig, RunConfig, ScalingConfig, TrainingFailedError
        from ray.train.torch import TorchConfig, TorchTrainer

        if not run.settings.resume:
            forget_checkpoint(run.settings.out)
        try:
            with stoppable(run.settings.out) as is_asked_to_stop, _told(run):
                TorchTrainer(
                    _take_part,
                    train_loop_config={"run": run},
                    torch_config=TorchConfig(backend=run.backend),
                    scaling_config=ScalingConfig(
                        num_workers=n_workers,
                        use_gpu=run.backend == "nccl",
                        resources_per_worker=None if run.backend == "nccl" else {"CPU": 1},
                    ),
                    run_config=RunConfig(
                        name="training",
                        storage_path=str(kept.resolve()),
                        failure_config=FailureConfig(max_failures=_MOST_DEATHS),
                    ),
                ).fit()
                if is_asked_to_stop():
                    raise JobCancelledError("stopped; --resume goes on from the checkpoint")
        except TrainingFailedError as error:
            raise TrainingWorkerLostError(
                f"the workers of the training died more than {_MOST_DEATHS} times: --resume goes on from the "
                f"checkpoint ({error})"
            ) from error
        finally:
            rmtree(kept, ignore_errors=True)
    return run.settings.out / "weights.safetensors"


@contextmanager
def _told(run: SharedRun) -> Iterator[None]:
    """While this lasts, the progress that the first worker wrote is drawn here: it runs somewhere else."""
    is_over, job_log, metrics = threading.Event(), ConsoleJobLog(), run.settings.out / "metrics.jsonl"

    def tell() -> None:
        drawn = metrics.stat().st_size if metrics.exists() else 0
        while not is_over.wait(_TOLD_EVERY_S):
            if metrics.exists() and metrics.stat().st_size > drawn:
                drawn = metrics.stat().st_size
                last = json.loads(metrics.read_text(encoding="utf-8").splitlines()[-1])
                if "step" in last:
                    job_log.progress(last["step"], run.recipe.schedule.steps, f"{last['seconds']:.0f} s")

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        is_over.set()
        teller.join()


def _take_part(config: dict[str, Any]) -> None:
    """What a worker does: from the newest checkpoint, where it or one before it wrote one."""
    import ray.train
    from ray.train.torch import get_device

    context, run = ray.train.get_context(), config["run"]
    again = replace(run, settings=replace(run.settings, resume=True))
    try:
        again.take_part(Together(context.get_world_rank(), context.get_world_size()), str(get_device()))
    except JobCancelledError:
        return  # to Ray Train a worker that raises has failed
