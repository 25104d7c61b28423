#!/usr/bin/env python3
"""Adds to a requirements file the sha256 of every file that may be installed, so that pip takes no other.

    .ci/hashes.py PYLOCK REQUIREMENTS [--without OTHER]

PYLOCK is a universal pylock.toml of the same pins: it names the files of each, and the index's hash of them.
Only those that fit a machine that RadiKal runs on are kept (CPython 3.11 to 3.14 on Linux, on Macs with
Apple's processors, or on Windows): all would make the files three times as large. A package without such a
wheel keeps its source archive. What stands in OTHER, which is installed beside it, is left out.
"""

import argparse
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)==\S+.*$")
_INTERPRETER = re.compile(r"^(py3|py2\.py3|cp3(1[1-4]))$")
_STABLE = re.compile(r"^cp3\d+$")  # with abi3: works from that version on
_PLATFORM = re.compile(r"^(any|(many)?linux.*_(x86_64|aarch64)|macosx_.*_(arm64|universal2)|win_amd64)$")


def fits(wheel: str) -> bool:
    """True when the wheel of this file name may be installed on one of our machines."""
    interpreters, abi, platforms = wheel.removesuffix(".whl").rsplit("-", 3)[1:]
    is_ours = any(_INTERPRETER.match(one) for one in (interpreters, *interpreters.split(".")))
    is_stable = "abi3" in abi.split(".") and _STABLE.match(interpreters) is not None
    return (
        (is_ours or is_stable)
        and not abi.endswith("t")  # without the global lock: none of ours
        and any(_PLATFORM.match(one) for one in platforms.split("."))
    )


def hashes_of(package: dict[str, Any]) -> list[str]:
    """The sha256 of the files of a package, sorted."""
    wheels = {
        wheel["url"].rsplit("/", 1)[1]: wheel["hashes"]["sha256"] for wheel in package.get("wheels", ())
    }
    kept = {digest for name, digest in wheels.items() if fits(name)}
    if not kept and "sdist" in package:
        kept = {package["sdist"]["hashes"]["sha256"]}
    if not kept:
        raise SystemExit(f"{package['name']}: no file that may be installed")
    return sorted(kept)


def normal(name: str) -> str:
    """The name as the index spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def names_in(path: Path) -> set[str]:
    """The packages that a requirements file pins."""
    found = (_PIN.match(line) for line in path.read_text(encoding="utf-8").splitlines())
    return {normal(match[1]) for match in found if match}


def hashed(lines: list[str], packages: dict[str, dict[str, Any]], without: set[str]) -> Iterator[str]:
    """The lines with hashes below each pin; a pin that stands elsewhere goes with the comments below it."""
    is_left_out = False
    for line in lines:
        pin = _PIN.match(line)
        if pin is None:
            is_left_out = is_left_out and line.startswith(" ")
            if not is_left_out:
                yield line
            continue
        name = normal(pin[1])
        is_left_out = name in without
        if not is_left_out:
            digests = [f"    --hash=sha256:{digest}" for digest in hashes_of(packages[name])]
            yield " \\\n".join((line, *digests))


def main() -> None:
    """Rewrite the requirements file."""
    parser = argparse.ArgumentParser(description="Add hashes to a requirements file.")
    parser.add_argument("pylock", type=Path)
    parser.add_argument("requirements", type=Path)
    parser.add_argument("--without", type=Path)
    given = parser.parse_args()
    locked = tomllib.loads(given.pylock.read_text(encoding="utf-8"))["packages"]
    packages = {normal(package["name"]): package for package in locked}
    without = names_in(given.without) if given.without else set()
    lines = given.requirements.read_text(encoding="utf-8").splitlines()
    given.requirements.write_text("\n".join(hashed(lines, packages, without)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
