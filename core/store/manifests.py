"""The manifests of data versions: one file each, under its own digest, never changed."""

import hashlib
import os
from pathlib import Path

from core.domain.data_manifest import DataManifest, manifest_from
from core.domain.errors import DatasetError


class ManifestFiles:
    """A folder of manifests."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, manifest: DataManifest) -> str:
        """The id that the manifest is now kept under; the same one again writes nothing."""
        text, sha256 = manifest.to_json(), manifest.sha256
        path = self.path(sha256)
        if not path.is_file():
            self._folder.mkdir(parents=True, exist_ok=True)
            temporary = path.with_suffix(f".{os.getpid()}.new")
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(path)
        return sha256

    def read(self, sha256: str) -> DataManifest:
        """The manifest with this id.

        Raises:
            DatasetError: there is none, or its file was changed.
        """
        try:
            content = self.path(sha256).read_bytes()
        except OSError as error:
            raise DatasetError(f"there is no data version {sha256[:12]}") from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise DatasetError(
                f"the manifest of the data version {sha256[:12]} was changed: restore a backup"
            )
        return manifest_from(content.decode("utf-8"))

    def path(self, sha256: str) -> Path:
        """Path of the manifest with this id, whether it exists or not.

        Raises:
            DatasetError: it is no id.
        """
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise DatasetError(f"there is no data version {sha256[:12]}")
        return self._folder / f"{sha256}.json"
