"""How long one radiograph takes, stage by stage, on this machine. Writes benchmarks/inspection.json.

Everything is measured in one run, after a warm-up, on simulated radiographs; medians of `REPEATS`.
"""

import json
import platform
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import torch
import torchvision

from core.engine.detector import Detector
from core.explain.box_gradcam import explain_box
from core.imaging.encode import encode_png
from core.imaging.normalise import normalise
from core.imaging.read import read_radiograph
from core.setting_up import CHECKPOINTS
from core.simulate.config import SimulationConfig
from core.simulate.render import simulate_weld

REPEATS = 7
RESULT = Path(__file__).with_name("inspection.json")
WEIGHTS = sorted(CHECKPOINTS.glob("weld-v*"))[-1] / "weights.safetensors"


def median_ms(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Median wall time of `work` in ms, after one call that does not count."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return round(statistics.median(times), 1)


def measure(height: int, width: int, detector: Detector) -> dict[str, float]:
    """The stages for one simulated radiograph of that size."""
    pixels = simulate_weld(7, SimulationConfig(height_px=height, width_px=width)).pixels
    data = encode_png(pixels)
    image = normalise(pixels)
    found = detector.detect(image)
    result = {
        "read_png_ms": median_ms(lambda: read_radiograph(data), 3),
        "normalise_ms": median_ms(lambda: normalise(pixels)),
        "detect_ms": median_ms(lambda: detector.detect(image)),
    }
    if len(found):
        result["one_map_ms"] = median_ms(lambda: explain_box(detector, image, found, 0), 3)
    return result


def main() -> None:
    """Measure and write."""
    start = time.perf_counter()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    detector = Detector.load(WEIGHTS, device=device)
    ready_ms = (time.perf_counter() - start) * 1000
    content = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads",
        "processor": cv2.getCPUFeaturesLine(),
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "versions": {m.__name__: m.__version__ for m in (torch, torchvision, np)},
        "model_ready_ms": round(ready_ms, 1),
        "768x572": measure(572, 768, detector),
        "5000x1300": measure(1300, 5000, detector),
    }
    RESULT.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(content, indent=1))


if __name__ == "__main__":
    main()
