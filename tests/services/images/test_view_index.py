"""The coarse views in memory."""

from datetime import timedelta

import numpy as np

from core.services.images.view_index import view_index
from core.store.fingerprints import KeptView
from tests.records import START


def kept(digit: str, minute: int, *, n_patches: int = 6) -> KeptView:
    made_at = START + timedelta(hours=minute)
    return KeptView(digit * 64, START + timedelta(minutes=minute), made_at, n_patches, b"\x07" * 1024)


def test_an_empty_index_holds_nothing() -> None:
    index = view_index(())
    assert (len(index), index.place("a" * 64), index.newest) == (0, None, None)
    assert index.views.shape == (0, 32, 32)
    assert index.with_views(()) is index


def test_images_stand_in_the_order_they_were_handed_in_whenever_they_came_to_the_index() -> None:
    index = view_index([kept("c", 3), kept("a", 1)]).with_views([kept("b", 2), kept("d", 4), kept("a", 1)])
    assert [digest.decode()[0] for digest in index.digests] == ["a", "b", "c", "d"]
    assert [index.place(digit * 64) for digit in "abcde"] == [0, 1, 2, 3, None]
    assert index.newest == START + timedelta(hours=4)
    assert index.views.shape == (4, 32, 32)


def test_images_of_one_moment_stand_by_their_digest() -> None:
    index = view_index([kept("b", 1), kept("a", 1)])
    assert (index.place("a" * 64), index.place("b" * 64)) == (0, 1)


def test_an_image_without_grain_is_no_candidate() -> None:
    index = view_index([kept("a", 1, n_patches=3), kept("b", 2, n_patches=2)])
    assert index.has_grain.tolist() == [True, False]
    assert [int(np.abs(view).max()) for view in index.views] == [7, 0]
