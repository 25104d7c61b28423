"""The repository of fingerprints."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from core.store.fingerprints import KeptFingerprint
from core.store.unit_of_work import Store
from tests.records import START, new_store, radiograph


@pytest.fixture
def store(engine: Engine) -> Store:
    return new_store(engine)


def kept(digit: str = "a", *, n_patches: int = 6) -> KeptFingerprint:
    byte = bytes([int(digit, 16)])
    return KeptFingerprint(digit * 64, byte * 1024, byte * 8 * n_patches, byte * 2304 * n_patches, 96, 64)


def stored(store: Store, digits: str) -> None:
    """Images, a minute apart."""
    with store.write() as work:
        for minute, digit in enumerate(digits):
            work.images.add(radiograph(digit), f"{digit}.tif", 1, at=START + timedelta(minutes=minute))


def test_what_goes_in_comes_out_with_the_size_of_its_image(store: Store) -> None:
    stored(store, "ab")
    with store.write() as work:
        work.fingerprints.add(kept("a"), at=START)
        work.fingerprints.add(kept("b", n_patches=0), at=START)
    with store.read() as work:
        assert work.fingerprints.of(["a" * 64, "b" * 64, "c" * 64]) == {
            "a" * 64: kept("a"),
            "b" * 64: kept("b", n_patches=0),
        }
        assert work.fingerprints.counts() == (2, 2)
        assert (work.fingerprints.has("a" * 64), work.fingerprints.has("c" * 64)) == (True, False)


def test_views_are_read_whole_or_since_a_moment(store: Store) -> None:
    stored(store, "abc")
    with store.write() as work:
        for hour, digit in enumerate("bca"):
            work.fingerprints.add(kept(digit), at=START + timedelta(hours=hour))
    with store.read() as work:
        views = {one.image_sha256[0]: one for one in work.fingerprints.views()}
        since = work.fingerprints.views(since=START + timedelta(hours=1))
        assert {one.image_sha256[0] for one in since} == {"a", "c"}
    assert sorted(views) == ["a", "b", "c"]
    assert (views["a"].handed_in_at, views["a"].made_at) == (START, START + timedelta(hours=2))
    assert (views["a"].n_patches, views["a"].view) == (6, b"\x0a" * 1024)


def test_images_without_one_are_listed_oldest_first(store: Store) -> None:
    stored(store, "abcd")
    with store.write() as work:
        work.fingerprints.add(kept("b"), at=START)
    with store.read() as work:
        assert work.fingerprints.missing(9) == ["a" * 64, "c" * 64, "d" * 64]
        assert work.fingerprints.missing(1, besides=["a" * 64]) == ["c" * 64]
        assert work.fingerprints.counts() == (4, 1)


def test_one_of_an_unknown_image_or_of_a_wrong_size_is_refused(store: Store) -> None:
    stored(store, "a")
    with pytest.raises(DBAPIError), store.write() as work:
        work.fingerprints.add(kept("c"), at=START)
    torn = KeptFingerprint("a" * 64, b"x" * 1024, b"x" * 8, b"x" * 2303)
    with pytest.raises(DBAPIError), store.write() as work:
        work.fingerprints.add(torn, at=START)
    with store.read() as work:
        assert work.fingerprints.counts() == (1, 0)


def test_made_by_many_at_once_one_is_kept(store: Store) -> None:
    stored(store, "a")
    barrier = threading.Barrier(4)
    errors: list[Exception] = []

    def add() -> None:
        barrier.wait()
        try:
            with store.write() as work:
                work.fingerprints.add(kept("a"), at=START)
        except Exception as error:  # noqa: BLE001 - reported below, in the main thread
            errors.append(error)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with store.read() as work:
        assert work.fingerprints.counts() == (1, 1)
