import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from core.domain.radiograph import PitchSource, PixelPitch, Polarity, Radiograph
from core.store.images import ImageRepository, StoredImage

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def radiograph(digit: str = "a", pitch: PixelPitch | None = None) -> Radiograph:
    return Radiograph(
        pixels=np.zeros((40, 60), np.uint16),
        bit_depth=14,
        polarity=Polarity.FILM,
        pitch=pitch,
        sha256=digit * 64,
        file_format="TIFF",
    )


def test_what_goes_in_comes_out(engine: Engine) -> None:
    repository = ImageRepository(engine, clock=lambda: START)
    pitch = PixelPitch(0.05, PitchSource.DETECTOR_UNCALIBRATED)
    expected = StoredImage(
        "a" * 64, "weld 7.tif", "TIFF", 60, 40, 14, Polarity.FILM, pitch, n_bytes=4800, created_at=START
    )
    assert repository.add(radiograph(pitch=pitch), "weld 7.tif", 4800) == expected
    assert repository.find("a" * 64) == expected


def test_the_same_bytes_again_change_nothing(engine: Engine) -> None:
    moments = iter(START + timedelta(minutes=n) for n in range(9))
    repository = ImageRepository(engine, clock=lambda: next(moments))
    first = repository.add(radiograph(), "first.tif", 4800)
    assert repository.add(radiograph(), "second.tif", 4800) == first
    assert repository.latest(10) == [first]


def test_the_same_bytes_from_many_threads_make_one_row(engine: Engine) -> None:
    repository = ImageRepository(engine)
    stored: list[StoredImage] = []
    barrier = threading.Barrier(6)

    def add(n: int) -> None:
        barrier.wait()
        stored.append(repository.add(radiograph(), f"{n}.tif", 4800))

    threads = [threading.Thread(target=add, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stored) == 6
    assert len(set(stored)) == 1
    assert repository.latest(10) == stored[:1]


def test_an_unknown_digest_finds_nothing(engine: Engine) -> None:
    assert ImageRepository(engine).find("b" * 64) is None


def test_latest_is_newest_first_and_limited(engine: Engine) -> None:
    moments = iter(START + timedelta(minutes=n) for n in range(3))
    repository = ImageRepository(engine, clock=lambda: next(moments))
    for digit in "abc":
        repository.add(radiograph(digit), f"{digit}.tif", 1)
    assert [image.name for image in repository.latest(2)] == ["c.tif", "b.tif"]


def test_a_long_name_keeps_its_end(engine: Engine) -> None:
    stored = ImageRepository(engine).add(radiograph(), "x" * 400 + ".dcm", 1)
    assert len(stored.name) == 255
    assert stored.name.endswith("x.dcm")


def test_a_row_that_the_database_refuses_is_an_error(engine: Engine) -> None:
    with pytest.raises(IntegrityError):
        ImageRepository(engine).add(radiograph("too long "), "a.tif", 1)
