"""How fast and lean detection and its maps are on a CPU, beside torchvision. Writes benchmarks/detector.json.

Whatever is compared runs in turns (A B A B ...), so that other work on the machine slows both sides alike.
`wall` is what a user waits; `processor` is the processor time of this process, all threads, which other work
disturbs less. Ratios are ratios of medians. Film and loading run in processes of their own.
"""

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision
import yaml
from torch import Tensor
from torchvision.models.detection import FCOS, fasterrcnn_resnet50_fpn
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

from core.calibrate.calibrator import calibrator_from
from core.domain.detections import Detections, FloatArray
from core.domain.inspection import DetectionResult, HeatMap
from core.domain.model_version import ModelVersion
from core.engine.detector import SCORE_FLOOR, Detector
from core.engine.network import NetworkOutput
from core.evaluate.coco_average_precision import MAX_DETECTIONS, LabelledBoxes, coco_average_precision
from core.explain.box_gradcam import explain_box
from core.imaging.encode import encode_png
from core.imaging.normalise import normalise
from core.imaging.read import read_radiograph, read_radiograph_file
from core.labelling.coco import read_coco
from core.registry.artefact import read_artefact
from core.services.inference.detecting import DetectService
from core.services.inference.explaining import ExplainService
from core.setting_up import CHECKPOINTS
from core.simulate.config import SimulationConfig
from core.simulate.render import simulate_weld

RESULT = Path(__file__).with_name("detector.json")
ROOT = Path(__file__).resolve().parents[1]
REAL = ROOT.parent / "shared" / "gdxray"
HEIGHT_PX, WIDTH_PX = 572, 768
FILM_PX = (1300, 5000)
REPEATS = 9
USERS = 10
BOXES = 10


def checkpoint(name: str) -> Path:
    """The newest version of a model that is there."""
    return sorted(CHECKPOINTS.glob(f"{name}-v*"))[-1]


class EagerDetector(Detector):
    """The same weights and decoding, with the network as it was trained: float32, nothing folded."""

    def _predict(self, views: Tensor) -> NetworkOutput:
        return self.network.predict(views.float())


class Shipped:
    """A source of the newest checkpoints, each as version 1 and champion."""

    def resolve(
        self, name: str, *, version: int | None = None, alias: str = "champion"
    ) -> tuple[ModelVersion, Path]:
        """The version and its folder."""
        folder = checkpoint(name)
        return read_artefact(folder).as_version(1, ("champion",)), folder


def in_turns(works: dict[str, Callable[[], object]], repeats: int = REPEATS) -> dict[str, dict[str, float]]:
    """Median wall and processor time of each in ms, after one turn that does not count."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for turn in range(repeats + 1):
        for name, work in works.items():
            wall, processor = time.perf_counter(), time.process_time()
            work()
            if turn:
                times[name].append((time.perf_counter() - wall, time.process_time() - processor))
    return {
        name: {
            "wall_ms": round(statistics.median(w for w, _ in taken) * 1000, 1),
            "fastest_wall_ms": round(min(w for w, _ in taken) * 1000, 1),
            "processor_ms": round(statistics.median(p for _, p in taken) * 1000, 1),
        }
        for name, taken in times.items()
    }


def ratios(slow: dict[str, float], fast: dict[str, float]) -> dict[str, float]:
    """How many times faster the second is, by each kind of time."""
    return {key.removesuffix("_ms"): round(slow[key] / fast[key], 2) for key in slow}


def faster_rcnn() -> Callable[[Tensor], object]:
    """Torchvision's Faster R-CNN, which scales to the very size that the image has."""
    model = fasterrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, min_size=HEIGHT_PX, max_size=WIDTH_PX
    ).eval()
    return lambda image: model([image.expand(3, -1, -1)])


def fcos_resnet18() -> Callable[[Tensor], object]:
    """Torchvision's FCOS with its own head of 256 channels on a ResNet-18 with a pyramid."""
    backbone = resnet_fpn_backbone(
        backbone_name="resnet18",
        weights=None,
        trainable_layers=5,
        returned_layers=[2, 3, 4],
        extra_blocks=LastLevelP6P7(256, 256),
    )
    model = FCOS(backbone, num_classes=2, min_size=HEIGHT_PX, max_size=WIDTH_PX).eval()
    return lambda image: model([image.expand(3, -1, -1)])


