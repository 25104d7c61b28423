import numpy as np
import pytest

from core.evaluate.confusion import BACKGROUND, confusion
from core.evaluate.error_types import ErrorType, error_types
from core.evaluate.groups import Group, GroupKind, boxes_in, groups_of, ranked_size_group, truth_in
from core.evaluate.outcome import ImageOutcome
from core.evaluate.outcome_table import OutcomeTable, tabulate
from core.evaluate.version_differences import DifferenceKind, version_differences
from tests.evaluate.versions import Skill, recorded, reported, table_of

#: x of the left edge of a recorded box of 20 px, one for each fate.
_FOUND, _OTHER_CLASS, _SHIFTED, _MISSED = 0.0, 100.0, 200.0, 300.0


def _square(x: float, side: float = 20.0) -> list[float]:
    return [x, 0.0, x + side, side]


def _one_image(boxes: list, *, mm_per_px: float | None = None) -> OutcomeTable:
    """Four recorded cracks, one for each fate; `boxes` are (box, class, probability)."""
    truth = np.array([_square(x) for x in (_FOUND, _OTHER_CLASS, _SHIFTED, _MISSED)], np.float32)
    probabilities = np.array([p for _, _, p in boxes])
    outcome = ImageOutcome(
        "a.png", "part", truth, ("crack",) * 4,
        np.array([box for box, _, _ in boxes], np.float32).reshape(-1, 4),
        probabilities.astype(np.float32), tuple(name for _, name, _ in boxes), probabilities, mm_per_px,
    )  # fmt: skip
    return tabulate(
        [outcome], digests=["0" * 64], elapsed_ms=[1.0], is_class_aware=True, score_cut=0.1,
        operating_probability=0.5,
    )  # fmt: skip


@pytest.fixture
def table() -> OutcomeTable:
    return _one_image(
        [
            (_square(_FOUND), "crack", 0.9),
            (_square(_FOUND + 1), "crack", 0.8),
            (_square(_OTHER_CLASS), "porosity", 0.7),
            (_square(_SHIFTED + 12), "crack", 0.6),
            (_square(500), "porosity", 0.55),
            (_square(_MISSED), "crack", 0.4),
        ]
    )


def _numbered(numbers: list[int]) -> OutcomeTable:
    """Images of so many recorded boxes each, with three reported ones."""
    boxes, scores = [_square(x) for x in (0.0, 100.0, 500.0)], np.array([0.9, 0.7, 0.5], np.float32)
    outcomes = [
        ImageOutcome(
            f"{number}.png", f"part {number}",
            np.array([_square(100.0 * k) for k in range(number)], np.float32).reshape(-1, 4),
            ("crack",) * number, np.array(boxes, np.float32), scores, ("crack",) * 3, scores.astype(float),
        )
        for number in numbers
    ]  # fmt: skip
    return tabulate(
        outcomes, digests=[f"{number:064x}" for number in numbers], elapsed_ms=[float(n) for n in numbers],
        is_class_aware=True, score_cut=0.1, operating_probability=0.5,
    )  # fmt: skip


def test_some_of_the_images_are_as_if_they_had_been_tabulated_alone() -> None:
    some = _numbered([0, 1, 2, 3]).subset(np.array([False, True, False, True])).to_arrays()
    for name, wanted in _numbered([1, 3]).to_arrays().items():
        np.testing.assert_array_equal(some[name], wanted, err_msg=name)


def test_each_kind_of_error_is_recognised(table: OutcomeTable) -> None:
    errors = error_types(table)
    assert errors.counts() == {
        ErrorType.TRUE: 1,
        ErrorType.DUPLICATE: 1,
        ErrorType.CLASS: 1,
        ErrorType.LOCALISATION: 1,
        ErrorType.BACKGROUND: 1,
        ErrorType.MISSED: 2,
    }
    assert errors.boxes(ErrorType.MISSED).tolist() == [2, 3]


def test_what_is_reported_moves_with_the_operating_probability(table: OutcomeTable) -> None:
    assert error_types(table, 0.3).counts()[ErrorType.MISSED] == 1
    assert error_types(table, 0.95).counts() == {**dict.fromkeys(ErrorType, 0), ErrorType.MISSED: 4}
    assert table.is_reported(0.0).all()


