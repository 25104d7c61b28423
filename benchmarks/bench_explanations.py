"""How fast explanations are beside detection, and the memory of a film. Writes benchmarks/explanations.json.

    python -m benchmarks.bench_explanations

What is compared runs in turns, so that other work on the machine slows both sides alike; `processor` is the
time of this process, all threads. Ratios are ratios of medians. Radiographs are simulated.
"""

import json
import os
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from core.domain.explanations import Method
from core.domain.inspection import DetectionResult
from core.engine.detector import Detector
from core.imaging.encode import encode_png
from core.imaging.read import read_radiograph
from core.services.inference.detecting import DetectService, normalised_for
from core.services.inference.explaining import ExplainService
from core.services.inference.without_it import WithoutItService
from core.services.lifecycle.releasing import OneModel
from core.setting_up import CHECKPOINTS
from core.simulate.render import simulate_weld

RESULT = Path(__file__).with_name("explanations.json")
VERSION = "weld-v3"
FILM_PX = (1300, 5000)
REPEATS, BOXES, SEED = 3, 10, 9_100_000


def result_of(service: DetectService, pixels: np.ndarray) -> DetectionResult:
    """The detections of the version on these pixels, film."""
    radiograph = read_radiograph(encode_png(pixels), "simulated.png")
    return service.detect(radiograph, "simulated.png", model="weld", min_score=0.02)


def in_turns(actions: dict[str, Callable[[], object]]) -> dict[str, dict[str, float]]:
    """Median seconds of each action, by the wall clock and of the processor, in turns after a warm-up."""
    wall: dict[str, list[float]] = {name: [] for name in actions}
    processor: dict[str, list[float]] = {name: [] for name in actions}
    for turn in range(REPEATS + 1):
        for name, action in actions.items():
            started = time.perf_counter(), time.process_time()
            action()
            if turn:
                wall[name].append(time.perf_counter() - started[0])
                processor[name].append(time.process_time() - started[1])
    return {
        name: {
            "wall_s": round(statistics.median(wall[name]), 3),
            "processor_s": round(statistics.median(processor[name]), 3),
        }
        for name in actions
    }


def main() -> None:
    """Measure and write."""
    service = DetectService(OneModel(CHECKPOINTS / VERSION, 0), device="cpu")
    result = result_of(service, simulate_weld(SEED).pixels)
    image = normalised_for(result.radiograph, result.model)
    detector = service.detector_for(result.model)
    eager = Detector(detector.network, detector.polarity, torch.device("cpu"), dtype=torch.float32)
    boxes = list(range(min(BOXES, len(result.detections))))
    sides = result.detections.boxes[:, 2:] - result.detections.boxes[:, :2]
    index = int(np.argsort(sides.prod(axis=1))[len(sides) // 2])

    def all_maps() -> object:
        explain = ExplainService(service)
        by_view = sorted(boxes, key=lambda n: str(result.detections.origins[n].view))
        return [explain.explain(result, number) for number in by_view]

    def all_methods() -> object:
        explain = ExplainService(service)
        return [explain.explain(result, index, method) for method in Method]

    seconds = in_turns(
        {
            "detection": lambda: service.detect(result.radiograph, "s.png", model="weld"),
            "eager_detection": lambda: eager.detect(image),
            "without_it": lambda: WithoutItService(service).without(result, index),
            "default_map": lambda: ExplainService(service).explain(result, index),
            "maps_of_all_boxes": all_maps,
            "all_methods_of_one_box": all_methods,
            "test_of_one_map": lambda: ExplainService(service).faithfulness(result, index, Method.GRADCAM),
        }
    )

    def ratio(one: str, other: str) -> float:
        return round(seconds[one]["processor_s"] / seconds[other]["processor_s"], 2)

    report: dict[str, Any] = {
        "version": VERSION,
        "cpus": os.cpu_count(),
        "load_before": [round(v, 1) for v in os.getloadavg()],
        "repeats": REPEATS,
        "boxes": len(boxes),
        "seconds": seconds,
        "ratios_of_processor_time": {
            "without_it_to_detection": ratio("without_it", "detection"),
            "default_map_to_detection": ratio("default_map", "detection"),
            "maps_of_all_boxes_to_eager_detection": ratio("maps_of_all_boxes", "eager_detection"),
            "all_methods_of_one_box_to_detection": ratio("all_methods_of_one_box", "detection"),
        },
        "film": film(service),
    }
    RESULT.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=1))  # a script


def film(service: DetectService) -> dict[str, Any]:
    """Peak memory that explaining adds to detecting on a film of 5000 x 1300 px, MiB of this process."""
    pixels = cv2.resize(simulate_weld(SEED + 1).pixels, FILM_PX[::-1], interpolation=cv2.INTER_LINEAR)
    result = result_of(service, pixels)
    before = _peak_mib()
    started = time.perf_counter()
    without = WithoutItService(service).without(result, 0)
    without_s = time.perf_counter() - started
    ExplainService(service).explain(result, 0)
    ExplainService(service).explain(result, 0, Method.INTEGRATED)
    return {
        "boxes": len(result.detections),
        "box_px": [
            round(float(side)) for side in result.detections.boxes[0][2:] - result.detections.boxes[0][:2]
        ],
        "without_it_wall_s": round(without_s, 3),
        "verdict": without.verdict.value,
        "peak_before_mib": before,
        "peak_after_mib": _peak_mib(),
    }


def _peak_mib() -> int:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
