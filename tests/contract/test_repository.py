import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from core.config import keys

MAX_FILE_MB, MAX_TOTAL_MB = 12, 45
#: Where the packages of a lock come from and where this checkout lies is nobody's business.
MACHINE_PATHS = re.compile(
    r"(?<![\w./-])/(?:home|Users|root|work|mnt|srv|opt/(?!venv)|tmp)/[\w.-]+|\b[A-Z]:\\\\?Users",
    re.IGNORECASE,
)
BUILD_FILES = re.compile(
    r"^(requirements.*|Makefile|Dockerfile|pyproject\.toml|\.ci/.*|\.github/.*|docker/.*)$"
)
SOURCE = re.compile(
    r"(https?|file|git\+\w+)://(?!127\.0\.0\.1|0\.0\.0\.0)|--(extra-)?index-url|--(find-links|trusted-host)"
)
PRIVATE_HOST = re.compile(r"https?://[\w.-]+\.(internal|local|lan|corp|intranet)\b")


def tracked(repository: Path) -> list[Path]:
    if not (repository / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=repository, capture_output=True, text=True, check=True
    ).stdout
    return [repository / name for name in listed.split("\0") if name and (repository / name).is_file()]


def text_of(path: Path) -> str | None:
    """The text of a tracked file, None for a binary one."""
    data = path.read_bytes()
    return None if b"\0" in data[:8000] else data.decode("utf-8")


def test_no_tracked_file_is_large_and_all_together_stay_small(repository: Path) -> None:
    sizes = {path: path.stat().st_size / 2**20 for path in tracked(repository)}
    assert {path.name: size for path, size in sizes.items() if size > MAX_FILE_MB} == {}
    assert sum(sizes.values()) < MAX_TOTAL_MB


def test_text_files_are_utf8_without_machine_paths(repository: Path) -> None:
    found = {}
    for path in tracked(repository):
        if path == Path(__file__) or (text := text_of(path)) is None:
            continue
        if match := MACHINE_PATHS.search(text):
            found[str(path.relative_to(repository))] = match.group()
    assert found == {}


def test_no_build_file_says_where_packages_come_from(repository: Path) -> None:
    found = {}
    for path in tracked(repository):
        name = str(path.relative_to(repository))
        if BUILD_FILES.match(name) and (match := SOURCE.search(text_of(path) or "")):
            found[name] = match.group()
    assert found == {}


def test_no_text_file_names_a_private_host(repository: Path) -> None:
    found = {}
    for path in tracked(repository):
        if path != Path(__file__) and (match := PRIVATE_HOST.search(text_of(path) or "")):
            found[str(path.relative_to(repository))] = match.group()
    assert found == {}


def test_the_example_environment_lists_exactly_the_keys_that_are_read(repository: Path) -> None:
    text = (repository / ".env.example").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^([A-Z_]+)=", text, re.MULTILINE)) == sorted(keys())


@pytest.mark.parametrize("name", ["requirements.in", "requirements-dev.in"])
def test_every_direct_dependency_is_pinned_exactly(repository: Path, name: str) -> None:
    for line in requirement_lines(repository / name):
        assert re.fullmatch(r"[\w.-]+(\[[\w,]+\])?==[\w.]+", line), line


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_locked_dependency_is_pinned_and_names_no_source(repository: Path, name: str) -> None:
    lines = requirement_lines(repository / name)
    assert len(lines) > 20
    for line in lines:
        pin, *hashes = line.split(" --hash=")
        assert re.fullmatch(r"[\w.-]+==[\w.]+( ; [\w\s=\"'.<>]+)?", pin), line
        assert hashes, f"{name}: pip takes any file as {pin}"
        for digest in hashes:
            assert re.fullmatch(r"sha256:[0-9a-f]{64}", digest), pin


def test_what_only_linux_has_is_not_wanted_elsewhere(repository: Path) -> None:
    """Torch's wheels for other systems do without CUDA; there are no files of it for them."""
    for line in requirement_lines(repository / "requirements.txt"):
        if re.match(r"(nvidia|cuda|triton)\b", line):
            assert ' ; platform_system == "Linux" --hash' in line


def test_nothing_is_locked_twice(repository: Path) -> None:
    """Both files are installed together; pip wants the same hashes of a package wherever it stands."""
    names = [
        [line.partition("==")[0] for line in requirement_lines(repository / name)]
        for name in ("requirements.txt", "requirements-dev.txt")
    ]
    assert not set(names[0]) & set(names[1])


@pytest.mark.parametrize("stem", ["requirements", "requirements-dev"])
def test_the_lock_holds_the_direct_pins(repository: Path, stem: str) -> None:
    def pins(name: str) -> dict[str, str]:
        pairs = (
            line.split(" --hash=")[0].split(" ;")[0].split("==")
            for line in requirement_lines(repository / name)
        )
        return {re.sub(r"[-_.]+", "-", package.split("[")[0].lower()): version for package, version in pairs}

    assert pins(f"{stem}.in").items() <= pins(f"{stem}.txt").items()


def test_every_import_is_a_direct_dependency(repository: Path) -> None:
    extras = tomllib.loads((repository / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    lines = [
        *requirement_lines(repository / "requirements.in"),
        *(one for some in extras.values() for one in some),
    ]
    direct = {re.split(r"\[|=", line)[0].lower() for line in lines}
    providers = packages_distributions()
    imported = {
        name.split(".")[0]
        for folder in ("core", "app", "pages")
        for path in (repository / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in imported_names(node)
    }
    foreign = imported - set(sys.stdlib_module_names) - {"core", "app"}
    missing = {
        name
        for name in foreign
        if not {provider.lower() for provider in providers.get(name, [name])} & direct
    }
    assert missing == set()


def imported_names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []


def requirement_lines(path: Path) -> list[str]:
    """The requirements of a file, one a line with their hashes behind them."""
    text = re.sub(r" \\\n +", " ", path.read_text(encoding="utf-8"))
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith(("-c ", "-r "))]