def test_confusion_counts_misses_and_false_calls_as_background(table: OutcomeTable) -> None:
    found = confusion(table)
    assert found is not None
    assert found.classes == ("crack", "porosity", BACKGROUND)
    assert found.counts.tolist() == [[1, 1, 2], [0, 0, 0], [2, 1, 0]]


def test_without_recorded_classes_nothing_can_be_confused() -> None:
    images = reported(recorded(3, seed=1), Skill(), seed=2)
    assert confusion(table_of(images, is_class_aware=False)) is None


def test_sizes_are_in_mm_only_where_every_image_has_a_scale() -> None:
    scaled, plain = _one_image([], mm_per_px=0.1), _one_image([])
    assert [g.kind for g in groups_of(scaled)] == [GroupKind.CLASS, *[GroupKind.SIZE_MM] * 4]
    assert [g.kind for g in groups_of(plain)] == [GroupKind.CLASS, *[GroupKind.SIZE_PX] * 4]
    assert truth_in(scaled, Group(GroupKind.SIZE_MM, "2 to 5 mm", 2.0, 5.0)).all()
    assert not truth_in(scaled, Group(GroupKind.SIZE_MM, "1 to 2 mm", 1.0, 2.0)).any()


def test_a_class_that_the_table_does_not_know_has_no_boxes(table: OutcomeTable) -> None:
    unknown = Group(GroupKind.CLASS, "undercut")
    assert not truth_in(table, unknown).any()
    assert not boxes_in(table, unknown).any()


def test_of_one_size_boxes_on_recorded_ones_of_another_size_are_ignored() -> None:
    """COCO's rule: neither true nor false; unmatched boxes of another size are ignored as well."""
    table = _one_image(
        [(_square(_FOUND), "crack", 0.9), (_square(500, 200), "crack", 0.8), (_square(600), "crack", 0.7)]
    )
    small = ranked_size_group(table, Group(GroupKind.SIZE_PX, "small", 0, 16))
    middle = ranked_size_group(table, Group(GroupKind.SIZE_PX, "middle", 16, 32))
    large = ranked_size_group(table, Group(GroupKind.SIZE_PX, "large", 64, 1e9))
    assert small.is_true.tolist() == []
    assert middle.is_true.tolist() == [True, False]
    assert middle.truth_per_image.tolist() == [4]
    assert large.is_true.tolist() == [False]
    assert large.truth_per_image.tolist() == [0]


def test_a_table_survives_its_arrays() -> None:
    table = table_of(reported(recorded(8, seed=1), Skill(), seed=2))
    again = OutcomeTable.from_arrays(table.to_arrays())
    for name in OutcomeTable.__slots__:
        assert np.array_equal(np.asarray(getattr(table, name)), np.asarray(getattr(again, name))), name
    assert all(values.dtype != object for values in table.to_arrays().values())


def test_no_image_makes_an_empty_table() -> None:
    table = table_of([])
    assert table.n_images == 0
    assert table.boxes.shape == (0, 4)
    assert error_types(table).counts()[ErrorType.MISSED] == 0


def test_versions_differ_in_what_they_find_name_and_bound(table: OutcomeTable) -> None:
    other = _one_image(
        [
            (_square(_FOUND), "porosity", 0.6),
            (_square(_MISSED), "crack", 0.9),
            (_square(500), "porosity", 0.7),
            (_square(700), "crack", 0.8),
            ([_OTHER_CLASS, 0, _OTHER_CLASS + 20, 12.5], "porosity", 0.75),
        ]
    )
    found = version_differences(table, other)
    assert found[DifferenceKind.FOUND_SECOND].truth.tolist() == [3]
    assert found[DifferenceKind.FOUND_FIRST].truth.tolist() == []
    assert found[DifferenceKind.CLASS].truth.tolist() == [0]
    assert found[DifferenceKind.MOVED].truth.tolist() == [0]
    assert found[DifferenceKind.MOVED].amount.tolist() == pytest.approx([0.3])
    assert found[DifferenceKind.EXTENT].truth.tolist() == [1]
    assert len(found[DifferenceKind.FALSE_SECOND]) == 1  # the one at 500 both report
    lonely = found[DifferenceKind.FALSE_FIRST].first  # the other one reports at 1, too
    assert [round(float(table.boxes[i][0])) for i in lonely] == [212]


def test_tables_of_different_images_are_not_compared(table: OutcomeTable) -> None:
    with pytest.raises(ValueError, match="different images"):
        version_differences(table, table_of(reported(recorded(2, seed=1), Skill(), seed=2)))
