"""What MLflow packs with a version, so that it loads where the product is not installed."""

import shutil
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mlflow.models import ModelSignature
    from pandas import DataFrame

#: Packages of `core` that reading, detecting and calibrating need, and single modules of others.
_PACKAGES = ("domain", "imaging", "engine", "calibrate")
_MODULES = ("registry/__init__.py", "registry/artefact.py")
#: Distributions that they import; pinned as they are here.
_DISTRIBUTIONS = (
    "mlflow",
    "numpy",
    "pandas",
    "scipy",
    "torch",
    "torchvision",
    "safetensors",
    "opencv-python-headless",
    "pillow",
    "tifffile",
    "imagecodecs",
    "pydicom",
    "pylibjpeg",
    "pylibjpeg-libjpeg",
    "pylibjpeg-openjpeg",
    "pylibjpeg-rle",
    "PyYAML",
)
_CORE = Path(__file__).parents[1]


def copy_code(parent: Path) -> Path:
    """A folder `core` in `parent` with the code that a version needs to detect."""
    target = parent / "core"
    ignored = shutil.ignore_patterns("__pycache__")
    for name in _PACKAGES:
        shutil.copytree(_CORE / name, target / name, ignore=ignored)
    for name in ("__init__.py", *_MODULES):
        (target / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(_CORE / name, target / name)
    return target


def requirements() -> list[str]:
    """The packages that the code imports, each pinned to the version that runs here."""
    return [f"{name}=={version(name)}" for name in _DISTRIBUTIONS]


def signature() -> "ModelSignature":
    """Any radiograph in, boxes out; `min_probability` and `polarity` may be given.

    The input stands for arrays, paths and bytes alike, so MLflow must not make a table of it: it is marked
    as one that the model checks itself, as MLflow marks signatures from type hints.
    """
    from mlflow.models import ModelSignature
    from mlflow.types.schema import AnyType, ColSpec, ParamSchema, ParamSpec, Schema

    numbers = ("x1", "y1", "x2", "y2")
    outputs = [("long", "image"), *(("double", name) for name in numbers), ("string", "class")]
    outputs += [("double", "score"), ("double", "probability"), ("string", "claim")]
    made = ModelSignature(
        inputs=Schema([ColSpec(AnyType(), "image")]),  # type: ignore[no-untyped-call]
        outputs=Schema([ColSpec(kind, name) for kind, name in outputs]),
        params=ParamSchema(
            [ParamSpec("min_probability", "double", 0.0), ParamSpec("polarity", "string", "unknown")]
        ),
    )
    made._is_signature_from_type_hint = True
    return made


def input_example() -> "DataFrame":
    """One radiograph of (64, 96) whole numbers, noise with a dark spot, in a table: that is kept as text."""
    from pandas import DataFrame

    rng = np.random.default_rng(0)
    pixels = rng.normal(30_000, 400, (64, 96))
    pixels[28:36, 44:52] -= 6_000
    return DataFrame({"image": [pixels.astype(int).tolist()]})
