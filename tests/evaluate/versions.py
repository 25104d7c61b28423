"""Simulated versions of a detector on simulated sets, as good as they are told to be."""

import zlib
from dataclasses import dataclass

import numpy as np

from core.evaluate.operating_figures import MeasuredVersion, operating_figures
from core.evaluate.outcome import ImageOutcome
from core.evaluate.outcome_table import OutcomeTable, tabulate
from core.evaluate.resampling import Resampling
from core.evaluate.version_figures import version_figures

CLASSES = ("crack", "porosity")


@dataclass(frozen=True)
class Skill:
    """How good a version is.

    Attributes:
        found: chance to find a recorded box of average difficulty.
        false_calls: expected an image.
        right_class: chance to name the class.
        overconfidence: added to the logit of every probability.
    """

    found: float = 0.6
    false_calls: float = 1.5
    right_class: float = 0.9
    overconfidence: float = 0.0


def recorded(
    n_images: int, seed: int, *, per_part: int = 1, mm_per_px: float | None = 0.05
) -> list[ImageOutcome]:
    """Images with 0 to 6 recorded boxes and nothing reported yet."""
    random = np.random.default_rng(seed)
    images = []
    for number in range(n_images):
        n = int(random.integers(0, 7))
        corner = np.stack([np.arange(n) * 150.0, np.full(n, 100.0)], axis=1)
        sides = random.uniform(8, 90, (n, 2))
        truth = np.concatenate([corner, corner + sides], axis=1).astype(np.float32).reshape(-1, 4)
        labels = tuple(CLASSES[i] for i in random.integers(2, size=n))
        empty = np.zeros(0, np.float32)
        images.append(
            ImageOutcome(
                f"{number}.png", f"part {number // per_part}", truth, labels, np.zeros((0, 4), np.float32),
                empty, (), empty, mm_per_px,
            )
        )  # fmt: skip
    return images


def reported(images: list[ImageOutcome], skill: Skill, seed: int) -> list[ImageOutcome]:
    """What a version of this skill reports; parts are easy or hard for every version alike."""
    random = np.random.default_rng(seed)
    found = []
    for image in images:
        ease = np.random.default_rng(zlib.crc32(image.cluster.encode())).normal(0, 0.8)
        chance = 1 / (1 + np.exp(-(np.log(skill.found / (1 - skill.found)) + ease)))
        is_found = random.random(len(image.truth)) < chance
        shift = random.normal(0, 1.0, (int(is_found.sum()), 4))
        hits = image.truth[is_found] + shift.astype(np.float32)
        n_false = int(random.poisson(skill.false_calls))
        corner = np.stack([random.uniform(0, 900, n_false), np.full(n_false, 400.0)], axis=1)
        false = np.concatenate([corner, corner + 30], axis=1).astype(np.float32).reshape(-1, 4)
        boxes = np.concatenate([hits, false])
        logits = np.concatenate([random.normal(1.5, 1, len(hits)), random.normal(0.0, 1, n_false)])
        scores = (1 / (1 + np.exp(-logits))).astype(np.float32)
        probabilities = 1 / (1 + np.exp(-(logits + skill.overconfidence)))
        names = [n for n, is_hit in zip(image.truth_labels, is_found, strict=True) if is_hit]
        names = [n if random.random() < skill.right_class else CLASSES[1 - CLASSES.index(n)] for n in names]
        labels = (*names, *(CLASSES[i] for i in random.integers(2, size=n_false)))
        found.append(
            ImageOutcome(
                image.name, image.cluster, image.truth, image.truth_labels, boxes, scores, tuple(labels),
                probabilities, image.mm_per_px,
            )
        )  # fmt: skip
    return found


def table_of(
    images: list[ImageOutcome], *, is_class_aware: bool = True, operating: float = 0.5
) -> OutcomeTable:
    """The table, with a score cut of 0.05."""
    return tabulate(
        images,
        digests=[f"{number:064x}" for number in range(len(images))],
        elapsed_ms=[10.0] * len(images),
        is_class_aware=is_class_aware,
        score_cut=0.05,
        operating_probability=operating,
    )


def measured(table: OutcomeTable, plan: Resampling, probability: float | None = None) -> MeasuredVersion:
    """All figures of a table."""
    fixed = version_figures(table, plan)
    return MeasuredVersion(fixed, operating_figures(table, plan, fixed.groups, probability))
