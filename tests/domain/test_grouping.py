import math

import pytest

from core.domain.errors import BadInputError
from core.domain.grouping import counted, covered_share, members_of, require_groups
from core.domain.indication import IndicationClass
from core.domain.reading import Call, ReadIndication, disagreements, indication_from
from core.domain.reading_comparison import Agreement, compared
from core.domain.records import AnnotationSource

GROUP, A, B, ALONE = "h1", "m1", "m2", "m3"


def one(
    name: str, bbox: tuple[float, float, float, float], *, group: str | None = None, code: str | None = None
) -> ReadIndication:
    is_model = name.startswith("m")
    return ReadIndication(
        indication_id=name,
        bbox=bbox,
        indication_class=IndicationClass.POROSITY,
        source=AnnotationSource.MODEL if is_model else AnnotationSource.HUMAN,
        call=Call.CONFIRMED,
        model_index=int(name[1:]) - 1 if is_model else None,
        iso6520=code,
        group=group,
    )


READING = [
    one(A, (10, 10, 20, 20), group=GROUP),
    one(B, (40, 20, 50, 30), group=GROUP),
    one(ALONE, (200, 10, 220, 20)),
    one(GROUP, (10, 10, 50, 30), code="2013"),
]
DETECTIONS = [{"bbox": list(each.bbox), "class": "porosity"} for each in READING[:3]]


def test_a_group_counts_as_one_and_its_members_do_not() -> None:
    assert [each.indication_id for each in counted(READING)] == [ALONE, GROUP]
    assert [each.indication_id for each in members_of(READING, GROUP)] == [A, B]
    assert members_of(READING, ALONE) == []


def test_members_cover_the_ellipses_in_their_boxes() -> None:
    members = members_of(READING, GROUP)
    share = covered_share(READING[3], members)
    assert share == pytest.approx(math.pi / 4 * 200 / 800)
    assert covered_share(READING[2], ()) is None
    low, high = (covered_share(READING[3], members, edge_px=edge) or 0.0 for edge in (-1.0, 1.0))
    assert 0 < low < (share or 0.0) < high
    assert covered_share(READING[3], members, edge_px=-99) == 0


def test_a_group_is_kept_and_read_back_and_content_without_one_stays_as_it_was() -> None:
    assert indication_from(READING[0].to_box()) == READING[0]
    assert "group" not in READING[2].to_box()


@pytest.mark.parametrize("group", ["h9", A])
def test_a_group_that_is_none_is_refused(group: str) -> None:
    member = one("m4", (1, 1, 3, 3), group=group)
    with pytest.raises(BadInputError, match="m4: there is no group"):
        require_groups([*READING, member])


def test_a_group_within_a_group_is_refused() -> None:
    with pytest.raises(BadInputError, match="there is no group h1"):
        require_groups([*READING[:3], one(GROUP, (10, 10, 50, 30), group="h2"), one("h2", (1, 1, 90, 90))])


def test_a_group_is_nothing_that_the_model_missed() -> None:
    assert disagreements(DETECTIONS, READING) == []


def test_two_readings_are_compared_by_groups() -> None:
    second = [one("h1", (12, 10, 50, 30)), one("h2", (200, 10, 220, 20))]
    pairs = compared(READING, second)
    assert [(pair.agreement, pair.first and pair.first.indication_id) for pair in pairs] == [
        (Agreement.SAME, ALONE),
        (Agreement.SAME, GROUP),
    ]
