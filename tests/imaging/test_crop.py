import cv2
import numpy as np
import pytest

from core.domain.errors import BadInputError
from core.imaging.crop import around, crop_png


def _opened(content: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)


def test_a_piece_is_cut_out_and_enlarged_without_inventing_detail() -> None:
    picture = np.zeros((50, 80), np.uint8)
    picture[10:20, 30:40] = 200
    piece = _opened(crop_png(picture, (30, 10, 50, 20), side_px=80))
    assert piece.shape == (40, 80)
    assert set(np.unique(piece)) == {0, 200}
    assert (piece[:, :40] == 200).all()


def test_what_lies_outside_is_left_out() -> None:
    assert _opened(crop_png(np.zeros((50, 80), np.uint8), (-20, -20, 20, 20), side_px=40)).shape == (40, 40)
    with pytest.raises(BadInputError, match="no picture"):
        crop_png(np.zeros((50, 80), np.uint8), (90, 0, 100, 10), side_px=40)


@pytest.mark.parametrize(
    ("box", "rectangle"),
    [
        ((100, 100, 110, 110), (57, 57, 153, 153)),
        ((0, 0, 10, 10), (0, 0, 96, 96)),
        ((490, 290, 500, 300), (404, 204, 500, 300)),
        ((100, 100, 300, 120), (0, 0, 440, 300)),
    ],
)
def test_a_place_is_shown_with_what_is_around_it(box: tuple, rectangle: tuple) -> None:
    assert around(box, (500, 300)) == rectangle
