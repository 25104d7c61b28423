"""What a data version is, and how it is split."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.data_manifest import (
    DataManifest,
    ImageOrigin,
    LabelledBox,
    ManifestImage,
    Part,
    assign_parts,
    difference,
    manifest_from,
)
from core.domain.errors import DatasetError
from core.domain.indication import IndicationClass
from core.domain.radiograph import Polarity

BOX = LabelledBox((1.0, 2.0, 30.5, 40.0), IndicationClass.CRACK)


def image(
    digit: str, *, series: str = "", part: Part = Part.TRAIN, boxes: tuple[LabelledBox, ...] = (BOX,)
) -> ManifestImage:
    return ManifestImage(
        sha256=digit * 64,
        name=f"{digit}.png",
        series=series or f"series {digit}",
        part=part,
        polarity=Polarity.FILM,
        width=100,
        height=80,
        boxes=boxes,
        origin=ImageOrigin.LABELS,
        annotation_version=3,
    )


def manifest(*images: ManifestImage, licence: str = "ours") -> DataManifest:
    return DataManifest("weld", licence, None, images)


def test_the_same_content_has_the_same_id_in_whatever_order_it_came() -> None:
    one, other = manifest(image("a"), image("b")), manifest(image("b"), image("a"))
    assert one.sha256 == other.sha256
    assert one == other


@pytest.mark.parametrize(
    "change",
    [
        {"boxes": ()},
        {"part": Part.TEST},
        {"annotation_version": 4},
        {"polarity": Polarity.DIGITAL},
        {"series": "other"},
    ],
)
def test_any_change_gives_another_id(change: dict[str, object]) -> None:
    assert manifest(image("a")).sha256 != manifest(replace(image("a"), **change)).sha256
    assert manifest(image("a")).sha256 != manifest(image("a"), licence="CC0").sha256


def test_a_manifest_is_read_back_as_it_was_written() -> None:
    outlined = replace(BOX, polygon=((1.0, 2.0), (30.5, 2.0), (30.5, 40.0)))
    one = manifest(image("a", boxes=()), image("b", part=Part.TEST), image("c", boxes=(BOX, outlined)))
    assert manifest_from(one.to_json()) == one
    assert "polygon" not in BOX.to_dict()  # the id of versions without outlines stays what it was


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "images": [{}]}'])
def test_what_is_no_manifest_is_one_clear_error(text: str) -> None:
    with pytest.raises(DatasetError, match="not the manifest of a data version"):
        manifest_from(text)


def test_an_image_twice_or_a_series_in_two_parts_is_no_data_version() -> None:
    with pytest.raises(DatasetError, match="twice"):
        manifest(image("a"), image("a"))
    with pytest.raises(DatasetError, match="shaft stands in two parts"):
        manifest(image("a", series="shaft"), image("b", series="shaft", part=Part.TEST))


def test_counts_tell_images_boxes_and_classes_by_part() -> None:
    counts = manifest(image("a"), image("b", boxes=()), image("c", part=Part.TEST)).counts()
    assert (counts["images"], counts["boxes"], counts["clean"], counts["series"]) == (3, 2, 1, 3)
    assert counts["parts"] == {"train": [2, 1], "calibration": [0, 0], "test": [1, 1]}
    assert counts["classes"] == {"crack": 2}


def test_the_difference_names_what_came_went_and_changed() -> None:
    before = manifest(image("a"), image("b"), image("c"))
    after = manifest(image("b"), replace(image("c"), boxes=(), annotation_version=4), image("d"))
    found = difference(before, after)
    assert [one.sha256[0] for one in found.added] == ["d"]
    assert [one.sha256[0] for one in found.removed] == ["a"]
    assert [(old.sha256[0], len(old.boxes), len(new.boxes)) for old, new in found.changed] == [("c", 1, 0)]
    assert difference(before, before).is_empty


@pytest.mark.parametrize(
    ("n_series", "expected"),
    [
        (0, {}),
        (1, {Part.TRAIN: 1}),
        (4, {Part.TRAIN: 4}),
        (5, {Part.TRAIN: 3, Part.CALIBRATION: 1, Part.TEST: 1}),
        (20, {Part.TRAIN: 12, Part.CALIBRATION: 4, Part.TEST: 4}),
    ],
)
def test_few_series_all_train_and_many_are_held_back_by_their_share(
    n_series: int, expected: dict[Part, int]
) -> None:
    parts = assign_parts([f"s{n}" for n in range(n_series)], {}, calibration_share=0.2, test_share=0.2)
    assert Counter(parts.values()) == expected


@given(
    st.sets(st.text(min_size=1, max_size=8), max_size=40),
    st.sets(st.text(min_size=1, max_size=8), max_size=40),
)
def test_what_was_held_back_once_stays_held_back(first: set[str], more: set[str]) -> None:
    shares = {"calibration_share": 0.2, "test_share": 0.2}
    before = assign_parts(first, {}, **shares)
    after = assign_parts(first | more, before, **shares)
    assert set(after) == first | more
    assert all(after[name] is part for name, part in before.items())


def test_a_frame_keeps_its_file_and_number() -> None:
    frame = replace(image("a"), file_sha256="f" * 64, frame=2)
    manifest = DataManifest("weld", "ours", None, (frame, image("b")))
    again = manifest_from(manifest.to_json())
    assert again == manifest
    assert [(one.file_sha256, one.frame) for one in again.images] == [("f" * 64, 2), ("b" * 64, None)]
