"""`make release`: .ci/release.py on a small repository."""

import hashlib
import importlib.util
import json
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

CHANGELOG = (
    "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n\n## [0.1.0] - 2026-01-31\n\n- First.\n"
)


@pytest.fixture(scope="module")
def release(repository: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("release", repository / ".ci" / "release.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A folder with what a release reads."""
    for name, text in {
        "pyproject.toml": '[project]\nname = "radikal"\nversion = "0.1.0"\n',
        "CHANGELOG.md": CHANGELOG,
        "build/sbom.json": "{}",
        "models/checkpoints/weld-v1/weights.safetensors": "weights",
        "models/checkpoints/weld-v1/card.yaml": "name: weld\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_a_release_has_version_changes_bill_and_weights_and_their_sums_hold(
    release: ModuleType, small: Path
) -> None:
    folder = release.prepare(small, "0.2.0", "2026-11-30")
    assert 'version = "0.2.0"' in (small / "pyproject.toml").read_text()
    told = (small / "CHANGELOG.md").read_text()
    assert told.index("## [Unreleased]\n\n## [0.2.0] - 2026-11-30\n") < told.index("- A thing.")
    assert told.index("- A thing.") < told.index("## [0.1.0] - 2026-01-31")
    assert (folder / "CHANGES.md").read_text() == "## [0.2.0] - 2026-11-30\n\n### Added\n\n- A thing.\n"
    manifest = json.loads((folder / "weights.json").read_text())
    assert manifest["files"][1] == {
        "path": "weld-v1/weights.safetensors",
        "bytes": 7,
        "sha256": hashlib.sha256(b"weights").hexdigest(),
    }
    assert {path.name for path in folder.iterdir()} == {
        "CHANGES.md",
        "SHA256SUMS",
        "sbom.json",
        "weights.json",
    }
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=folder, check=True)


@pytest.mark.parametrize("version", ["0.1.0", "0.0.9", "1.2", "v1.2.0", ""])
def test_a_version_that_is_none_or_does_not_come_later_changes_nothing(
    release: ModuleType, small: Path, version: str
) -> None:
    with pytest.raises(SystemExit):
        release.prepare(small, version, "2026-11-30")
    assert (small / "CHANGELOG.md").read_text() == CHANGELOG
    assert not (small / "build" / "release").exists()


def test_nothing_to_tell_is_nothing_to_release(release: ModuleType, small: Path) -> None:
    (small / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - 2026-01-31\n")
    with pytest.raises(SystemExit, match="nothing to release"):
        release.prepare(small, "0.2.0", "2026-11-30")


def test_what_is_not_committed_stops_a_release(release: ModuleType, small: Path) -> None:
    def git(*arguments: str) -> None:
        by = ["-c", "user.name=n", "-c", "user.email=n@example.com"]
        subprocess.run(["git", *by, *arguments], cwd=small, check=True, capture_output=True)

    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "first")
    release.require_clean(small)
    (small / "CHANGELOG.md").write_text("changed")
    with pytest.raises(SystemExit, match=r"CHANGELOG\.md"):
        release.require_clean(small)


def test_the_weights_of_this_repository_are_all_in_the_manifest(
    release: ModuleType, repository: Path
) -> None:
    checkpoints = repository / "models" / "checkpoints"
    listed = {one["path"] for one in release.weights_manifest(checkpoints, "1.0.0")["files"]}
    assert {f"{path.name}/weights.safetensors" for path in checkpoints.iterdir()} <= listed
