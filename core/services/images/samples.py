"""The simulated radiographs that ship with the product."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from core.domain.errors import DatasetError
from core.domain.radiograph import Polarity, Radiograph
from core.imaging.read import read_radiograph_file


@dataclass(frozen=True, slots=True)
class Sample:
    """One shipped radiograph.

    Attributes:
        name: file name, the sample's key.
        title: what is on it, in a few words.
        path: the file.
        model: the registered model that it is meant for.
        polarity: as it was simulated; the file itself may not say.
    """

    name: str
    title: str
    path: Path
    model: str
    polarity: Polarity


class SampleLibrary:
    """The samples listed in the data set card, in its order."""

    def __init__(self, card: Path, folder: Path) -> None:
        self._card = card
        self._folder = folder

    def all(self) -> tuple[Sample, ...]:
        """Every listed sample whose file is there.

        Raises:
            DatasetError: the card cannot be read.
        """
        try:
            content = yaml.safe_load(self._card.read_text(encoding="utf-8"))
            entries = content["samples"]["files"]
            samples = [self._sample(entry) for entry in entries]
        except (OSError, KeyError, TypeError, ValueError, yaml.YAMLError) as error:
            raise DatasetError(
                f"{self._card.name}: cannot list the samples: {type(error).__name__} {error}"
            ) from error
        return tuple(sample for sample in samples if sample.path.is_file())

    def get(self, name: str) -> Sample:
        """The sample of this name.

        Raises:
            DatasetError: there is none.
        """
        for sample in self.all():
            if sample.name == name:
                return sample
        raise DatasetError(f"no sample is called {name!r}")

    def read(self, sample: Sample) -> Radiograph:
        """The radiograph of the sample.

        Raises:
            UnreadableImageError: the file is gone or damaged.
        """
        return read_radiograph_file(sample.path, polarity=sample.polarity)

    def _sample(self, entry: Any) -> Sample:
        name = str(entry["file"])
        return Sample(
            name=name,
            title=str(entry.get("title") or Path(name).stem.replace("_", " ")),
            path=self._folder / name,
            model=str(entry.get("model", "weld")),
            polarity=Polarity(entry.get("polarity", "unknown")),
        )
