"""The end that a retraining can come to, told before it starts: what teaches, calibrates and judges it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from core.domain.data_manifest import DataManifest, ManifestImage, Part
from core.domain.model_version import ModelVersion
from core.store.data_versions import DataVersion

#: Simulated films teach, calibrate and judge it; there is no simulator of castings.
SIMULATED_MODEL = "weld"
#: Below so many true or so many false boxes nothing is calibrated.
LEAST_BOXES = 50


@dataclass(frozen=True, slots=True)
class Outlook:
    """What will come of a retraining, as far as the data tell.

    Attributes:
        refusal: why it cannot end; empty where it can.
        lines: what teaches, calibrates and judges it, one sentence each.
        is_calibration_inherited: too little is held back, so the calibration of the base version is kept.
    """

    refusal: str
    lines: tuple[str, ...]
    is_calibration_inherited: bool


def outlook(version: DataVersion, base: ModelVersion, *, n_simulated: int, n_judging: int) -> Outlook:
    """The outlook of a retraining.

    Args:
        version: that it learns from.
        base: that it starts from.
        n_simulated: simulated films that are mixed in, where its model has a simulator.
        n_judging: simulated films that calibrate and as many that judge, likewise.
    """
    has_simulator = base.name == SIMULATED_MODEL
    n_films, n_mixed = (n_judging, n_simulated) if has_simulator else (0, 0)
    parts = {name: tuple(counts) for name, counts in version.counts["parts"].items()}
    refusal = ""
    if not parts["train"][0]:
        refusal = (
            f"data version {version.number} has no image to train on, every part was held back to calibrate "
            "or judge; label more parts and make a new data version"
        )
    simulated = f", mixed with {n_mixed} simulated films" if n_mixed else ""
    is_inherited = parts["calibration"][1] < LEAST_BOXES and not n_films
    return Outlook(
        refusal,
        (
            f"Teaches: {_words(parts['train'])}{simulated}.",
            _calibrating(parts["calibration"], n_films, base, is_inherited=is_inherited),
            _judging(parts["test"], n_films),
        ),
        is_inherited,
    )


def held_back(manifests: Iterable[DataManifest], evaluated: Collection[str]) -> frozenset[str]:
    """The sha256 of every image that calibrates or judges.

    Args:
        manifests: of all data versions of a model.
        evaluated: sha256 of the images of its evaluation sets.
    """
    parts = (one.sha256 for manifest in manifests for one in manifest.images if one.part is not Part.TRAIN)
    return frozenset((*evaluated, *parts))


def held_back_words(train: Iterable[ManifestImage], judging: Collection[str]) -> str:
    """Why these images may not train, as some of them calibrate or judge; empty where none does."""
    leaked = [image for image in train if image.sha256 in judging]
    if not leaked:
        return ""
    return (
        f"{len(leaked)} images that train are held back elsewhere, the first: {leaked[0].name}; "
        "make a new data version, which leaves them out"
    )


def _calibrating(part: tuple[int, ...], n_films: int, base: ModelVersion, *, is_inherited: bool) -> str:
    if is_inherited:
        return (
            f"Calibrates: {_words(part)}; at least {LEAST_BOXES} true and {LEAST_BOXES} false boxes are "
            f"needed. So the calibration of {base.name} v{base.version} is kept, flagged as inherited and "
            "not verified, and the version serves only when a second person consents."
        )
    films = f"{n_films} simulated films" if n_films else ""
    return f"Calibrates: {' and '.join(filter(None, (_words(part) if part[0] else '', films)))}."


def _judging(part: tuple[int, ...], n_films: int) -> str:
    if not part[0] and not n_films:
        return "Judges: nothing. Its card shows no figures; measure it on an evaluation set."
    films = f"{n_films} simulated films" if n_films else ""
    return f"Judges: {' and '.join(filter(None, (_words(part) if part[0] else '', films)))}."


def _words(part: tuple[int, ...]) -> str:
    n_images, n_boxes = part
    return f"{n_images} image{'' if n_images == 1 else 's'} with {n_boxes} box{'' if n_boxes == 1 else 'es'}"
