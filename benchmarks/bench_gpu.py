"""How fast detection is on a GPU. Writes benchmarks/gpu.json; without a CUDA device it says so and ends."""

import json
import statistics
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision
from torch import Tensor

from core.engine.batching import WINDOW_S, MicroBatcher
from core.engine.detector import GPU_VIEWS_AT_ONCE, Detector, Request
from core.engine.network import NetworkOutput
from core.imaging.normalise import normalise
from core.setting_up import CHECKPOINTS
from core.simulate.config import SimulationConfig
from core.simulate.render import simulate_weld

RESULT = Path(__file__).with_name("gpu.json")
REPEATS = 50
USERS = 16
SCORE_FLOOR = 0.2


class EagerDetector(Detector):
    """The same weights and decoding, with the network as it was trained: float32, no graph."""

    def _predict(self, views: Tensor) -> NetworkOutput:
        return self.network.predict(views.float())


def in_turns(works: dict[str, Callable[[], object]], repeats: int = REPEATS) -> dict[str, float]:
    """Median wall time of each in ms, taken in turns, after three turns that do not count.

    Detections arrive in the memory of the host, so every call has waited for the device.
    """
    times: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(repeats + 3):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            if turn >= 3:
                times[name].append((time.perf_counter() - start) * 1000)
    return {name: round(statistics.median(taken), 2) for name, taken in times.items()}


def measure() -> dict[str, Any]:
    """Latency of one image, throughput of sixteen, a film, and sixteen users within a window."""
    weights = {
        name: sorted(CHECKPOINTS.glob(f"{name}-v*"))[-1] / "weights.safetensors"
        for name in ("casting", "weld")
    }
    ours, eager = (kind.load(weights["casting"], device="cuda") for kind in (Detector, EagerDetector))
    config = SimulationConfig(height_px=572, width_px=768)
    images = [normalise(simulate_weld(seed, config).pixels) for seed in range(USERS)]
    requests = [Request(image, SCORE_FLOOR) for image in images]
    film = normalise(simulate_weld(7, SimulationConfig(height_px=1300, width_px=5000)).pixels)
    weld = Detector.load(weights["weld"], device="cuda")
    batcher = MicroBatcher(ours.detect_many)

    def at_once() -> None:
        threads = [threading.Thread(target=batcher.submit, args=(request,)) for request in requests]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    one = in_turns(
        {
            "ours": lambda: ours.detect(images[0], score_floor=SCORE_FLOOR),
            "eager_float32": lambda: eager.detect(images[0], score_floor=SCORE_FLOOR),
        }
    )
    many = in_turns(
        {"batch": lambda: ours.detect_many(requests), "users_at_once": at_once}, max(REPEATS // 5, 3)
    )
    return {
        "one_768x572_ms": one | {"times_faster": round(one["eager_float32"] / one["ours"], 2)},
        "batch_of_16_768x572": {
            "images_per_s": round(len(requests) * 1000 / many["batch"], 1),
            "users_at_once_ms": many["users_at_once"],
            "window_ms": WINDOW_S * 1000,
        },
        "film_5000x1300_ms": in_turns({"film": lambda: weld.detect(film, score_floor=SCORE_FLOOR)}, 15)[
            "film"
        ],
        "peak_mb": round(torch.cuda.max_memory_allocated() / 2**20),
    }


def main() -> None:
    """Measure and write, where there is something to measure."""
    if not torch.cuda.is_available():
        print("no CUDA device: nothing was measured, nothing written")
        return
    content = {
        "date": datetime.now(UTC).date().isoformat(),
        "device": torch.cuda.get_device_name(),
        "versions": {m.__name__: m.__version__ for m in (torch, torchvision, np)},
        "views_at_once": GPU_VIEWS_AT_ONCE,
        "repeats": REPEATS,
        **measure(),
    }
    RESULT.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(content, indent=1))


if __name__ == "__main__":
    main()
