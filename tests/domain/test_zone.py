"""The zone of a radiograph that is judged."""

import numpy as np
import pytest

from core.domain.errors import BadInputError
from core.domain.seen import seen_from
from core.domain.zone import Zone, zone_from

BAND = Zone(((0, 10), (100, 20), (100, 60), (0, 50)), is_band=True)


@pytest.mark.parametrize(
    ("point", "is_inside"), [((50, 16), True), ((50, 14), False), ((99, 59), True), ((50, 70), False)]
)
def test_a_slanted_edge_is_followed(point, is_inside) -> None:
    assert BAND.contains(*point) is is_inside


def test_the_middle_of_a_box_decides() -> None:
    assert BAND.holds((40, 0, 60, 40))  # its middle lies at y 20
    assert not BAND.holds((40, 0, 60, 20))


def test_the_share_of_the_picture() -> None:
    assert BAND.share(100, 100) == pytest.approx(0.4)
    assert Zone(((-50, -50), (200, -50), (200, 200), (-50, 200))).share(100, 100) == 1


def test_it_is_written_and_read_again_and_no_points_mean_no_zone() -> None:
    assert zone_from(BAND.to_dict()) == BAND
    assert zone_from({"points": [], "is_band": False}) is None


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"points": [[0, 0], [1, 1]]},
        {"points": [[0, 0], [1, 1], [2, float("nan")]]},
        {"points": [[0, 0, 1]] * 4},
        {"points": [[0, 0], [9, 0], [4, 4]], "is_band": True},
        {"points": [[i, i] for i in range(401)]},
    ],
)
def test_what_is_no_zone_is_refused(content) -> None:
    with pytest.raises(BadInputError, match="zone"):
        zone_from(content)


def test_seen_cells_count_for_a_zone_by_their_middle() -> None:
    within = seen_from("", 256, 128).cells_in(Zone(((0, 0), (256, 0), (256, 60), (0, 60))))
    np.testing.assert_array_equal(within, [[True] * 4, [False] * 4])
