"""Arrays in files under their own digest: what each box of an evaluation did."""

import hashlib
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.domain.errors import DatasetError

Arrays = dict[str, npt.NDArray[Any]]


class ArrayFiles:
    """A folder of files of named arrays, each written once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, arrays: Mapping[str, npt.NDArray[Any]]) -> str:
        """The sha256 of the new file that the arrays are kept in."""
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        content = buffer.getvalue()
        sha256 = hashlib.sha256(content).hexdigest()
        path = self.path(sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}.new")
        temporary.write_bytes(content)
        temporary.replace(path)
        return sha256

    def read(self, sha256: str) -> Arrays:
        """The arrays.

        Raises:
            DatasetError: the file is missing or was changed.
        """
        try:
            content = self.path(sha256).read_bytes()
        except OSError as error:
            raise DatasetError(
                f"the file of the evaluation {sha256[:12]} is missing: evaluate again"
            ) from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise DatasetError(f"the file of the evaluation {sha256[:12]} was changed: restore a backup")
        with np.load(io.BytesIO(content), allow_pickle=False) as kept:
            return {name: kept[name] for name in kept.files}

    def path(self, sha256: str) -> Path:
        """Path of the file of this digest, whether it exists or not.

        Raises:
            DatasetError: it is no digest.
        """
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise DatasetError(f"there is no evaluation {sha256[:12]}")
        return self._folder / sha256[:2] / f"{sha256}.npz"
