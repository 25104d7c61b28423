"""How fast explanations are beside detection, and the memory of a film. Writes benchmarks/explanations.json.

    python -m benchmarks.bench_explanations
    python -m benchmarks.bench_explanations first GDXRAY

`first` measures the quick maps alone, each of boxes that nothing was made of before, on a casting and on a
simulated weld of 768x572 px, and writes the part `first_maps`.

What is compared runs in turns, so that other work on the machine slows both sides alike; `processor` is the
time of this process, all threads. Ratios are ratios of medians. Radiographs are simulated.
"""

import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from core.domain.explanation_standing import QUICK
from core.domain.explanations import METHOD_WORDS, Method
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
VERSION = "weld-v4"
FILM_PX = (1300, 5000)
REPEATS, BOXES, SEED = 3, 10, 9_100_000
#: Of `first`: size of the radiographs, boxes of each, and the casting.
FIRST_PX, FIRST_BOXES, CASTING = (572, 768), 7, "Castings/C0051/C0051_0028.png"


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


def first_maps(gdxray: Path) -> dict[str, Any]:
    """Seconds of the map of one box by each quick method, on boxes from the smallest to the largest."""
    weld = simulate_weld(SEED).pixels[: FIRST_PX[0], : FIRST_PX[1]]
    casting = cv2.imread(str(gdxray / CASTING), cv2.IMREAD_UNCHANGED)
    found = {
        "weld-v4": _first_maps("weld", "weld-v4", np.ascontiguousarray(weld)),
        "casting-v4": _first_maps("casting", "casting-v4", casting),
    }
    return {
        "load_before": [round(v, 1) for v in os.getloadavg()],
        "threads": torch.get_num_threads(),
        **found,
    }


def _first_maps(model: str, version: str, pixels: np.ndarray) -> dict[str, Any]:
    service = DetectService(OneModel(CHECKPOINTS / version, 0), device="cpu")
    radiograph = read_radiograph(encode_png(pixels), "first.png")
    result = service.detect(radiograph, "first.png", model=model, min_score=0.02)
    sides = result.detections.boxes[:, 2:] - result.detections.boxes[:, :2]
    by_size = np.argsort(sides.prod(axis=1))
    chosen = by_size[np.linspace(0, len(by_size) - 1, min(FIRST_BOXES, len(by_size))).round().astype(int)]
    seconds: dict[str, Any] = {"px": f"{pixels.shape[1]}x{pixels.shape[0]}"}
    for index in [int(chosen[0]), *chosen.tolist()]:  # the first time warms up and does not count
        actions = {
            METHOD_WORDS[one]: lambda i=index, m=one: ExplainService(service).explain(result, i, m)
            for one in QUICK
        }
        longer = f"box of {sides[index].max():.0f} px"
        seconds[longer] = in_turns(actions)
    return seconds


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


def add_first_maps(gdxray: Path) -> None:
    """Measure the quick maps and write them beside the rest."""
    report = json.loads(RESULT.read_text(encoding="utf-8"))
    report["first_maps"] = first_maps(gdxray)
    RESULT.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(report["first_maps"], indent=1))  # a script


if __name__ == "__main__":
    if sys.argv[1:2] == ["first"]:
        add_first_maps(Path(sys.argv[2]))
    else:
        main()
