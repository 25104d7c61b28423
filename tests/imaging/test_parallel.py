"""Several files at once: none waits for another, and none changes another."""

import statistics
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
from PIL import Image

from core.domain.errors import UnreadableImageError
from core.imaging.read import read_radiograph
from tests.fuzz.seeds import seeds
from tests.imaging.pictures import picture, pillow_bytes


def seconds_to_read(data: bytes) -> float:
    start = time.perf_counter()
    read_radiograph(data)
    return time.perf_counter() - start


def test_a_small_picture_does_not_wait_for_a_large_one():
    small = pillow_bytes(picture(np.uint16, (200, 200)), "PNG")
    noise = np.random.default_rng(0).normal(20_000, 60, (5000, 8000)).astype(np.uint16)
    stream = BytesIO()
    Image.fromarray(noise).save(stream, "TIFF", compression="tiff_lzw")
    large = stream.getvalue()
    alone = statistics.median(seconds_to_read(small) for _ in range(20))
    beside: list[float] = []
    reader = threading.Thread(target=read_radiograph, args=(large,))
    reader.start()
    while reader.is_alive():
        beside.append(seconds_to_read(small))
    reader.join()
    assert len(beside) >= 5
    assert (
        max(beside) < 300 * alone
    )  # behind a lock it would wait for the whole large file, thousands of times


def test_files_read_at_once_come_out_as_one_after_the_other():
    files = [data for name, data in sorted(seeds().items()) if not name.endswith(".zip")]
    broken = [data[: len(data) // 2] for data in files]

    def outcome(data: bytes) -> tuple[object, ...]:
        try:
            radiograph = read_radiograph(data)
        except UnreadableImageError as error:
            return (str(error),)
        return (radiograph.pixels.tobytes(), radiograph.bit_depth, radiograph.notes, radiograph.pitch)

    expected = [outcome(data) for data in files + broken]
    filters = list(warnings.filters)
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(outcome, (files + broken) * 3)) == expected * 3
    assert list(warnings.filters) == filters
