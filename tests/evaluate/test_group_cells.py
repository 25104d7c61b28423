import numpy as np
import pytest

from core.domain.flaw_group import FlawGroup
from core.domain.indication import IndicationClass
from core.evaluate.cells import CellGroup, FilmOutcome, RecordedCells
from core.evaluate.group_cells import count_group_cells

L, E, R, D = FlawGroup.LINEAR, FlawGroup.EDGE, FlawGroup.ROUNDED, FlawGroup.DENSE


def film(recorded, boxes):
    """Recorded (code, cells), boxes (first px, last px, probability); a cell is 100 px wide."""
    return FilmOutcome(
        name="film",
        width=1000,
        cell_px=100.0,
        recorded=tuple(RecordedCells(CellGroup.OTHERS, code, cells) for code, cells in recorded),
        is_judged=True,
        boxes=np.array([(a, 10, b, 20) for a, b, _ in boxes], np.float32).reshape(-1, 4),
        probabilities=np.array([p for *_, p in boxes], np.float32),
        classes=(IndicationClass.UNCLASSIFIED,) * len(boxes),
    )


def test_a_cell_counts_as_its_group_when_any_claim_is_and_else_as_the_strongest() -> None:
    recorded = [("1011", (1, 2)), ("2011", (4,)), ("3041", (6,)), ("5011", (8,))]
    boxes = [(10, 20, 0.9), (30, 40, 0.4), (110, 120, 0.9), (310, 320, 0.5), (510, 520, 0.7)]
    counted = count_group_cells([film(recorded, boxes)], [[R, L, R, R, None]], probability=0.3)
    # cell 1 crack found, cell 2 called rounded, cell 4 right, cell 6 abstains, cell 8 is not reached
    expected = np.zeros((4, 5), int)
    expected[0, 0] = expected[0, 2] = expected[2, 2] = expected[3, 4] = 1
    np.testing.assert_array_equal(counted.counts, expected)
    assert counted.coverage == pytest.approx(3 / 4)
    assert counted.f1() == pytest.approx({L: 2 / 3, R: 2 / 3})
    assert counted.macro_f1() == pytest.approx(2 / 3)
    assert counted.macro_f1(abstained_is_missed=True) == pytest.approx(4 / 9)


def test_weak_boxes_and_cells_of_two_groups_say_nothing() -> None:
    recorded = [("1011", (1,)), ("2011", (1, 3))]
    boxes = [(10, 20, 0.9), (210, 220, 0.2)]
    assert count_group_cells([film(recorded, boxes)], [[L, R]], probability=0.3).counts.sum() == 0


def test_without_a_cell_there_is_no_figure() -> None:
    counted = count_group_cells([], [], probability=0.3)
    assert counted.macro_f1() is None
    assert counted.coverage is None
