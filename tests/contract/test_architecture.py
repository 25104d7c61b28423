"""docs/architecture.md names every room, and nothing that is not there."""

import ast
import re
from pathlib import Path

import pytest

MAP = Path(__file__).resolve().parents[2] / "docs" / "architecture.md"
_ROW = re.compile(r"^\| `([\w/.]+)` \| (.+?) \|(?: .+ \|)?$", re.MULTILINE)


def rows(title: str) -> list[tuple[str, str]]:
    """First and second cell of each row of the table below a heading."""
    section = re.split(r"\n#{2,3} ", MAP.read_text(encoding="utf-8").split(f" {title}\n", 1)[1])[0]
    return _ROW.findall(section)


def defined_in(path: Path) -> set[str]:
    """Names of the functions, methods and classes in a file."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {
        node.name for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, kinds)
    }


def test_the_folder_table_names_every_folder_and_no_other(repository: Path) -> None:
    listed = [folder for folder, _ in rows("Folders")]
    there = {
        path.parent.relative_to(repository).as_posix()
        for pattern in ("app/*/__init__.py", "core/*/__init__.py", "core/services/*/__init__.py")
        for path in repository.glob(pattern)
    }
    assert len(listed) == len(set(listed))
    assert set(listed) == there


@pytest.mark.parametrize(
    "title",
    [
        "From an upload to boxes",
        "From a signature to the audit event",
        "From a correction to a promoted challenger",
        "From a key to a recorded inspection",
    ],
)
def test_each_step_of_a_walk_is_a_function_of_the_file(repository: Path, title: str) -> None:
    steps = rows(title)
    assert 6 <= len(steps) <= 10
    for file, functions in steps:
        named = set(re.findall(r"`(\w+)`", functions))
        assert named, file
        assert named <= defined_in(repository / file), file


def test_every_path_on_the_map_exists(repository: Path) -> None:
    for path in re.findall(r"`((?:app|core|pages|tests|docs)/[\w/.]+)`", MAP.read_text(encoding="utf-8")):
        assert (repository / path).exists(), path
