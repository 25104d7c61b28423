import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest


def test_every_import_contract_holds(repository: Path) -> None:
    checked = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout[-3000:] + checked.stderr[-3000:]


def test_every_package_of_core_is_held_to_the_settings_contract(repository: Path) -> None:
    """Only the container and the command line may read settings; a new package must be listed."""
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = {contract["id"]: contract for contract in project["tool"]["importlinter"]["contracts"]}
    listed = set(contracts["config-read-once"]["source_modules"])
    packages = {f"core.{folder.parent.name}" for folder in (repository / "core").glob("*/__init__.py")}
    assert packages - {"core.cli"} == listed


def imported_modules(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative import"
            names.add(node.module or "")
    return names


def pages(repository: Path) -> list[Path]:
    return sorted((repository / "pages").glob("*.py"))


def test_pages_never_import_each_other(repository: Path) -> None:
    names = {page.stem for page in pages(repository)}
    for page in pages(repository):
        roots = {name.split(".")[0] for name in imported_modules(page)}
        assert not roots & (names | {"pages"}), f"{page.name} imports another page"


def test_no_page_bears_the_name_of_another_module(repository: Path) -> None:
    taken = set(sys.stdlib_module_names) | {"app", "core", "docs", "tests"}
    assert not {page.stem for page in pages(repository)} & taken


def test_nothing_right_below_app_bears_the_name_of_a_standard_module(repository: Path) -> None:
    """Streamlit puts the folder of its entry script first on the path, before the standard library."""
    below = {path.stem for path in (repository / "app").iterdir()}
    assert "inspection" in below
    assert not below & set(sys.stdlib_module_names)


@pytest.mark.parametrize("package", ["core", "app"])
def test_package_init_files_stay_empty(repository: Path, package: str) -> None:
    """All but the one that the installed command enters, which only puts its groups together."""
    filled = {
        p.parent.relative_to(repository)
        for p in (repository / package).rglob("__init__.py")
        if p.read_text().strip()
    }
    assert filled <= {Path("core/cli")}


def test_nobody_imports_pages(repository: Path) -> None:
    for package in ("core", "app"):
        for path in (repository / package).rglob("*.py"):
            assert "pages" not in {name.split(".")[0] for name in imported_modules(path)}, path
