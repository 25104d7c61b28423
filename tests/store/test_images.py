"""The repository of radiographs."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from core.domain.radiograph import PitchSource, PixelPitch, Polarity, Radiograph
from core.store.images import StoredImage
from core.store.unit_of_work import Store
from tests.records import START, add_user, new_store
from tests.records import radiograph as plain_radiograph


@pytest.fixture
def store(engine: Engine) -> Store:
    return new_store(engine)


def radiograph(digit: str = "a", pitch: PixelPitch | None = None, **fields: str) -> Radiograph:
    plain = plain_radiograph(digit)
    return Radiograph(plain.pixels, 14, Polarity.FILM, pitch, digit * 64, "TIFF", fields=fields)


def test_what_goes_in_comes_out(store: Store) -> None:
    pitch = PixelPitch(0.05, PitchSource.DETECTOR_UNCALIBRATED)
    inspector = add_user(store)
    expected = StoredImage(
        sha256="a" * 64,
        file_sha256="a" * 64,
        frame=None,
        name="weld 7.tif",
        file_format="TIFF",
        width=96,
        height=64,
        bit_depth=14,
        polarity=Polarity.FILM,
        pitch=pitch,
        n_bytes=4800,
        created_at=START,
        uploaded_by=inspector.user_id,
        fields={"PatientID": "weld 7"},
    )
    with store.write() as work:
        film = radiograph(pitch=pitch, PatientID="weld 7")
        added = work.images.add(film, "weld 7.tif", 4800, at=START, uploaded_by=inspector.user_id)
    assert added == (expected, True)
    with store.read() as work:
        assert work.images.find("a" * 64) == expected
        assert work.images.total_bytes() == 4800


def test_the_same_bytes_again_change_nothing(store: Store) -> None:
    with store.write() as work:
        first, is_new = work.images.add(radiograph(), "first.tif", 4800, at=START)
    with store.write() as work:
        again = work.images.add(radiograph(), "second.tif", 4800, at=START + timedelta(minutes=1))
    assert (is_new, again) == (True, (first, False))


def test_the_same_bytes_from_many_threads_make_one_row(store: Store) -> None:
    stored: list[tuple[StoredImage, bool]] = []
    barrier = threading.Barrier(6)

    def add(n: int) -> None:
        barrier.wait()
        with store.write() as work:
            stored.append(work.images.add(radiograph(), f"{n}.tif", 4800, at=START))

    threads = [threading.Thread(target=add, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stored) == 6
    assert len({image.name for image, _ in stored}) == 1
    assert sum(is_new for _, is_new in stored) == 1


def test_an_unknown_digest_finds_nothing(store: Store) -> None:
    with store.read() as work:
        assert work.images.find("b" * 64) is None
        assert work.images.total_bytes() == 0


def test_latest_is_newest_first_and_limited(store: Store) -> None:
    with store.write() as work:
        for minute, digit in enumerate("abc"):
            work.images.add(radiograph(digit), f"{digit}.tif", 1, at=START + timedelta(minutes=minute))
    with store.read() as work:
        assert [image.name for image in work.images.latest(2)] == ["c.tif", "b.tif"]


def test_a_long_name_keeps_its_end(store: Store) -> None:
    with store.write() as work:
        stored, _ = work.images.add(radiograph(), "x" * 400 + ".dcm", 1, at=START)
    assert len(stored.name) == 255
    assert stored.name.endswith("x.dcm")


def test_a_row_that_the_database_refuses_is_an_error(store: Store) -> None:
    with pytest.raises(DBAPIError), store.write() as work:
        work.images.add(radiograph("too short "[:3]), "a.tif", 1, at=START)
    with store.read() as work:
        assert work.images.latest(10) == []


def test_an_uploader_that_does_not_exist_is_refused(store: Store) -> None:
    with pytest.raises(DBAPIError), store.write() as work:
        work.images.add(radiograph(), "a.tif", 1, at=START, uploaded_by="u-nobody")
