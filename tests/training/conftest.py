import numpy as np
import pytest

from core.training.images import TrainingImage


def make_image(seed=0, size=(200, 300), boxes=((100.0, 60.0, 120.0, 76.0),)):
    """Grey noise with a bright rectangle in each box."""
    rng = np.random.default_rng(seed)
    pixels = (0.4 + 0.02 * rng.standard_normal(size)).astype(np.float16)
    for x1, y1, x2, y2 in np.array(boxes, int):
        pixels[y1:y2, x1:x2] = 1.0
    n = len(boxes)
    return TrainingImage(
        pixels,
        np.array(boxes, np.float32).reshape(-1, 4),
        np.zeros(n, np.int64),
        np.zeros(n, np.bool_),
        f"part-{seed}",
        1.0,
        {"sha256": f"{seed:064x}", "file_name": f"{seed}.png", "series": f"part-{seed}"},
    )


@pytest.fixture
def image():
    return make_image()
