import numpy as np
import pytest

from core.evaluate.average_precision import average_precision, rank
from core.evaluate.coco_average_precision import LabelledBoxes, coco_average_precision
from core.evaluate.matching import COCO_IOU_THRESHOLDS, match


def ranked(hits: list[bool], n_truth: int):
    scores = np.linspace(0.9, 0.1, len(hits))
    return rank([scores], [np.array(hits, np.bool_)], np.array([n_truth]))


@pytest.mark.parametrize(
    ("hits", "n_truth", "expected"),
    [
        ([True, True], 2, 1.0),
        ([True, False], 2, 51 / 101),
        ([False, True], 1, 0.5),
        ([True, False, True], 2, (51 + 50 * 2 / 3) / 101),
        ([False, False], 3, 0.0),
        ([], 3, 0.0),
    ],
)
def test_average_precision_by_hand(hits: list[bool], n_truth: int, expected: float) -> None:
    assert average_precision(ranked(hits, n_truth)) == pytest.approx(expected)


@pytest.mark.parametrize("hits", [[], [False, False]])
def test_without_recorded_boxes_it_is_not_evaluable(hits: list[bool]) -> None:
    assert average_precision(ranked(hits, 0)) is None
    assert coco_average_precision([]) is None


def _boxes(random: np.random.Generator, n: int) -> np.ndarray:
    corner = random.uniform(0, 300, (n, 2))
    return np.concatenate([corner, corner + random.uniform(5, 120, (n, 2))], axis=1)


def _image(random: np.random.Generator, false_calls: int, decimals: int) -> LabelledBoxes:
    truth = _boxes(random, int(random.integers(0, 6)))
    near = truth + random.normal(0, 4, truth.shape)
    near[:, 2:] = np.maximum(near[:, 2:], near[:, :2] + 1)
    boxes = np.concatenate([near, _boxes(random, false_calls)])
    scores = random.random(len(boxes)).round(decimals)
    return LabelledBoxes(truth, ["x"] * len(truth), boxes, ["x"] * len(boxes), scores)


@pytest.mark.parametrize(("seed", "decimals"), [(0, 9), (1, 9), (2, 2), (3, 1)])
@pytest.mark.parametrize("false_calls", [0, 5, 150])
def test_it_equals_faster_coco_eval_with_and_without_ties(seed: int, decimals: int, false_calls: int) -> None:
    random = np.random.default_rng(seed)
    images = [_image(random, false_calls, decimals) for _ in range(25)]
    hits = [
        [match(i.boxes, i.scores, i.truth, overlap).is_true for overlap in COCO_IOU_THRESHOLDS]
        for i in images
    ]
    n_truth = np.array([len(i.truth) for i in images])
    ours = [
        average_precision(rank([i.scores for i in images], [h[t] for h in hits], n_truth)) for t in range(10)
    ]
    assert coco_average_precision(images) == pytest.approx(np.array(ours), abs=1e-6)


def test_a_weight_counts_an_image_as_often_as_listing_it() -> None:
    random = np.random.default_rng(7)
    images = [_image(random, 6, 9) for _ in range(12)]
    weights = random.integers(0, 4, len(images))
    listed = [image for image, weight in zip(images, weights, strict=True) for _ in range(weight)]
    hits = [match(i.boxes, i.scores, i.truth, 0.5).is_true for i in images]
    once = rank([i.scores for i in images], hits, np.array([len(i.truth) for i in images]))
    reference = coco_average_precision(listed)
    assert reference is not None
    assert average_precision(once, weights) == pytest.approx(reference[0], abs=1e-9)


def test_labels_that_nobody_recorded_do_not_lower_the_class_aware_figure() -> None:
    box = np.array([[0, 0, 10, 10]], np.float64)
    image = LabelledBoxes(box, ["crack"], np.repeat(box, 2, 0), ["porosity", "crack"], np.array([0.9, 0.8]))
    per_threshold = coco_average_precision([image])
    assert per_threshold is not None
    assert per_threshold[0] == pytest.approx(1.0)
