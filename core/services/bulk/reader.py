"""Reads one file after the other with a model version that was handed over whole; knows no database."""

import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from core.domain.errors import ModelNotFoundError, WorkbenchError
from core.domain.model_version import ModelVersion
from core.domain.radiograph import Polarity
from core.imaging.archive import is_archive
from core.imaging.read import read_radiograph
from core.imaging.uploads import IncomingFile, frames_in, may_be_radiograph, unpack
from core.reports.detection_json import detection_to_dict
from core.services.bulk.archive import open_archive
from core.services.inference.detecting import DetectService
from core.services.inference.packed_version import PackedVersion
from core.services.inference.picking import PickService

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class ReaderSpec:
    """What a worker needs in order to read.

    Attributes:
        place: of the archive, as `open_archive` takes it.
        model: that was asked for.
        versions: the version of it, and of the model for parts that nobody taught, where that may step in.
        polarity: of files that do not say.
        device: as `DetectService` takes it.
        n_threads: of one worker, 0 for as many as there are cores.
    """

    place: str
    model: str
    versions: tuple[PackedVersion, ...]
    polarity: Polarity = Polarity.UNKNOWN
    device: str = "auto"
    n_threads: int = 1


@dataclass(frozen=True, slots=True)
class PictureReading:
    """One picture of a file.

    Attributes:
        path: what to call it: the file, and below it the member of an archive.
        sha256: of the file, or of that member.
        frame: from 1, or 0 for the only one.
        document: JSON as `detection_to_dict` has it, without a path: files of one content share it.
    """

    path: str
    sha256: str
    frame: int
    document: str


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What came of a file.

    Attributes:
        name, stamp: of the file, as `ArchiveFile` has them.
        readings: of each picture in it.
        problems: a sentence for whatever could not be read.
        is_radiograph: False for a file that is none, such as a text beside the films.
    """

    name: str
    stamp: str
    readings: tuple[PictureReading, ...] = ()
    problems: tuple[str, ...] = ()
    is_radiograph: bool = True


class Reader:
    """Reads files of an archive. Not to be shared between threads; a process has its own."""

    def __init__(self, spec: ReaderSpec) -> None:
        if spec.n_threads:
            torch.set_num_threads(spec.n_threads)
        self._spec = spec
        self._archive = open_archive(spec.place)
        served = {one.version.name: (one.version, one.unpacked_for(self)) for one in spec.versions}
        models = _Handed(served)
        self._detect = DetectService(models, device=spec.device)
        self._pick = PickService(models, self._detect)
        for version, _ in served.values():
            self._detect.warm_up(version)

    def read(self, name: str, stamp: str) -> FileOutcome:
        """What is in the file; nothing is raised, whatever the file holds."""
        readings: list[PictureReading] = []
        problems: list[str] = []
        try:
            data = self._archive.read(name)
            if not may_be_radiograph(name, lambda: data):
                return FileOutcome(name, stamp, is_radiograph=False)
            for path, file in _pictures(data, name, problems):
                try:
                    readings.append(self._read(file, path))
                except Exception as error:  # noqa: BLE001 - the edge of one picture: told, the next goes on
                    problems.append(_told(path, error))
        except Exception as error:  # noqa: BLE001 - the edge of one file: told, the next goes on
            problems.append(_told(name, error))
        return FileOutcome(name, stamp, tuple(readings), tuple(problems))

    def _read(self, file: IncomingFile, path: str) -> PictureReading:
        data = file.read()
        radiograph = read_radiograph(data, file.name, polarity=self._spec.polarity, frame=file.frame)
        decision = self._detect.polarity_of(radiograph, model=self._spec.model)
        if not decision.is_asked:
            radiograph = decision.applied(radiograph)
        pick = self._pick.pick(radiograph, model=self._spec.model)
        result = self._detect.detect(radiograph, file.name, model=pick.model, version=pick.version)
        document: dict[str, Any] = detection_to_dict(result, "")
        if pick.words:
            document["picked"] = pick.words
        told = "polarity not stated, taken as the model's" if decision.is_asked else decision.warning
        if told:
            document["polarity_warning"] = told
        packed = json.dumps(document, separators=(",", ":"))
        return PictureReading(path, hashlib.sha256(data).hexdigest(), file.frame or 0, packed)


class _Handed:
    """The versions that were handed over, by name."""

    def __init__(self, served: dict[str, tuple[ModelVersion, Path]]) -> None:
        self._served = served

    def resolve(
        self, name: str, *, version: int | None = None, alias: str = "champion"
    ) -> tuple[ModelVersion, Path]:
        """The version and its folder, whatever its alias.

        Raises:
            ModelNotFoundError: it was not handed over.
        """
        found = self._served.get(name)
        if found is None or version not in (None, found[0].version):
            raise ModelNotFoundError(f"{name} v{version or alias} was not handed over")
        return found


def _pictures(data: bytes, name: str, problems: list[str]) -> Iterator[tuple[str, IncomingFile]]:
    """What to call it, and the file or frame, of each picture in a file or an archive of files."""
    for member in unpack(data, name):
        path = f"{name}/{member.name}" if is_archive(data) else name
        if member.frame is not None:
            yield path, member
            continue
        try:
            frames = frames_in(member.read(), member.name)
        except WorkbenchError as error:
            problems.append(_told(path, error))
            continue
        for frame in frames:
            yield path, frame


def _told(path: str, error: Exception) -> str:
    if isinstance(error, WorkbenchError):
        return f"{path}: {error}"
    log.debug("%s failed", path, exc_info=True)
    first = (str(error).splitlines() or [""])[0]
    return f"{path} failed unexpectedly: {type(error).__name__}: {first}"
