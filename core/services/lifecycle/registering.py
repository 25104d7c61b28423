"""Registering the model versions that ship with the program."""

import logging
import re
from pathlib import Path
from typing import Protocol

from core.domain.errors import ModelArtefactError
from core.domain.ports import Registry
from core.registry.artefact import CARD, read_artefact

log = logging.getLogger(__name__)
_FOLDER = re.compile(r"(?P<name>[a-z]+(-[a-z]+)*)-v(?P<version>[0-9]+)")
CHAMPION, CHALLENGER = "champion", "challenger"


class VersionsInUse(Protocol):
    """What `FrozenService` knows."""

    def changed(self, model: str, version: int, folder: Path) -> frozenset[str] | None:
        """Files in the folder that are others than those in use; None where the version never was in use."""

    def renew_card(self, model: str, version: int, folder: Path) -> None:
        """Let the card in the folder count as that of the version."""


def register_shipped(
    checkpoints: Path, registry: Registry, in_use: VersionsInUse | None = None
) -> dict[str, tuple[int, ...]]:
    """The version numbers, by model name, of everything under `checkpoints` (`<name>-v<k>` folders).

    Versions are registered in the order of k, and version k of a folder is version k of the registry, also
    where lower ones ship no more. Only where the registry is past k already, because versions were trained
    there, it gets the next number, and the registry keeps k beside it. An alias is set when the model has no
    such alias yet, so what serves stays what serves: champion to the highest version whose card does not say
    `alias: challenger`, challenger to the highest whose card does. A version that came with an update is
    promoted by people, through the gate. Run again without a change it returns in milliseconds and MLflow is
    not loaded.

    Of a version that is in use here a release renews the card alone. Where it brings other files under the
    same number, the version stays as it came into use, and the log warns.

    Raises:
        ModelArtefactError: when a folder is not a sound model version, or its card names another model.
        RegistryUnavailableError: when something must be registered and MLflow does not answer.
    """
    registered: dict[str, list[int]] = {}
    for name, folders in shipped_folders(checkpoints).items():
        known = [registry.registered_as(folder) for _, folder in folders]
        is_new = None in known
        if is_new:
            numbers = [_register(folder, name, k, registry, in_use) for k, folder in folders]
        else:
            numbers = [entry[1] for entry in known if entry is not None]
        registered[name] = numbers
        present = registry.aliases(name)
        if is_new or CHAMPION not in present:
            for alias, number in _wanted_aliases([folder for _, folder in folders], numbers).items():
                if alias not in present:
                    registry.set_alias(name, alias, number)
    return {name: tuple(numbers) for name, numbers in registered.items()}


def shipped_folders(checkpoints: Path) -> dict[str, list[tuple[int, Path]]]:
    """Number and folder of each version under `checkpoints` by model name, lowest first; {} when none are."""
    found: dict[str, list[tuple[int, Path]]] = {}
    for folder in checkpoints.iterdir() if checkpoints.is_dir() else ():
        match = _FOLDER.fullmatch(folder.name)
        if match and folder.is_dir():
            found.setdefault(match["name"], []).append((int(match["version"]), folder))
    return {name: sorted(entries) for name, entries in sorted(found.items())}


def _register(
    folder: Path, name: str, shipped_as: int, registry: Registry, in_use: VersionsInUse | None
) -> int:
    artefact = read_artefact(folder)
    if artefact.name != name:
        raise ModelArtefactError(f"{folder.name}: the card names the model {artefact.name!r}")
    changed = None if in_use is None else in_use.changed(name, shipped_as, folder)
    if changed and changed != {CARD}:
        log.warning(
            "%s v%d is in use here and stays as it is; not taken from this release: %s",
            name,
            shipped_as,
            ", ".join(sorted(changed)),
        )
        return shipped_as
    number = registry.register(folder, shipped_as=shipped_as)
    if changed and in_use is not None:
        in_use.renew_card(name, number, folder)
    log.info("registered %s as %s version %d", folder.name, name, number)
    return number


def _wanted_aliases(folders: list[Path], numbers: list[int]) -> dict[str, int]:
    """Alias to version number, by the cards; later folders win."""
    wanted: dict[str, int] = {}
    for folder, number in zip(folders, numbers, strict=True):
        is_challenger = read_artefact(folder).card.get("alias") == CHALLENGER
        wanted[CHALLENGER if is_challenger else CHAMPION] = number
    return wanted
