"""Measuring how far the explanations of a model version can be believed."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from core.domain.detections import FloatArray
from core.domain.errors import LeakError
from core.domain.explanations import Baseline, Faithfulness, Method
from core.domain.inspection import HeatMap
from core.domain.model_version import ModelVersion
from core.domain.ports import ModelSource
from core.domain.radiograph import Polarity
from core.explain.box_view import BoxView
from core.explain.faithfulness import FaithfulnessTest
from core.explain.methods import explain_by
from core.explain.perturbation import REFERENCE_MASKS, explain_box_perturbed
from core.explain.randomised import randomised
from core.explain.window_maps import on_window, rank_correlation
from core.labelling.coco import read_coco
from core.registry.seen import seen_by
from core.services.evaluation.explain_sample import SampledBox, sample_boxes
from core.services.evaluation.explain_summary import summarise_methods, summarise_without
from core.services.evaluation.recorded_images import count_trained_on, select_images
from core.services.inference.detecting import DetectService, normalised_for
from core.services.inference.without_it import WithoutItService, seed_of

#: (what, done, in all)
Progress = Callable[[str, int, int], None]
#: Told of the figures so far after every so many boxes, which come in a random order.
Figures = Callable[[dict[str, Any]], None]
_TOLD_EVERY = 25
#: The map that no method may be as good as, in the suite under this name.
DRAWN = "gaussian"


@dataclass(frozen=True, slots=True)
class ExplainPlan:
    """How much is measured.

    Attributes:
        boxes: stratified by kind, size and class.
        masks: of the perturbation on each box.
        references: boxes with a reference of `reference_masks`.
        reference_masks: of the reference.
        randomised: boxes whose maps are made with drawn weights.
        methods: that are measured.
        seed: of sampling, masks, fills and draws.
    """

    boxes: int = 300
    masks: int = 200
    references: int = 20
    reference_masks: int = REFERENCE_MASKS
    randomised: int = 20
    methods: tuple[Method, ...] = tuple(Method)
    seed: int = 0


@dataclass(slots=True, eq=False)
class BoxRecord:
    """What was measured on one box.

    Attributes:
        box: with what is known about it.
        tested: by method, and of the Gaussian.
        points: by method, whether the highest px lies in the box; a sanity check.
        before, after: probability with the region and without it; None where that cannot be told.
        reference_gain: insertion minus deletion of the reference, where it was made.
        across: by method, the correlation with the map of another box of the image.
        drawn: by method and step, the rank correlation with the map of drawn weights.
        view_error: difference between the score read around the box and that reported.
    """

    box: SampledBox
    tested: dict[str, Faithfulness] = field(default_factory=dict)
    points: dict[str, bool] = field(default_factory=dict)
    before: float | None = None
    after: float | None = None
    reference_gain: float | None = None
    across: dict[str, float] = field(default_factory=dict)
    drawn: dict[str, dict[str, float]] = field(default_factory=dict)
    view_error: float = 0.0


class ExplainEvaluateService:
    """Measures the explanations of a version on images with recorded boxes."""

    def __init__(self, detect: DetectService, models: ModelSource) -> None:
        self._detect, self._models = detect, models
        self._without = WithoutItService(detect)

    def evaluate(
        self,
        coco: Path,
        images_dir: Path,
        *,
        model: str,
        version: int | None = None,
        alias: str = "champion",
        series: Collection[str] | None = None,
        polarity: Polarity = Polarity.UNKNOWN,
        plan: ExplainPlan | None = None,
        gate: bool = False,
        progress: Progress = lambda *_: None,
        so_far: Figures = lambda _: None,
    ) -> dict[str, Any]:
        """Every figure as plain data.

        Args:
            coco: the COCO detection file.
            images_dir: the folder that its file names are relative to.
            model: as it is registered.
            version: of it; None takes the one that bears `alias`.
            alias: "champion" or "challenger".
            series: only images of these series, or these views; None takes all.
            polarity: of images when neither they nor the COCO file say.
            plan: how much is measured; None takes the usual.
            gate: refuse when any of the images was trained on.
            progress: told what is done, how many of how many.
            so_far: told the figures of the boxes that are done, now and then: it takes hours.

        Raises:
            ModelNotFoundError: when there is no such version.
            DatasetError: when the COCO file, its images and their sizes do not belong together.
            LeakError: with `gate`, when images were trained on.
        """
        plan = plan or ExplainPlan()
        resolved, folder = self._models.resolve(model, version=version, alias=alias)
        images = select_images(read_coco(coco), images_dir, series)
        n_trained_on = count_trained_on(
            images, images_dir, seen_by(self._models, resolved, folder).trained_on
        )
        if gate and n_trained_on:
            raise LeakError(f"{n_trained_on} of {len(images)} images were trained on by {model}")
        boxes = sample_boxes(
            self._detect,
            images,
            images_dir,
            resolved,
            count=plan.boxes,
            polarity=polarity,
            seed=plan.seed,
            progress=lambda done, total: progress("detecting", done, total),
        )

        def figures(records: Sequence[BoxRecord]) -> dict[str, Any]:
            return _figures(resolved, n_trained_on, records, plan)

        measured = self._measured(boxes, plan, progress, lambda records: so_far(figures(records)))
        return figures(measured)

    def _measured(
        self,
        boxes: Sequence[SampledBox],
        plan: ExplainPlan,
        progress: Progress,
        so_far: Callable[[Sequence[BoxRecord]], None],
    ) -> list[BoxRecord]:
        records, maps = [], list[dict[str, HeatMap]]()
        rng = np.random.default_rng(plan.seed)
        boxes = [boxes[int(place)] for place in rng.permutation(len(boxes))]
        with_reference = set(rng.permutation(len(boxes))[: plan.references].tolist())
        with_drawn = set(rng.permutation(len(boxes))[: plan.randomised].tolist())
        for number, box in enumerate(boxes):
            record = BoxRecord(box)
            try:
                made = self._box(record, plan, has_reference=number in with_reference)
                if number in with_drawn:
                    self._draw(record, made, plan)
            except ValueError:  # the box covers the whole image: there is no background
                continue
            records.append(record)
            maps.append(made)
            progress("explaining", number + 1, len(boxes))
            if not (number + 1) % _TOLD_EVERY:
                _compare_across(records, maps)
                so_far(records)
        _compare_across(records, maps)
        return records

    def _box(self, record: BoxRecord, plan: ExplainPlan, *, has_reference: bool) -> dict[str, HeatMap]:
        result, index = record.box.result, record.box.index
        image = normalised_for(result.radiograph, result.model)
        detector = self._detect.detector_for(result.model)
        found = result.detections
        seed = seed_of(result.radiograph.sha256, found.boxes[index])
        around = BoxView(detector, image, found, index)
        test = FaithfulnessTest(around, seed=seed)
        record.view_error = abs(test.full - float(found.scores[index]))
        made: dict[str, HeatMap] = {}
        for method in plan.methods:
            heat = explain_by(method, detector, image, found, index, seed=seed, masks=plan.masks)
            made[method.value] = heat
            values = on_window(heat, around)
            record.tested[method.value] = test.test(values)
            record.points[method.value] = _points_into(heat, found.boxes[index])
        record.tested[DRAWN] = Faithfulness(test.baselines[Baseline.GAUSSIAN], test.baselines)
        if has_reference:
            reference = explain_box_perturbed(
                detector, image, found, index, seed=seed + 1, masks=plan.reference_masks
            )
            record.reference_gain = test.test(on_window(reference.heat_map, around)).gain()
        without = self._without.without(result, index)
        if without.before > 0:
            record.before, record.after = without.before, without.typical_after
        return made

    def _draw(self, record: BoxRecord, made: dict[str, HeatMap], plan: ExplainPlan) -> None:
        """Compare maps with those of drawn weights; the perturbation costs too much for that."""
        result, index = record.box.result, record.box.index
        image = normalised_for(result.radiograph, result.model)
        around = BoxView(self._detect.detector_for(result.model), image, result.detections, index)
        seed = seed_of(result.radiograph.sha256, result.detections.boxes[index])
        for step, drawn in randomised(self._detect.detector_for(result.model), seed=plan.seed):
            for method in plan.methods:
                if method is Method.PERTURBED:
                    continue
                other = explain_by(method, drawn, image, result.detections, index, seed=seed)
                own = on_window(made[method.value], around)
                correlation = rank_correlation(own, on_window(other, around))
                record.drawn.setdefault(method.value, {})[step] = correlation


def _figures(
    version: ModelVersion, n_trained_on: int, records: Sequence[BoxRecord], plan: ExplainPlan
) -> dict[str, Any]:
    return {
        "model": version.name,
        "version": version.version,
        "sha256": version.sha256,
        "n_images": len({record.box.image for record in records}),
        "n_trained_on": n_trained_on,
        "n_boxes": len(records),
        "strata": dict(sorted(Counter(record.box.stratum for record in records).items())),
        "kinds": dict(Counter(record.box.kind for record in records)),
        "view_error": round(float(np.mean([r.view_error for r in records])), 4) if records else None,
        "masks": plan.masks,
        "seed": plan.seed,
        "methods": summarise_methods(records, seed=plan.seed),
        "without_it": summarise_without(records, seed=plan.seed),
    }


def _points_into(heat: HeatMap, box: FloatArray) -> bool:
    if heat.is_empty:
        return False
    y, x = np.unravel_index(int(heat.values.argmax()), heat.values.shape)
    x1, y1, x2, y2 = box.tolist()
    return bool(x1 - 1 <= heat.x0 + x <= x2 + 1 and y1 - 1 <= heat.y0 + y <= y2 + 1)


def _compare_across(records: Sequence[BoxRecord], maps: Sequence[dict[str, HeatMap]]) -> None:
    """Each record's map beside that of the next box of the same image, over the whole image."""
    by_image: dict[str, list[int]] = defaultdict(list)
    for number, record in enumerate(records):
        by_image[record.box.image].append(number)
    for members in by_image.values():
        for one, other in zip(members, members[1:], strict=False):
            shape = records[one].box.result.radiograph.pixels.shape
            for method, heat in maps[one].items():
                a, b = _whole(heat, shape), _whole(maps[other][method], shape)
                if a.std() > 0 and b.std() > 0:
                    records[one].across[method] = float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def _whole(heat: HeatMap, shape: tuple[int, ...]) -> FloatArray:
    canvas = np.zeros(shape, np.float32)
    height, width = heat.values.shape
    canvas[heat.y0 : heat.y0 + height, heat.x0 : heat.x0 + width] = heat.values.clip(min=0)
    return canvas
