"""The gate's figures from what each box of two versions did."""

import numpy as np
import pytest

from core.evaluate.gate_measures import Measured, gate_evidence
from core.evaluate.gate_report import GateEvidence
from core.evaluate.outcome import ImageOutcome
from core.evaluate.outcome_table import OutcomeTable, tabulate

_N = 30
SUMMARY = {"d_ece": 0.03, "d_ece_band": [0.01, 0.04], "ap50": 0.6, "ap50_ci": [0.5, 0.7]}


def table(
    found: list[bool], *, false_calls: int = 0, ms: float = 100.0, boxes_recorded: bool = True
) -> OutcomeTable:
    """One recorded box an image, found where `found` says, and some false calls on the first image."""
    outcomes = []
    for index, is_found in enumerate(found):
        boxes = [[0, 0, 10, 10]] if is_found else []
        boxes += [[50, 50 + 20 * k, 60, 60 + 20 * k] for k in range(false_calls if index == 0 else 0)]
        truth = [[0, 0, 10, 10]] if boxes_recorded else []
        outcomes.append(
            ImageOutcome(
                name=f"{index}.png",
                cluster=f"part {index}",
                boxes=np.array(boxes, np.float32).reshape(-1, 4),
                scores=np.full(len(boxes), 0.9, np.float32),
                labels=("unclassified",) * len(boxes),
                truth=np.array(truth, np.float32).reshape(-1, 4),
                truth_labels=("defect",) * len(truth),
                probabilities=np.full(len(boxes), 0.8),
            )
        )
    return tabulate(
        outcomes,
        digests=[f"{index:064x}" for index in range(len(found))],
        elapsed_ms=[ms] * len(found),
        is_class_aware=False,
        score_cut=0.1,
        operating_probability=0.5,
    )


def measured(version: int, outcomes: OutcomeTable, **more: object) -> Measured:
    values = {"summary": SUMMARY, "device": "cpu", "trained_on": {}, "own_words": f"weld v{version}"} | more
    return Measured(version, outcomes, **values)  # type: ignore[arg-type]  # a table of keywords


def evidence(candidate: Measured, champion: Measured | None) -> GateEvidence:
    return gate_evidence(candidate, champion, set_name="films", set_digest="ab" * 32, minimum_ap50=0.7)


def test_recall_and_false_calls_are_paired_over_parts() -> None:
    better = [True] * 24 + [False] * 6
    worse = [True] * 15 + [False] * 15
    found = evidence(measured(2, table(better, false_calls=3, ms=120)), measured(1, table(worse)))
    assert found.recall is not None
    assert found.false_calls_per_image is not None
    assert (found.recall.candidate, found.recall.champion) == (0.8, 0.5)
    assert found.recall.difference == pytest.approx(0.3)
    low, high = found.recall.interval
    assert 0.1 < low < 0.3 < high <= 0.55
    assert found.false_calls_per_image.difference == pytest.approx(3 / _N)
    assert (found.ms_per_image, found.champion_ms_per_image) == (120, 100)
    assert (found.n_images, found.n_boxes, found.n_parts) == (_N, _N, _N)
    assert (found.d_ece, found.d_ece_band, found.ap50_interval) == (0.03, (0.01, 0.04), (0.5, 0.7))


def test_a_version_beside_itself_differs_in_nothing() -> None:
    same = table([True, False] * 15)
    found = evidence(measured(2, same), measured(1, same))
    assert found.recall is not None
    assert (found.recall.difference, found.recall.interval) == (0.0, (0.0, 0.0))


def test_images_that_were_trained_on_are_counted_by_sha256() -> None:
    outcomes = table([True] * _N)
    candidate = measured(2, outcomes, trained_on={outcomes.digests[0]: "weld v2", "f" * 64: "weld v1"})
    champion = measured(1, outcomes, trained_on=dict.fromkeys(outcomes.digests[:2], "weld v1"))
    found = evidence(candidate, champion)
    assert (found.n_trained_on, found.champion_trained_on) == (1, 2)
    assert (found.trained_through, found.n_calibrated_on, found.unknown_ancestors) == ({}, 0, ())


def test_what_ancestors_saw_is_counted_with_their_names() -> None:
    outcomes = table([True] * _N)
    first, second, third = outcomes.digests[:3]
    candidate = measured(
        3,
        outcomes,
        trained_on={first: "weld v3", second: "weld v1", third: "weld v1"},
        calibrated_on={"part 4": "weld v2", "part 5": "weld v3", "another": "weld v3"},
        unknown=("casting v1",),
        own_words="weld v3",
        trained_parts={"part 4": "weld v3", "part 6": "weld v1", "elsewhere": "weld v1"},
    )
    found = evidence(candidate, None)
    assert found.n_of_trained_parts == 2
    assert (found.n_trained_on, found.trained_through) == (3, {"weld v1": 2})
    assert (found.n_calibrated_on, found.calibrated_through) == (2, ("weld v2", "weld v3"))
    assert found.unknown_ancestors == ("casting v1",)


def test_what_cannot_be_compared_says_why() -> None:
    outcomes = table([True] * _N)
    other_images = evidence(measured(2, outcomes), measured(1, table([True] * (_N - 1))))
    assert other_images.recall is None
    assert "not evaluated on the same images" in other_images.missing["recall"]
    other_device = evidence(measured(2, outcomes), measured(1, outcomes, device="cuda"))
    assert (other_device.ms_per_image, other_device.champion_ms_per_image) == (None, None)
    assert other_device.missing["ms_per_image"] == "the candidate ran on cpu, the champion on cuda"
    nothing_recorded = table([False] * _N, boxes_recorded=False)
    empty = evidence(measured(2, nothing_recorded), measured(1, nothing_recorded))
    assert empty.recall is None
    assert empty.missing["recall"] == "no boxes are recorded in the set"


def test_without_a_champion_the_candidate_stands_alone() -> None:
    found = evidence(measured(2, table([True] * 20 + [False] * 10)), None)
    assert (found.champion, found.recall, found.champion_trained_on) == (None, None, None)
    assert found.candidate_recall == pytest.approx(2 / 3)
    assert found.candidate_recall_interval is not None
    assert found.ms_per_image == 100
