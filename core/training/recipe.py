"""A training recipe: a small YAML file that says everything a run depends on."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from core.domain.errors import DatasetError, ModelArtefactError
from core.domain.radiograph import Polarity
from core.engine.network import NetworkConfig


@dataclass(frozen=True, slots=True)
class CocoSource:
    """Images and boxes of a COCO file below the data folder.

    Attributes:
        coco: file name below the data folder; images lie relative to it.
        polarity: of these images.
        split: a file of `data/splits/`, None for all images.
        part: part of the split to take, "*" for all of them.
        are_classes_known: False when the labels are just "defect".
        weight: share of the crops that come from this source, relative to the other sources.
        ignore_below_px: boxes smaller than this both ways teach nothing (dust).
        has_masks: whether the entry `mask` of each image names a drawn mask below the data folder, not 0 on a
            flaw.
        outlines_by_contrast: whether boxes without a drawn outline teach the one that
            `core.training.contrast_outline` makes out, where there is one.
    """

    coco: str
    polarity: Polarity = Polarity.UNKNOWN
    split: str | None = None
    part: str = "train"
    are_classes_known: bool = False
    weight: float = 1.0
    ignore_below_px: float = 0.0
    has_masks: bool = False
    outlines_by_contrast: bool = False


@dataclass(frozen=True, slots=True)
class FlawFreeSource:
    """Images that are recorded as free of indications; they only teach what to leave alone.

    Attributes:
        flaw_free: file names below the data folder.
        polarity: of these images.
        weight: as in `CocoSource`.
    """

    flaw_free: tuple[str, ...]
    polarity: Polarity = Polarity.UNKNOWN
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class SimulatedSource:
    """Simulated weld radiographs, rendered when the run starts.

    Attributes:
        count: how many.
        seed: of the first; the others follow.
        weight: as in `CocoSource`.
        mix: relative frequency of the kinds of flaw named here; the others keep `DEFAULT_MIX`.
    """

    count: int
    seed: int
    weight: float = 1.0
    mix: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VirtualSource:
    """Virtual flaws on real films, superposed when the run starts.

    Flaws lie in the seam where the record of the film says that there is nothing; the seam within a cell of
    anything recorded teaches nothing, the rest of the film teaches what to leave alone.

    Attributes:
        virtual: CSV of film records below the data folder, see `core.labelling.film_cells`.
        films: stems of the films to take; of a film that nobody recorded only what lies beside the seam.
        variants: pictures made of each film, each with flaws of its own.
        seed: of the first picture; the others follow.
        polarity: of the films; only film polarity is known how to superpose.
        mm_per_px: pixel pitch of the films.
        flaw_groups: mean number of flaws and flaw groups on 100 mm of seam.
        weight: as in `CocoSource`.
        mix: as in `SimulatedSource`.
        is_mined: whether the first picture of each film is searched for what the initial weights report where
            nothing is, to place crops there.
    """

    virtual: str
    films: tuple[str, ...]
    variants: int
    seed: int
    polarity: Polarity = Polarity.FILM
    mm_per_px: float = 0.0403
    flaw_groups: float = 6.0
    weight: float = 1.0
    mix: Mapping[str, float] = field(default_factory=dict)
    is_mined: bool = False

    def __post_init__(self) -> None:
        if self.polarity is not Polarity.FILM:
            raise ValueError(f"virtual flaws need films, got polarity {self.polarity.value}")


@dataclass(frozen=True, slots=True)
class LaidSource:
    """Large virtual flaws on real radiographs of castings that nobody labelled, laid on when the run starts.

    Attributes:
        laid: COCO file below the data folder; its boxes, what a model reports there, teach nothing, and no
            flaw is laid near them.
        variants: pictures made of each radiograph.
        seed: of the first picture; the others follow.
        flaws: on a picture, fewer where there is little metal.
        least_px: longer side of the smallest flaw.
        polarity: of the radiographs; only digital polarity is known how to lay on.
        weight: as in `CocoSource`.
    """

    laid: str
    seed: int
    variants: int = 1
    flaws: int = 3
    least_px: float = 64.0
    polarity: Polarity = Polarity.DIGITAL
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.polarity is not Polarity.DIGITAL:
            raise ValueError(f"flaws of castings need digital images, got polarity {self.polarity.value}")


Source = CocoSource | FlawFreeSource | SimulatedSource | VirtualSource | LaidSource


@dataclass(frozen=True, slots=True)
class Schedule:
    """Length, rates and crops of a run.

    Attributes:
        steps: optimiser steps.
        batch: crops in a step.
        crop_px: side of a square crop.
        learning_rate: peak, reached after `warmup_steps`, then falling as a cosine to 2 %.
        ema_decay: of the averaged weights that are shipped.
        coarse_share: share of crops seen at 1/4 scale, for long indications.
        flaw_share: share of crops placed around a box.
        variation: strength of the random changes of scale and grey values; 1 for parts and detectors
            that nobody has seen, less to learn the labelled parts closely, 0 for none.
        turned_share: share of crops that are flipped and turned at random; less than all of them where
            parts are always laid the same way.
        letters_share: share of crops that lead letters are laid on, film polarity only.
        length_power: boxes are drawn for a crop in proportion to their longer side to this power.
        mined_share: share of crops placed around what the initial weights report where nothing is, on films
            of sources that are mined.
        frozen_steps: so many first steps train the mask head alone.
        trunk_rate: peak learning rate of all but the mask head, which `learning_rate` then is for; None for
            one rate.
        is_norm_frozen: whether the batch statistics of all but the mask head stay those of the initial
            weights.
    """

    steps: int
    batch: int = 8
    crop_px: int = 256
    learning_rate: float = 1e-3
    warmup_steps: int = 300
    weight_decay: float = 0.05
    ema_decay: float = 0.998
    coarse_share: float = 0.0
    flaw_share: float = 0.65
    variation: float = 1.0
    turned_share: float = 1.0
    letters_share: float = 0.0
    length_power: float = 0.0
    mined_share: float = 0.0
    frozen_steps: int = 0
    trunk_rate: float | None = None
    is_norm_frozen: bool = False
    workers: int = 0


@dataclass(frozen=True, slots=True)
class Recipe:
    """A recipe: all settings that a run depends on.

    Attributes:
        model: "weld" or "casting".
        title: one line for people.
        polarity: the network's own polarity; every image is turned into it.
        sources: where crops come from.
        schedule: how long and how fast.
        seed: of weights and crops.
        network: its shape.
        initial_weights: weights file to start from, relative to the repository; None for scratch.
        excluded: items of the split part that this run must not see (cross-fitting).

    Raises:
        ValueError: when lead letters are asked for in another polarity than that of films, or a mask head is
            to be trained alone that the network does not have or that has no rate of its own.
    """

    model: str
    title: str
    polarity: Polarity
    sources: tuple[Source, ...]
    schedule: Schedule
    seed: int = 0
    network: NetworkConfig = field(default_factory=NetworkConfig)
    initial_weights: str | None = None
    excluded: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.schedule.letters_share and self.polarity is not Polarity.FILM:
            raise ValueError(f"lead letters are laid on films, got polarity {self.polarity.value}")
        if self.schedule.frozen_steps and not self.network.has_mask:
            raise ValueError("frozen_steps train a mask head, and this network has none")
        if self.schedule.frozen_steps and self.schedule.trunk_rate is None:
            raise ValueError("frozen_steps need a trunk_rate: with one rate for all they train nothing")

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as they go into logs and cards."""
        return asdict(self)


