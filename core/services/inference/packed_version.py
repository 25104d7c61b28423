"""A model version with the content of its files, to be handed to another process or machine."""

import shutil
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path

from core.domain.model_version import ModelVersion
from core.registry.artefact import files_of


@dataclass(frozen=True, slots=True, eq=False)
class PackedVersion:
    """A model version with the content of its files by name."""

    version: ModelVersion
    files: dict[str, bytes]

    @classmethod
    def of(cls, version: ModelVersion, folder: Path) -> "PackedVersion":
        """The version whose artefacts lie in `folder`."""
        return cls(version, {name: (folder / name).read_bytes() for name in files_of(folder)})

    def unpacked_for(self, holder: object) -> Path:
        """A folder of its own with the files; it goes when `holder` does."""
        folder = Path(tempfile.mkdtemp(prefix="radikal-version-"))
        weakref.finalize(holder, shutil.rmtree, folder, ignore_errors=True)
        for name, content in self.files.items():
            (folder / name).write_bytes(content)
        return folder
