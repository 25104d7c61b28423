"""What makes the lock and asks about it: .ci/hashes.py and .ci/audit.py."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


def script(repository: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, repository / ".ci" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def hashes(repository: Path) -> ModuleType:
    return script(repository, "hashes")


@pytest.fixture(scope="module")
def audit(repository: Path) -> ModuleType:
    return script(repository, "audit")


@pytest.mark.parametrize(
    ("wheel", "is_wanted"),
    [
        ("click-8.5.1-py3-none-any.whl", True),
        ("six-1.17.0-py2.py3-none-any.whl", True),
        ("numpy-2.4.6-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl", True),
        ("numpy-2.4.6-cp313-cp313-macosx_14_0_arm64.whl", True),
        ("numpy-2.4.6-cp312-cp312-win_amd64.whl", True),
        ("bcrypt-5.0.0-cp39-abi3-manylinux_2_28_aarch64.whl", True),
        ("numpy-2.4.6-cp315-cp315-manylinux_2_28_x86_64.whl", False),
        ("numpy-2.4.6-cp311-cp311-macosx_10_9_x86_64.whl", False),
        ("numpy-2.4.6-cp310-cp310-manylinux_2_28_x86_64.whl", False),
        ("numpy-2.4.6-cp313-cp313t-manylinux_2_28_x86_64.whl", False),
        ("numpy-2.4.6-cp311-cp311-musllinux_1_2_x86_64.whl", False),
        ("numpy-2.4.6-cp311-cp311-manylinux_2_28_ppc64le.whl", False),
        ("numpy-2.4.6-cp311-cp311-win32.whl", False),
        ("numpy-2.4.6-pp311-pypy311_pp73-manylinux_2_28_x86_64.whl", False),
    ],
)
def test_only_files_for_our_machines_are_locked(hashes: ModuleType, wheel: str, is_wanted: bool) -> None:
    assert hashes.fits(wheel) is is_wanted


def package(name: str, *wheels: str, sdist: str | None = None) -> dict[str, object]:
    made = {
        "name": name,
        "wheels": [{"url": f"x/{wheel}", "hashes": {"sha256": wheel[-9:]}} for wheel in wheels],
    }
    return made | ({"sdist": {"url": "x/s", "hashes": {"sha256": sdist}}} if sdist else {})


def test_each_pin_gets_its_hashes_and_what_stands_elsewhere_goes(hashes: ModuleType) -> None:
    packages = {
        "a-b": package("a-b", "a_b-1-py3-none-any.whl", "a_b-1-cp39-cp39-win32.whl"),
        "old": package("old", sdist="s"),
        "other": package("other", "other-1-py3-none-any.whl"),
    }
    lines = [
        "# made",
        "A_b==1",
        "    # via c",
        "other==1",
        "    # via a-b",
        'old==2 ; platform_system == "Linux"',
    ]
    assert list(hashes.hashed(lines, packages, {"other"})) == [
        "# made",
        "A_b==1 \\\n    --hash=sha256:e-any.whl",
        "    # via c",
        'old==2 ; platform_system == "Linux" \\\n    --hash=sha256:s',
    ]


def test_a_package_without_a_file_for_us_is_refused(hashes: ModuleType) -> None:
    with pytest.raises(SystemExit, match="a: no file that may be installed"):
        hashes.hashes_of(package("a", "a-1-cp39-cp39-win32.whl"))


def test_a_known_vulnerability_is_named_and_counted(audit: ModuleType) -> None:
    vulnerability = {"id": "CVE-2026-1", "fix_versions": ["1.1"]}
    lines, n_found = audit.judge("r.txt", [{"name": "a", "version": "1.0", "vulns": [vulnerability]}])
    assert n_found == 1
    assert lines[0] == "a 1.0: CVE-2026-1, fixed in 1.1"


def test_nobody_to_ask_is_advice_that_is_missing_and_not_a_clean_bill(audit: ModuleType) -> None:
    lines, n_found = audit.judge("r.txt", [])
    assert (n_found, lines[-1]) == (0, "advisory: all packages of r.txt could not be asked about from here")
    unknown = {"name": "a", "skip_reason": "not found"}
    known = {"name": "b", "version": "2", "vulns": []}
    lines, n_found = audit.judge("r.txt", [unknown, known])
    assert lines == [
        "r.txt: 1 packages asked about, 0 known vulnerabilities",
        "advisory: 1 packages of r.txt could not be asked about from here",
    ]