def read_recipe(path: Path) -> Recipe:
    """The recipe in the YAML file at `path`.

    Raises:
        DatasetError: naming the file and the key that is wrong.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DatasetError(f"cannot read the recipe {path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise DatasetError(f"{path.name}: not YAML: {str(error).splitlines()[0]}") from error
    try:
        return recipe_from(content)
    except (TypeError, ValueError, KeyError, AttributeError, ModelArtefactError) as error:
        raise DatasetError(f"{path.name}: {error}") from error


def recipe_from(content: dict[str, Any]) -> Recipe:
    """The recipe in plain values, as `read_recipe` finds them."""
    known = {f.name for f in fields(Recipe)}
    if unknown := set(content) - known:
        raise ValueError(f"unknown keys {sorted(unknown)}, expected {sorted(known)}")
    network = content.get("network") or {}
    return Recipe(
        **{
            **content,
            "polarity": Polarity(content["polarity"]),
            "sources": tuple(_source(s) for s in content["sources"]),
            "schedule": Schedule(**content["schedule"]),
            "network": NetworkConfig.from_json(json.dumps(asdict(NetworkConfig()) | network))
            if network
            else NetworkConfig(),
            "excluded": tuple(content.get("excluded", ())),
        }
    )


def _source(content: dict[str, Any]) -> Source:
    polarity = Polarity(content.get("polarity", "unknown"))
    if "coco" in content:
        return CocoSource(**{**content, "polarity": polarity})
    if "virtual" in content:
        polarity = Polarity(content.get("polarity", "film"))
        return VirtualSource(**{**content, "films": tuple(content["films"]), "polarity": polarity})
    if "laid" in content:
        return LaidSource(**{**content, "polarity": Polarity(content.get("polarity", "digital"))})
    if "flaw_free" in content:
        return FlawFreeSource(**{**content, "flaw_free": tuple(content["flaw_free"]), "polarity": polarity})
    return SimulatedSource(**content)
