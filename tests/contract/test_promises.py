"""What README, Makefile and continuous integration promise."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)\s#]+)")


@pytest.mark.parametrize("folder", [".", "docs", "docs/adr", "docs/manual"])
def test_every_relative_link_of_the_documentation_leads_somewhere(repository: Path, folder: str) -> None:
    pages = list((repository / folder).glob("*.md"))
    assert pages
    broken = {
        f"{page.name}: {link}"
        for page in pages
        for link in LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
    }
    assert broken == set()


def test_every_decision_has_a_number_of_its_own_and_a_status(repository: Path) -> None:
    decisions = sorted((repository / "docs" / "adr").glob("[0-9]*.md"))
    assert [page.name[:4] for page in decisions] == [f"{n:04}" for n in range(1, len(decisions) + 1)]
    for page in decisions:
        text = page.read_text(encoding="utf-8")
        assert text.startswith(f"# {page.name[:4]}. ")
        assert re.search(r"^Date: \d{4}-\d\d-\d\d\. Status: (proposed|accepted|superseded)", text, re.M)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_alone_says_what_each_target_does(repository: Path) -> None:
    listed = subprocess.run(
        ["make", "--no-print-directory"], cwd=repository, capture_output=True, text=True, check=True
    ).stdout
    makefile = (repository / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.M)
    assert phony is not None
    targets = set(phony[1].split()) - {"env", "env-dev"}
    assert {line.split()[1] for line in listed.splitlines()} == targets
    assert all(len(line.split()) > 3 for line in listed.splitlines())


@pytest.mark.parametrize(("ci", "outcome"), [("", "1 skipped"), ("true", "1 error")])
def test_a_missing_browser_skips_here_and_fails_in_ci(
    repository: Path, tmp_path: Path, ci: str, outcome: str
) -> None:
    shutil.copy(repository / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_page.py").write_text("def test_page(chromium_path): ...\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    environment = os.environ | {"PATH": "", "CI": ci, "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path / "none")}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-rsE", "-p", "no:cacheprovider", tmp_path],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome in ran.stdout
    assert "no browser: install chromium" in ran.stdout
    assert ran.returncode == (1 if ci else 0)


def test_continuous_integration_calls_the_targets_that_people_call(repository: Path) -> None:
    script = (repository / ".ci" / "run").read_text(encoding="utf-8")
    assert script.endswith('[ "$#" -gt 0 ] || set -- test\nmake "$@"\n')
    assert os.access(repository / ".ci" / "run", os.X_OK)
    for workflow, target in (("ci", "test"), ("daily", "soak"), ("daily", "ray")):
        steps = (repository / ".github" / "workflows" / f"{workflow}.yml").read_text(encoding="utf-8")
        assert f"run: .ci/run {target}\n" in steps


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_every_test_is_run_by_make_test_or_by_make_slow_and_soak_runs_the_slow_ones(repository: Path) -> None:
    def commands(target: str) -> str:
        command = ["make", "--no-print-directory", "--dry-run", target]
        return subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True).stdout

    slow = next(line for line in commands("slow").splitlines() if "/pytest" in line)
    assert '-m "not slow"' in commands("test")
    assert "-m slow" in slow
    assert slow in commands("soak")
