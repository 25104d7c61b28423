"""Recognising copies of earlier images in a workspace."""

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from core.domain.accounts import COMMAND_LINE, Identity
from core.imaging.fingerprint import fingerprint
from core.services.images.copies import CopySearch, fingerprint_from, kept_fingerprint
from core.services.workspaces import Workspace, make_workspace
from core.store.unit_of_work import Store
from tests.services.exposures import exposure, jpeg, png


@pytest.fixture
def place(store: Store, tmp_path: Path) -> Workspace:
    """An empty workspace."""
    return make_workspace("", store, tmp_path)


def add(place: Workspace, data: bytes, name: str, who: Identity = COMMAND_LINE):
    return place.images.add(who, data, name)


def forget_fingerprints(place: Workspace) -> None:
    """As if an earlier release had stored the images."""
    with place.store.engine.begin() as connection:
        connection.execute(text("DELETE FROM image_fingerprints"))


def test_a_fingerprint_comes_back_from_its_bytes(place: Workspace) -> None:
    made = fingerprint(add(place, png(exposure(1)), "first.png"))
    with place.store.read() as work:
        kept = work.fingerprints.of([made.sha256])[made.sha256]
    again = fingerprint_from(kept)
    assert (again.sha256, again.width, again.height) == (made.sha256, 900, 480)
    for name in ("view", "patches", "corners"):
        np.testing.assert_array_equal(getattr(again, name), getattr(made, name))
    assert kept_fingerprint(made) == kept


def test_the_first_image_has_nothing_to_be_compared_with(place: Workspace) -> None:
    found = place.copies.compare(add(place, png(exposure(1)), "first.png"))
    assert (found.n_earlier, found.copy, found.n_waiting) == (0, None, 0)


def test_a_copy_names_the_earlier_image_and_the_earlier_one_never_the_later(place: Workspace) -> None:
    first = add(place, png(exposure(1)), "weld 7.png")
    add(place, png(exposure(2)), "again exposed.png")
    copy = add(place, jpeg(exposure(1)), "copy.jpg")
    found = place.copies.compare(copy)
    assert found.copy is not None
    assert (found.copy.sha256, found.copy.is_same_file, found.n_earlier) == (first.sha256, False, 2)
    with place.store.read() as work:
        assert found.copy_name == f"weld 7.png, handed in on {work.now:%Y-%m-%d}"
    assert place.copies.compare(first).copy is None


def test_another_exposure_of_the_same_part_is_no_copy(place: Workspace) -> None:
    add(place, png(exposure(1)), "first.png")
    found = place.copies.compare(add(place, png(exposure(2)), "second.png"))
    assert (found.copy, found.n_earlier) == (None, 1)


def test_the_same_file_is_one_image_and_no_copy_of_itself(place: Workspace) -> None:
    add(place, png(exposure(1)), "first.png")
    again = add(place, png(exposure(1)), "another name.png")
    assert place.copies.compare(again).copy is None


def test_images_that_another_process_adds_are_compared_with(place: Workspace, tmp_path: Path) -> None:
    place.copies.compare(add(place, png(exposure(2)), "known.png"))
    other = make_workspace("", place.store, tmp_path)
    first = add(other, png(exposure(1)), "of the other.png")
    found = place.copies.compare(add(place, jpeg(exposure(1)), "copy.jpg"))
    assert found.copy is not None
    assert found.copy.sha256 == first.sha256


def test_an_image_with_too_little_grain_is_counted_apart(place: Workspace) -> None:
    add(place, png(np.zeros((300, 300), np.uint8)), "blank.png")
    found = place.copies.compare(add(place, png(exposure(1)), "first.png"))
    assert (found.n_earlier, found.n_without_grain) == (0, 1)


def test_images_of_an_earlier_release_are_caught_up_with_a_few_at_a_time(place: Workspace) -> None:
    first = add(place, png(exposure(1)), "first.png")
    add(place, png(exposure(2)), "second.png")
    forget_fingerprints(place)
    copy = add(place, jpeg(exposure(1)), "copy.jpg")
    before = place.copies.compare(copy)
    assert (before.copy, before.n_earlier, before.n_waiting) == (None, 0, 2)
    assert [place.copies.catch_up(1) for _ in range(3)] == [1, 1, 0]
    after = place.copies.compare(copy)
    assert after.copy is not None
    assert (after.copy.sha256, after.n_waiting) == (first.sha256, 0)


def test_an_image_of_an_earlier_release_gets_its_fingerprint_when_it_is_compared(place: Workspace) -> None:
    first = add(place, png(exposure(1)), "first.png")
    forget_fingerprints(place)
    assert place.copies.compare(first).n_waiting == 0
    with place.store.read() as work:
        assert work.fingerprints.has(first.sha256)


def test_one_that_cannot_be_read_does_not_stop_the_others(place: Workspace) -> None:
    lost = add(place, png(exposure(1)), "lost.png")
    add(place, png(exposure(2)), "second.png")
    forget_fingerprints(place)
    place.blobs.path(lost.sha256).unlink()
    search = CopySearch(place.store, place.images.load)
    place.images.forget(lost.sha256)
    assert [search.catch_up(5), search.catch_up(5)] == [1, 0]
    again = add(place, png(exposure(3)), "third.png")
    assert search.compare(again).n_waiting == 1
