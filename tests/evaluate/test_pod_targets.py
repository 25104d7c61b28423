"""Which flaws were found, by hand."""

import numpy as np

from core.evaluate.pod_targets import Targets, share_of_smaller, targets_of

FLAWS = np.array([[10, 10, 20, 20], [100, 100, 110, 140], [300, 300, 310, 310]], np.float32)
LABELS = ("porosity", "crack", "porosity")
SIZES, SHOWN = np.array([0.5, 2.0, 0.4]), np.array([True, True, False])


def test_a_box_finds_every_flaw_that_it_covers_by_half_of_the_smaller() -> None:
    boxes = np.array([[0, 0, 60, 60], [104, 100, 114, 140], [500, 500, 510, 510]], np.float32)
    found = targets_of(FLAWS, SIZES, LABELS, SHOWN, boxes, np.array([0.6, 0.8, 0.9]), operating_score=0.5)
    assert found.scores.tolist() == [0.6, 0.8, 0.0]
    assert found.strict_scores.tolist() == [0.0, 0.0, 0.0]  # IoU 0.03 and 0.43
    assert found.n_false == 1


def test_only_boxes_that_are_called_are_false() -> None:
    boxes = np.array([[500, 500, 510, 510], [600, 600, 610, 610]], np.float32)
    found = targets_of(FLAWS, SIZES, LABELS, SHOWN, boxes, np.array([0.5, 0.49]), operating_score=0.5)
    assert found.n_false == 1


def test_a_box_on_a_flaw_too_faint_to_see_is_no_false_call() -> None:
    box = FLAWS[2:]
    found = targets_of(FLAWS, SIZES, LABELS, SHOWN, box, np.array([0.9]), operating_score=0.5)
    assert found.n_false == 0
    assert found.strict_scores.tolist() == [0.0, 0.0, 0.9]


def test_images_without_flaws_or_boxes_count() -> None:
    nothing = np.zeros((0, 4), np.float32)
    empty = targets_of(nothing, np.zeros(0), (), np.zeros(0, bool), FLAWS, np.ones(3), operating_score=0.5)
    missed = targets_of(FLAWS, SIZES, LABELS, SHOWN, nothing, np.zeros(0), operating_score=0.5)
    both = Targets.of([empty, missed])
    assert (both.n_images, both.n_false) == (2, 3)
    assert both.scores.tolist() == [0.0, 0.0, 0.0]
    assert both.of_class("porosity").size_mm.tolist() == [0.5, 0.4]
    assert both.subset(both.is_visible).labels == ("porosity", "crack")


def test_boxes_without_an_area_share_nothing() -> None:
    assert share_of_smaller(np.array([[5, 5, 5, 9]]), np.array([[0, 0, 10, 10]])).tolist() == [[0.0]]
