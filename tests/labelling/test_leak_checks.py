"""Leaks between parts: the same pixels, the same exposure, the same series, a model's own images."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from core.domain.radiograph import Polarity, Radiograph
from core.labelling.finding import FindingKind, Severity
from core.labelling.leak_checks import (
    ImageIdentity,
    NearDuplicateSearch,
    same_image_findings,
    split_findings,
    trained_findings,
)

ONE = ImageIdentity("1.png", "A", "train", "f1", "p1", 60, 40)


def exposed(seed: int) -> np.ndarray:
    """A ramp with the grain of one exposure."""
    ramp = np.linspace(60, 180, 400 * 600).reshape(400, 600)
    ramp[150:220, 200:260] += 30
    grain = cv2.GaussianBlur(np.random.default_rng(seed).normal(0, 8, ramp.shape), (0, 0), 0.7)
    return np.clip(np.rint(ramp + grain), 0, 255).astype(np.uint8)


def windowed(pixels: np.ndarray) -> np.ndarray:
    return np.clip(np.rint((pixels.astype(np.float32) - 20) * 1.1), 0, 255).astype(np.uint8)


def identity(number: int, series: str, part: str | None) -> ImageIdentity:
    return replace(
        ONE, file_name=f"{number}.png", series=series, split_part=part,
        sha256=f"f{number}", pixel_sha256=f"p{number}",
    )  # fmt: skip


def radiograph(pixels: np.ndarray, number: int) -> Radiograph:
    return Radiograph(pixels, 8, Polarity.UNKNOWN, None, f"f{number}", "PNG")


@pytest.mark.parametrize(
    ("series", "part", "expected"),
    [("B", "test", Severity.ERROR), ("B", "train", Severity.WARNING), ("A", "train", None)],
)
def test_a_copy_of_an_exposure_is_an_error_across_parts_and_a_warning_across_series(
    series: str, part: str, expected: Severity | None
) -> None:
    search = NearDuplicateSearch()
    assert search.add(identity(1, "A", "train"), radiograph(exposed(1), 1)) is None
    found = search.add(identity(2, series, part), radiograph(windowed(exposed(1)), 2))
    assert (found and found.severity) == expected
    if found:
        assert (found.kind, found.image) == (FindingKind.NEAR_DUPLICATE, "2.png")
        assert "1.png (in part train)" in found.message


def test_another_exposure_of_the_same_view_is_none() -> None:
    search = NearDuplicateSearch()
    search.add(identity(1, "A", "train"), radiograph(exposed(1), 1))
    assert search.add(identity(2, "B", "test"), radiograph(exposed(2), 2)) is None


def test_the_same_pixels_are_an_error_and_across_parts_a_leak() -> None:
    again = replace(ONE, file_name="2.png", sha256="f2")
    (within,) = same_image_findings([ONE, again])
    assert (within.kind, within.is_error) == (FindingKind.SAME_IMAGE, True)
    assert "leak" not in within.message
    (across,) = same_image_findings([ONE, replace(again, split_part="test")])
    assert across.message == "the same pixels as 1.png (in part train), a leak: it is in part test"
    assert same_image_findings([ONE, replace(again, pixel_sha256="p2")]) == []
    assert same_image_findings([ONE, replace(again, width=40, height=60)]) == []


def test_images_of_a_model_are_named_by_file_or_by_rendered_pixels() -> None:
    images = [ONE, identity(2, "A", "test"), identity(3, "A", "test")]
    found = trained_findings(images, {"f1", "p3"}, model="weld v1")
    assert [(f.image, f.kind, f.is_error) for f in found] == [
        ("1.png", FindingKind.TRAINED_ON, True),
        ("3.png", FindingKind.TRAINED_ON, True),
    ]
    assert found[1].message == "in part test and yet weld v1 was trained on it"


def test_a_split_list_and_its_images_are_compared() -> None:
    parts = {"train": ["A", "B"], "test": ["B", "C"]}
    found = split_findings(parts, ["A", "B", "D", "D"])
    assert [(f.kind, f.is_error, f.message) for f in found] == [
        (FindingKind.SERIES_IN_TWO_PARTS, True, "B stands in train and test"),
        (FindingKind.SERIES_WITHOUT_IMAGE, False, "C (test) names no image"),
        (FindingKind.IN_NO_PART, False, "series D: 2 images"),
    ]
