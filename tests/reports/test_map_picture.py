import io

import numpy as np
from PIL import Image

from core.domain.inspection import HeatMap
from core.reports.map_picture import SIDE_PX, map_overlay, map_picture, part_around
from tests.explain.planted import BOX, planted_detections, planted_image


class _Result:
    """The parts of a result that are drawn."""

    def __init__(self) -> None:
        self.detections = planted_detections()
        self.radiograph = type(
            "Film", (), {"pixels": (planted_image() * 60000).clip(0, 65535).astype(np.uint16)}
        )


def _drawn(heat: HeatMap | None) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(map_picture(_Result(), 0, heat)))).astype(int)  # type: ignore[arg-type]


def _heat(sign: float) -> HeatMap:
    values = np.zeros((36, 48), np.float32)
    values[12:24, 16:32] = sign
    return HeatMap(values, int(BOX[0]), int(BOX[1]), 1.0, is_signed=True)


def test_the_part_holds_the_box_and_what_is_around_it() -> None:
    x0, y0, x1, y1 = part_around(_Result(), 0)  # type: ignore[arg-type]
    assert x0 < BOX[0] - 12
    assert y0 < BOX[1] - 12
    assert x1 > BOX[2] + 12
    assert y1 > BOX[3] + 12


def test_what_raised_is_orange_and_what_lowered_blue() -> None:
    plain = _drawn(None)
    raised, lowered = _drawn(_heat(1.0)) - plain, _drawn(_heat(-1.0)) - plain
    assert raised[..., 0].sum() > raised[..., 2].sum()
    assert lowered[..., 2].sum() > lowered[..., 0].sum()
    assert (raised != 0).any(axis=2).mean() < 0.2


def test_an_empty_map_changes_nothing_and_small_parts_are_enlarged() -> None:
    plain = _drawn(None)
    assert (_drawn(HeatMap(np.zeros((4, 4), np.float32), 0, 0, 0.0)) == plain).all()
    assert SIDE_PX / 2 < max(plain.shape[:2]) <= SIDE_PX


def test_an_overlay_is_clear_beside_the_map_and_bears_its_colours_on_it() -> None:
    part = part_around(_Result(), 0)  # type: ignore[arg-type]
    drawn = {
        sign: np.asarray(Image.open(io.BytesIO(map_overlay(_heat(sign), part)))).astype(int)
        for sign in (1.0, -1.0)
    }
    assert drawn[1.0].shape == (part[3] - part[1], part[2] - part[0], 4)
    covered = drawn[1.0][..., 3] > 0
    assert covered.sum() == 12 * 16
    assert (drawn[1.0][covered][:, 0] > drawn[1.0][covered][:, 2]).all()
    assert (drawn[-1.0][covered][:, 0] < drawn[-1.0][covered][:, 2]).all()
