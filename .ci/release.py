#!/usr/bin/env python3
"""Prepares a release: `make release VERSION=1.2.0`.

Writes the version into pyproject.toml and a heading with version and date into CHANGELOG.md, and into
build/release/ what goes along: the changes, the manifest of the shipped weights, the bill of materials that
`make sbom` wrote, and SHA256SUMS over these. Commits, tags and publishes nothing: it prints how.
"""

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
_PROJECT_VERSION = re.compile(r'^version = "([^"]+)"$', re.MULTILINE)
_UNRELEASED = "## [Unreleased]\n"


def parsed(version: str) -> tuple[int, ...]:
    """The three numbers of a version; SystemExit when it is none."""
    if (found := _VERSION.fullmatch(version)) is None:
        sys.exit(f"expected a version such as 1.2.0, got {version!r}")
    return tuple(map(int, found.groups()))


def with_version(project: str, version: str) -> str:
    """pyproject.toml with the version; SystemExit unless it is a later one."""
    current = _PROJECT_VERSION.search(project)
    if current is None:
        sys.exit("pyproject.toml has no version")
    if parsed(version) <= parsed(current[1]):
        sys.exit(f"{version} does not come after {current[1]}")
    return project[: current.start()] + f'version = "{version}"' + project[current.end() :]


def with_heading(changelog: str, version: str, date: str) -> tuple[str, str]:
    """CHANGELOG.md with what is unreleased under the version, and that part alone; SystemExit when empty."""
    before, marked, after = changelog.partition(_UNRELEASED)
    changes = re.split(r"^## ", after, maxsplit=1, flags=re.MULTILINE)
    if not marked or not changes[0].strip():
        sys.exit("CHANGELOG.md has nothing under [Unreleased]: there is nothing to release")
    rest = f"## {changes[1]}" if len(changes) > 1 else ""
    heading = f"## [{version}] - {date}\n"
    return f"{before}{_UNRELEASED}\n{heading}{changes[0]}{rest}", f"{heading}{changes[0].rstrip()}\n"


def weights_manifest(checkpoints: Path, version: str) -> dict[str, object]:
    """Every file of every shipped model version with its size in bytes and sha256."""
    files = sorted(path for path in checkpoints.rglob("*") if path.is_file())
    if not any(path.name == "weights.safetensors" for path in files):
        sys.exit(f"{checkpoints.name}/ holds no weights")
    return {
        "release": version,
        "files": [
            {
                "path": path.relative_to(checkpoints).as_posix(),
                "bytes": path.stat().st_size,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
            for path in files
        ],
    }


def sums(folder: Path) -> str:
    """Lines for `sha256sum --check` over the files of a folder."""
    files = sorted(path for path in folder.iterdir() if path.name != "SHA256SUMS")
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)


def require_clean(repository: Path) -> None:
    """SystemExit when something is not committed."""
    command = ["git", "status", "--porcelain", "--untracked-files=no"]
    changed = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True).stdout
    if changed:
        sys.exit("commit or take back first:\n" + changed.rstrip())


def prepare(repository: Path, version: str, date: str) -> Path:
    """The folder with everything that goes along; pyproject.toml and CHANGELOG.md are changed last."""
    project, changelog = repository / "pyproject.toml", repository / "CHANGELOG.md"
    new_project = with_version(project.read_text(encoding="utf-8"), version)
    new_changelog, changes = with_heading(changelog.read_text(encoding="utf-8"), version, date)
    bill = repository / "build" / "sbom.json"
    if not bill.is_file():
        sys.exit("build/sbom.json is missing: run make sbom")
    folder = repository / "build" / "release"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(bill, folder)
    manifest = weights_manifest(repository / "models" / "checkpoints", version)
    (folder / "weights.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    (folder / "CHANGES.md").write_text(changes, encoding="utf-8")
    (folder / "SHA256SUMS").write_text(sums(folder), encoding="utf-8")
    project.write_text(new_project, encoding="utf-8")
    changelog.write_text(new_changelog, encoding="utf-8")
    return folder


def main() -> None:
    """Prepare, and say what is left to do."""
    parser = argparse.ArgumentParser(description="Prepare a release.")
    parser.add_argument("version")
    version = parser.parse_args().version
    require_clean(REPOSITORY)
    folder = prepare(REPOSITORY, version, f"{datetime.now(UTC):%Y-%m-%d}")
    print(f"{folder.relative_to(REPOSITORY)}: {', '.join(sorted(path.name for path in folder.iterdir()))}")
    print(f'next: git commit -am "Release {version}" && git tag -a v{version} -F build/release/CHANGES.md')


if __name__ == "__main__":
    main()
