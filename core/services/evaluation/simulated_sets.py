"""Simulated welds as files to measure versions on: they need no data of anybody."""

import json
from collections.abc import Callable
from pathlib import Path

from core.domain.errors import BadInputError
from core.simulate.dataset import TRUTH_FILE, coco_truth, encode_png
from core.simulate.render import simulate_weld

_MOST = 1000


def write_simulated(folder: Path, count: int, seed: int, told: Callable[[int], None]) -> Path:
    """The truth file of `count` simulated welds in a folder; pictures that lie there are not written again.

    Args:
        folder: made when it is not there.
        count: of radiographs.
        seed: of the first; the others follow.
        told: called after each with how many are done; what it raises ends the work.

    Raises:
        BadInputError: it is not asked for 1 to 1000.
    """
    if not 1 <= count <= _MOST:
        raise BadInputError(f"expected 1 to {_MOST} simulated radiographs, got {count}")
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for number in range(count):
        radiograph = simulate_weld(seed + number)
        path = folder / f"weld_{seed + number:06d}.png"
        if not path.is_file():
            temporary = path.with_suffix(".new")
            temporary.write_bytes(encode_png(radiograph))
            temporary.replace(path)
        entries.append((path.name, radiograph))
        told(number + 1)
    truth = folder / TRUTH_FILE
    truth.write_text(json.dumps(coco_truth(entries)) + "\n", encoding="utf-8")
    return truth
