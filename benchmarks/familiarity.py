"""How well a casting version tells parts that taught it from others: `benchmarks/familiarity.json`.

    python benchmarks/familiarity.py --version models/checkpoints/casting-v4 --data DIR

`DIR` holds castings.json, castings_clean.json, castings_unlabelled.csv and the images. Parts are left out one
by one, and 27 further parts, which no version has seen, are asked about. Intervals are 95 %, by a bootstrap
over series.
"""

import argparse
import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.calibrate.familiarity import Features, is_set_aside, make_reference
from core.domain.radiograph import Polarity
from core.engine.detector import Detector
from core.imaging.normalise import normalise
from core.imaging.read import read_radiograph_file
from core.labelling.coco import read_coco
from core.labelling.split import members_of, read_split
from core.services.lifecycle.familiarising import LOOKED_AT

OUT = Path(__file__).with_suffix(".json")
#: Series that show one part, as in data/splits/casting.yaml; every other series is a part of its own.
SAME_PART = (
    ("C0001", "C0002"),
    ("C0032", "C0033"),
    ("C0034", "C0035", "C0010"),
    ("C0008", "C0038", "C0039", "C0040"),
    ("C0041", "C0042"),
    ("C0015", "C0031"),
)
_SPLITS = Path(__file__).resolve().parents[1] / "data" / "splits"
#: File and part of the views that calibrate, and of further ones; neither trained the version.
_HELD_BACK = (("casting-eighth-views.yaml", "eighth"), ("casting-views.yaml", "held_views"))
_VIEWS_OF_NEW_PARTS = 8
_RESAMPLES = 1000
Distances = npt.NDArray[np.float64]


def looks(
    detector: Detector, data: Path, files: dict[str, list[str]], at_most: int
) -> tuple[Features, list[str]]:
    """(N, D) features of evenly chosen views of each series, and the N series."""
    found, series = [], []
    for name, own in sorted(files.items()):
        for index in np.unique(np.linspace(0, len(own) - 1, at_most).round().astype(int)):
            radiograph = read_radiograph_file(data / own[index], polarity=Polarity.DIGITAL)
            found.append(detector.appearance(normalise(radiograph.pixels)))
            series.append(name)
    return np.stack(found), series


def labelled(data: Path, held: set[str]) -> dict[str, list[str]]:
    """Files of each labelled series, less the views that are held back."""
    files: dict[str, list[str]] = {}
    for coco in ("castings.json", "castings_clean.json"):
        for image in read_coco(data / coco).images:
            if Path(image.file_name).stem not in held:
                files.setdefault(Path(image.file_name).parent.name, []).append(image.file_name)
    return files


def unlabelled(data: Path) -> dict[str, list[str]]:
    """Files of each further series."""
    files: dict[str, list[str]] = {}
    with (data / "castings_unlabelled.csv").open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            files.setdefault(row["series"], []).append(row["file_name"])
    return files


def auroc(strange: Distances, familiar: Distances) -> float:
    """Chance that a strange image is farther than a familiar one; ties count half."""
    below = (strange[:, None] > familiar[None]).mean() + 0.5 * (strange[:, None] == familiar[None]).mean()
    return float(below)


def by_series(
    figure: Callable[..., float], *groups: tuple[Distances, Sequence[str]], seed: int = 0
) -> dict[str, Any]:
    """The figure of all groups, and its interval over resamples of whole series in each."""
    rng = np.random.default_rng(seed)
    index = [
        {one: np.flatnonzero(np.asarray(series) == one) for one in sorted(set(series))}
        for _, series in groups
    ]
    drawn = []
    for _ in range(_RESAMPLES):
        drawn.append(
            figure(
                *(
                    values[np.concatenate([of[one] for one in rng.choice(sorted(of), len(of))])]
                    for (values, _), of in zip(groups, index, strict=True)
                )
            )
        )
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {
        "value": round(figure(*(values for values, _ in groups)), 3),
        "interval": [round(float(low), 3), round(float(high), 3)],
    }


def measure(
    learnt: tuple[Features, list[str]], held: tuple[Features, list[str]], new: tuple[Features, list[str]]
) -> dict[str, Any]:
    """Every figure; each argument holds features and the series that they are of."""
    part_of = {series: group[0] for group in SAME_PART for series in group}
    views, series = learnt
    parts = np.array([part_of.get(one, one) for one in series])

    def reference(keep: npt.NDArray[np.bool_]) -> Any:
        names = [one for one, is_kept in zip(series, keep, strict=True) if is_kept]
        return make_reference(views[keep], names, *held, weights_sha256="", about={})

    whole = reference(np.ones(len(series), bool))
    aside = is_set_aside(series)
    familiar = (
        np.array([whole.distance(one) for one in views[aside]]),
        [s for s, is_one in zip(series, aside, strict=True) if is_one],
    )
    strange = np.array([whole.distance(one) for one in new[0]]), new[1]
    left_out: list[float] = []
    is_told: list[float] = []
    left_series: list[str] = []
    for part in sorted(set(parts)):
        without = reference(parts != part)
        for one, name in zip(views[parts == part], np.asarray(series)[parts == part], strict=True):
            left_out.append(without.distance(one))
            is_told.append(float(left_out[-1] > without.limit))
            left_series.append(str(part_of.get(name, name)))
    limit = whole.limit
    return {
        "limit": round(limit, 3),
        "n_taught_series": len(set(series)),
        "n_new_parts": len(set(new[1])),
        "strange_of_taught": by_series(lambda v: float(np.mean(v > limit)), familiar),
        "strange_of_held_back": by_series(
            lambda v: float(np.mean(v > limit)), (np.array([whole.distance(one) for one in held[0]]), held[1])
        ),
        "strange_of_new": by_series(lambda v: float(np.mean(v > limit)), strange),
        "strange_of_left_out": by_series(lambda v: float(np.mean(v)), (np.array(is_told), left_series)),
        "auroc_new": by_series(auroc, strange, familiar),
        "auroc_left_out": by_series(auroc, (np.array(left_out), left_series), familiar),
        "new_parts_taken_for_taught": {
            one: round(float(np.median(strange[0][np.asarray(new[1]) == one])), 2)
            for one in sorted(set(new[1]))
            if np.mean(strange[0][np.asarray(new[1]) == one] > limit) < 0.5
        },
    }


def main() -> None:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--version", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    asked = parser.parse_args()
    detector = Detector.load(asked.version / "weights.safetensors")
    calibrating, further = (set(members_of(read_split(_SPLITS / file), part)) for file, part in _HELD_BACK)
    files: dict[str, list[str]] = {}
    for image in read_coco(asked.data / "castings.json").images:
        if Path(image.file_name).stem in calibrating:
            files.setdefault(Path(image.file_name).parent.name, []).append(image.file_name)
    figures = measure(
        looks(detector, asked.data, labelled(asked.data, calibrating | further), LOOKED_AT),
        looks(detector, asked.data, files, len(calibrating)),
        looks(detector, asked.data, unlabelled(asked.data), _VIEWS_OF_NEW_PARTS),
    )
    OUT.write_text(json.dumps({asked.version.name: figures}, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