@torch.inference_mode()
def against_torchvision(image: FloatArray) -> dict[str, Any]:
    """Whole detections of one image, from pixels to boxes."""
    weights = checkpoint("casting") / "weights.safetensors"
    ours, plain = Detector.load(weights), Detector.load(weights, dtype=torch.float32)
    halved = Detector.load(weights, dtype=torch.bfloat16)
    rivals = {"faster_rcnn_resnet50_fpn": faster_rcnn(), "fcos_resnet18_fpn": fcos_resnet18()}
    tensor = torch.from_numpy(image)[None]
    works: dict[str, Callable[[], object]] = {
        "ours": lambda: ours.detect(image),
        "ours_bfloat16": lambda: halved.detect(image),
        "ours_float32": lambda: plain.detect(image),
        **{name: (lambda run=run: run(tensor)) for name, run in rivals.items()},  # type: ignore[misc]
    }
    taken = in_turns(works)
    return {
        **taken,
        **{
            f"{rival}/{mine}": ratios(taken[rival], taken[mine])
            for rival in rivals
            for mine in ("ours", "ours_bfloat16", "ours_float32")
        },
    }


def casting_images() -> tuple[str, list[tuple[FloatArray, FloatArray]]] | None:
    """Real castings of the series that trained nothing: normalised image and recorded boxes of each."""
    if not (REAL / "castings.json").is_file():
        return None
    series = set(yaml.safe_load((ROOT / "data" / "splits" / "casting.yaml").read_text())["parts"]["test"])
    images = []
    for name in ("castings.json", "castings_clean.json"):
        for one in read_coco(REAL / name).images:
            if one.series in series:
                pixels = read_radiograph_file(REAL / one.file_name).pixels
                images.append((normalise(pixels), one.boxes))
    return f"GDXray castings, part test of data/splits/casting.yaml: {', '.join(sorted(series))}", images


def simulated_images() -> tuple[str, list[tuple[FloatArray, FloatArray]]]:
    """Simulated welds that trained nothing, where no real castings are at hand."""
    images = []
    for seed in range(9_100_000, 9_100_060):
        radiograph = simulate_weld(seed, SimulationConfig(height_px=HEIGHT_PX, width_px=WIDTH_PX))
        boxes = np.array([flaw.bbox for flaw in radiograph.truth], np.float32).reshape(-1, 4)
        images.append((normalise(radiograph.pixels), boxes))
    return "60 simulated welds, seeds from 9100000", images


def against_eager() -> dict[str, Any]:
    """AP50, and the decision "any box at the operating probability", as chosen and with eager float32."""
    real = casting_images()
    what, images = real or simulated_images()
    folder = checkpoint("casting" if real else "weld")
    record = read_artefact(folder).calibration
    calibrator = calibrator_from(record.method, record.parameters)
    cut = record.operating_probability
    detectors = {
        "ours": Detector.load(folder / "weights.safetensors"),
        "eager_float32": EagerDetector.load(folder / "weights.safetensors"),
    }
    found: dict[str, list[Detections]] = {name: [] for name in detectors}
    for image, _ in images:
        for name, detector in detectors.items():
            found[name].append(detector.detect(image))
    ap50 = {name: _ap50(images, found[name]) for name in detectors}
    is_sent = {
        name: np.array([bool((calibrator.probability(f.scores) >= cut).any()) for f in found[name]])
        for name in detectors
    }
    is_same = is_sent["ours"] == is_sent["eager_float32"]
    return {
        "images": what,
        "n_images": len(images),
        "n_boxes": int(sum(len(boxes) for _, boxes in images)),
        "model": folder.name,
        "operating_probability": cut,
        "ap50": {name: round(value, 5) for name, value in ap50.items()},
        "ap50_lost": round(ap50["eager_float32"] - ap50["ours"], 5),
        "same_decision_share": round(float(is_same.mean()), 4),
        "other_decisions": int((~is_same).sum()),
    }


def _ap50(images: Sequence[tuple[FloatArray, FloatArray]], found: Sequence[Detections]) -> float:
    labelled = [
        LabelledBoxes(
            truth=boxes,
            truth_labels=["indication"] * len(boxes),
            boxes=one.boxes[:MAX_DETECTIONS],
            labels=["indication"] * min(len(one), MAX_DETECTIONS),
            scores=one.scores[:MAX_DETECTIONS],
        )
        for (_, boxes), one in zip(images, found, strict=True)
    ]
    precision = coco_average_precision(labelled)
    assert precision is not None  # the images hold recorded boxes
    return float(precision[0])


def explain_all(service: ExplainService, result: DetectionResult) -> list[HeatMap]:
    """The maps of all detections; boxes of one view after each other, so that each view runs once."""
    views = [origin.view for origin in result.detections.origins]
    by_view = sorted(range(len(views)), key=lambda i: views.index(views[i]))
    return [service.explain(result, index) for index in by_view]


