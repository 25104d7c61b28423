import numpy as np
import pytest

from core.labelling.box_checks import box_findings, is_constant
from core.labelling.finding import FindingKind, Severity

RAMP = np.arange(40 * 60, dtype=np.uint16).reshape(40, 60)


def kinds(*boxes: tuple[float, ...], pixels: np.ndarray | None = RAMP) -> list[FindingKind]:
    found = box_findings("a.png", np.array(boxes, np.float32).reshape(-1, 4), size=(60, 40), pixels=pixels)
    assert all(finding.image == "a.png" and finding.box is not None for finding in found)
    return [finding.kind for finding in found]


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((0, 0, 60, 40), []),
        ((-0.005, 0, 60.005, 40), []),
        ((0, 0, 61, 40), [FindingKind.OUTSIDE]),
        ((0, 31, 10, 41), [FindingKind.OUTSIDE]),
        ((-1, 0, 10, 10), [FindingKind.OUTSIDE]),
        ((5, 5, 5, 15), [FindingKind.WITHOUT_AREA]),
        ((5, 15, 15, 5), [FindingKind.WITHOUT_AREA]),
        ((5, 5, 13, 9), []),
        ((5, 5, 12.9, 9), [FindingKind.SMALL]),
        ((58, 38, 62, 42), [FindingKind.OUTSIDE, FindingKind.SMALL]),
        ((5, 5, 6, 6), [FindingKind.CONSTANT, FindingKind.SMALL]),
    ],
)
def test_each_fault_on_both_sides_of_its_limit(box: tuple[float, ...], expected: list[FindingKind]) -> None:
    assert kinds(box) == expected


def test_a_small_box_is_a_warning_and_all_else_an_error() -> None:
    boxes = np.array([[5, 5, 9, 9], [5, 5, 5, 9], [5, 5, 9, 9]], np.float32)
    severities = {f.kind: f.severity for f in box_findings("a", boxes, size=(60, 40), pixels=RAMP)}
    assert severities == {
        FindingKind.SMALL: Severity.WARNING,
        FindingKind.WITHOUT_AREA: Severity.ERROR,
        FindingKind.DUPLICATE_BOX: Severity.ERROR,
    }


def test_a_box_that_comes_three_times_is_reported_twice() -> None:
    assert kinds((5, 5, 20, 20), (5, 5, 20, 20), (5, 5, 20, 20), (5, 5, 20, 21)) == [
        FindingKind.DUPLICATE_BOX,
        FindingKind.DUPLICATE_BOX,
    ]


def test_no_box_and_no_pixels_find_nothing_of_contrast() -> None:
    assert kinds() == []
    assert kinds((5, 5, 20, 20), pixels=None) == []


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float16, np.float32])
def test_one_grey_value_is_constant_and_one_other_pixel_is_not(dtype: type) -> None:
    pixels = np.full((10, 10), 7, dtype)
    assert is_constant(pixels, (2, 2, 8, 8))
    pixels[7, 7] = 8
    assert not is_constant(pixels, (2, 2, 7.5, 7.5))
    assert is_constant(pixels, (2, 2, 7, 7))


def test_values_that_are_not_numbers_have_no_contrast() -> None:
    assert is_constant(np.full((10, 10), np.nan, np.float32), (2, 2, 8, 8))


def test_the_line_names_image_box_and_what_came() -> None:
    (found,) = box_findings("a.png", np.array([[0, 0, 61, 40]]), size=(60, 40), pixels=RAMP)
    assert str(found) == "error    box outside the image: a.png [0 0 61 40]: the image is 60x40 px"
    assert found.to_dict() == {
        "kind": "box outside the image",
        "severity": "error",
        "image": "a.png",
        "bbox": [0.0, 0.0, 61.0, 40.0],
        "message": "the image is 60x40 px",
    }
