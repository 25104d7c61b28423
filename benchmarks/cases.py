"""Reads every small input in a folder of failing cases and prints: case, before, now, right.

`python -m benchmarks.cases [FOLDER]`; FOLDER (../shared/cases) holds `README.md`, `img`, `labels` and `eval`.
What happened before and what is right, in words, stand in the tables of the README; what has to come out now
stands in `cases.json` beside this file. Exit code 1 when something else comes out, or a case has no line.
"""

import json
import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.domain.errors import WorkbenchError
from core.imaging.read import read_radiograph
from core.imaging.uploads import frames_in
from core.labelling.class_mapping import ClassMapping
from core.labelling.coco import read_coco
from core.labelling.image_matching import KnownImage
from core.labelling.import_plan import PlannedImage, plan_import
from core.labelling.label_reading import read_labels
from core.labelling.label_source import opened
from core.labelling.source_images import SourceImages

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT.parent / "shared" / "cases"
WANTED = Path(__file__).with_name("cases.json")
_STORED = dict.fromkeys(("film.png", "b.png", "scan.tif", "weld 12 (3).png", "Naht_Öl.png"), (200, 100)) | {
    "tall.png": (100, 200),
    "W" * 130 + ".png": (200, 100),
}
#: By what the film is divided where a case holds fewer bits of it.
_DIVISORS = (1, 4, 16, 64, 256)


@dataclass(frozen=True, slots=True)
class Case:
    """One input.

    Attributes:
        name: its path in the folder.
        before: what the product did with its kind, as the README says.
        now: what it does.
        right: what is right, as the README says.
        wanted: what has to come out; None where nobody wrote it down.
    """

    name: str
    before: str
    now: str
    right: str
    wanted: str | None

    @property
    def is_right(self) -> bool:
        """True when what has to come out comes out."""
        return self.wanted == self.now


def cases(folder: Path) -> list[Case]:
    """Every input of the folder, read."""
    wanted: dict[str, str] = json.loads(WANTED.read_text(encoding="utf-8"))
    said = list(_said((folder / "README.md").read_text(encoding="utf-8")))
    film = np.load(folder / "img" / "film.npy").astype(np.float64)
    readers: Mapping[str, Callable[[Path], str]] = {
        "img": lambda path: picture(path, film), "labels": labels, "eval": evaluated,
    }  # fmt: skip
    found = []
    for kind, read in readers.items():
        for path in sorted(one for one in (folder / kind).iterdir() if one.is_file()):
            name = f"{kind}/{path.name}"
            before, right = next(
                ((was, is_right) for names, was, is_right in said if _is_named(path.name, names)),
                ("right, or clearly refused", "stays so") if kind != "eval" else ("", "as import reads them"),
            )
            found.append(Case(name, before, _outcome(read, path), right, wanted.get(name)))
    return found


def picture(path: Path, film: npt.NDArray[np.float64]) -> str:
    """The pictures in a file: number, size, depth, range, how far the first one is from the film, remarks."""
    frames = list(frames_in(path.read_bytes(), path.name))
    read = [read_radiograph(one.read(), one.name, frame=one.frame) for one in frames]
    first = read[0]
    values = first.pixels.astype(np.float64)
    size = f"{len(read)} x {first.width}x{first.height}, {first.bit_depth} bit"
    words = f"{size}, {values.min():g} to {values.max():g}"
    if values.shape == film.shape:
        films = {f"film / {divisor}" if divisor > 1 else "film": film // divisor for divisor in _DIVISORS}
        films["film, inverted"] = 65535 - film
        off, name = min((float(np.abs(values - one).max()), name) for name, one in films.items())
        words += f", within {off:g} of {name}" if off <= 4 else ""
    notes = [re.sub(r" of the file with SHA-256 \w+", "", note) for note in first.notes]
    return "; ".join((words, *notes))


def labels(path: Path) -> str:
    """What each image would get from a file of labels, and what is told."""
    stored = [KnownImage(f"{n:064x}", name, *size) for n, (name, size) in enumerate(_STORED.items())]
    with path.open("rb") as source, opened(source, path.name) as files:
        file = read_labels(files, path.name)
    beside = SourceImages(stored, [])
    plan = plan_import(file, [beside.find(one) for one in file.entries], {}, mapping=ClassMapping({}))
    asked = [f"asks what {one.name!r} means" for one in plan.open_classes]
    return "; ".join((*map(_planned, plan.images), *asked, *plan.refused, *plan.notes))


def _planned(image: PlannedImage) -> str:
    name = image.image.name[:20] if image.image else image.name[:20]
    boxes = " ".join(
        f"{one.indication_class.value} [{' '.join(f'{edge:g}' for edge in one.bbox)}]"
        f"{f' of {len(one.polygon)} corners' if one.polygon else ''}"
        for one in image.labels
    )
    told = [image.why, *image.notes, *(image.refused if not image.why else ())]
    return f"{name}: {boxes or image.outcome}" + "".join(f" ({one})" for one in told if one)


def evaluated(path: Path) -> str:
    """What a file of recorded boxes counts as."""
    told: list[str] = []
    images = read_coco(path, tell=told.append).images
    n_boxes, n_ignored = sum(len(one.boxes) for one in images), sum(len(one.ignored) for one in images)
    return "; ".join((f"{len(images)} images, {n_boxes} boxes count, {n_ignored} are ignored", *told))


def _outcome(read: Callable[[Path], str], path: Path) -> str:
    try:
        return read(path)
    except WorkbenchError as error:
        return f"refused: {str(error).removesuffix(f' ({path.name})')}"


def _said(readme: str) -> Iterator[tuple[list[str], str, str]]:
    """Rows of the tables: the names in the first cell, what happened, what is right."""
    for line in readme.splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split("|")]
        if len(cells) == 4 and (names := re.findall(r"`([^`]+\.\w+)`", cells[0])):
            yield names, cells[2], cells[3]


def _is_named(file: str, names: list[str]) -> bool:
    return any(fnmatch(file, name) for name in names)


def main(folder: Path) -> int:
    """Print the table; 0 when all is right."""
    logging.disable(logging.CRITICAL)
    found = cases(folder)
    print("| case | before | now | right | |\n|---|---|---|---|---|")
    for one in found:
        mark = "ok" if one.is_right else f"WRONG, expected: {one.wanted}"
        print(f"| {one.name} | {one.before} | {one.now} | {one.right} | {mark} |")
    n_wrong = sum(not one.is_right for one in found)
    print(f"\n{len(found)} cases, {n_wrong} not as they should be", file=sys.stderr)
    return 1 if n_wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER))