def maps() -> dict[str, Any]:
    """Maps of ten boxes through the service, nothing kept from before, beside one eager detection."""
    pixels = simulate_weld(7, SimulationConfig(height_px=HEIGHT_PX, width_px=WIDTH_PX)).pixels
    radiograph = read_radiograph(encode_png(pixels))
    service = DetectService(Shipped(), device="cpu")
    result = service.detect(radiograph, "simulated", model="weld", min_score=SCORE_FLOOR)
    first_boxes = type(result)(
        result.name,
        result.radiograph,
        result.model,
        result.detections.take(range(BOXES)),
        result.elapsed_ms,
        result.device,
        result.notes,
    )
    eager = EagerDetector.load(checkpoint("weld") / "weights.safetensors")
    image = normalise(pixels)
    taken = in_turns(
        {
            "eager_float32_detection": lambda: eager.detect(image),
            "all_maps": lambda: explain_all(ExplainService(service), first_boxes),
            "first_map": lambda: ExplainService(service).explain(first_boxes, 0),
            "one_map_alone": lambda: explain_box(eager, image, first_boxes.detections, 0),
        }
    )
    taken["all_maps/eager_float32_detection"] = ratios(taken["all_maps"], taken["eager_float32_detection"])
    return {"n_boxes": BOXES, **taken}


def users() -> dict[str, Any]:
    """Ten users through the service, all at once and one after the other; ms per image."""
    service = DetectService(Shipped(), device="cpu")
    config = SimulationConfig(height_px=HEIGHT_PX, width_px=WIDTH_PX)
    films = [read_radiograph(encode_png(simulate_weld(seed, config).pixels)) for seed in range(USERS)]

    def one(index: int) -> None:
        service.detect(films[index], "simulated", model="casting")

    def at_once() -> None:
        threads = [threading.Thread(target=one, args=(index,)) for index in range(USERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    taken = in_turns(
        {"one_after_the_other": lambda: [one(index) for index in range(USERS)], "at_once": at_once}
    )
    per_image = {name: {key: round(ms / USERS, 1) for key, ms in of.items()} for name, of in taken.items()}
    per_image["at_once/one_after_the_other"] = ratios(taken["at_once"], taken["one_after_the_other"])
    return {"n_users": USERS, **per_image}


def film_alone(pixels: Path) -> dict[str, Any]:
    """In a fresh process: loading, the first detection, a film's time, and how far memory grew."""
    image = normalise(np.load(pixels))
    before_mb = _memory_mb("VmRSS")
    start, processor = time.perf_counter(), time.process_time()
    detector = Detector.load(checkpoint("weld") / "weights.safetensors")
    ready = {"wall_ms": time.perf_counter() - start, "processor_ms": time.process_time() - processor}
    start = time.perf_counter()
    detector.detect(image[:HEIGHT_PX, :WIDTH_PX])
    first = time.perf_counter() - start
    cut = read_artefact(checkpoint("weld")).calibration.score_cut
    taken = in_turns(
        {
            "all_above_0.01": lambda: detector.detect(image),
            "all_above_the_cut": lambda: detector.detect(image, score_floor=cut),
        },
        7,
    )
    return {
        **taken,
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "grown_mb": round(_memory_mb("VmHWM") - before_mb),
        "model_ready": {key: round(value * 1000, 1) for key, value in ready.items()},
        "first_detection_768x572_ms": round(first * 1000, 1),
    }


def _memory_mb(field: str) -> float:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


def film() -> dict[str, Any]:
    """`film_alone` in a process that did nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.npy"
        np.save(path, simulate_weld(7, SimulationConfig(height_px=FILM_PX[0], width_px=FILM_PX[1])).pixels)
        ran = subprocess.run(
            [sys.executable, __file__, "--film", str(path)], check=True, capture_output=True, text=True
        )
    result: dict[str, Any] = json.loads(ran.stdout)
    return result


def main() -> None:
    """Measure and write."""
    if "OMP_WAIT_POLICY" not in os.environ:  # as `radikal` sets it; it is read when PyTorch loads
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"OMP_WAIT_POLICY": "PASSIVE"})
    if sys.argv[1:2] == ["--film"]:
        print(json.dumps(film_alone(Path(sys.argv[2]))))
        return
    image = normalise(simulate_weld(7, SimulationConfig(height_px=HEIGHT_PX, width_px=WIDTH_PX)).pixels)
    content: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads",
        "processor": torch.backends.cpu.get_cpu_capability() + f", {_processor_name()}",
        "format": Detector.load(checkpoint("weld") / "weights.safetensors").number_format,
        "versions": {m.__name__: m.__version__ for m in (torch, torchvision, np)},
        "omp_wait_policy": os.environ["OMP_WAIT_POLICY"],
        "repeats": REPEATS,
        "models": [checkpoint("weld").name, checkpoint("casting").name],
        "load_at_start": round(os.getloadavg()[0], 1),
    }
    content["detection_768x572"] = against_torchvision(image)
    content["precision"] = against_eager()
    content["film_5000x1300"] = film()
    content["maps_768x572"] = maps()
    content["users_768x572"] = users()
    content["load_at_end"] = round(os.getloadavg()[0], 1)
    RESULT.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(content, indent=1))


def _processor_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


if __name__ == "__main__":
    main()
