"""docs/production-checklist.md answers every line of the checklist, with things that are there."""

import os
import re
from pathlib import Path

import click
import pytest

from app.shared.navigation import PAGES
from core.cli import main
from core.config import keys

ROW = re.compile(
    r"^\| (.+?) \| (done|yours|optional|no|not yet) \|(?: (.*))? \|$|^\| (.+?) \| (.+) \|$", re.M
)
CODE = re.compile(r"`([^`]+)`")
SETTING = re.compile(r"[A-Z][A-Z0-9]+(_[A-Z0-9]+)+")
PATH = re.compile(r"\.?[\w.-]+(/[\w.-]+)+/?|[\w.-]+\.(md|yaml|yml|txt|toml|example)|Dockerfile|LICENSE")
#: Programs of others, and words of Kubernetes, compose, recipes and the registry.
FOREIGN = re.compile(
    r"(dvc|docker|kubectl|mlflow|pip|pytest) ?.*|/api/.*|--demo|-e .*|\*|champion|casting(-any)?|weld|core"
    r"|app|batch|workers|schedule|workbench|backup|data|db|INFO"
)


def text(repository: Path) -> str:
    return (repository / "docs" / "production-checklist.md").read_text(encoding="utf-8")


def answers(repository: Path) -> list[str]:
    """The columns on the right of every row of every table."""
    rows = [found for found in ROW.finditer(text(repository)) if not found[0].startswith("|---")]
    return [(row[3] or "") if row[2] else row[5] for row in rows]


def command(words: list[str]) -> click.Command | None:
    found: click.Command | None = main
    for word in words:
        if not isinstance(found, click.Group):
            break
        found = found.commands.get(word)
    return found


def test_every_line_of_the_checklist_has_one_answer(repository: Path) -> None:
    checklist = (
        Path(os.environ.get("RADIKAL_SHARED", repository.parent / "shared")) / "PRODUCTION_CHECKLIST.md"
    )
    if not checklist.exists():
        pytest.skip("the checklist of operation lies outside of the repository")
    lines = re.findall(r"^- \[ \] (.+)$", checklist.read_text(encoding="utf-8"), re.M)
    answered = [row[1] for row in ROW.finditer(text(repository)) if row[2]]
    assert len(lines) > 90
    assert answered == lines


def test_what_is_done_or_optional_says_how(repository: Path) -> None:
    for row in ROW.finditer(text(repository)):
        if row[2] in ("done", "optional", "no"):
            assert row[3], row[1]


def test_every_command_of_ours_is_there_with_its_options(repository: Path) -> None:
    named = [
        code for answer in answers(repository) for code in CODE.findall(answer) if code.startswith("radikal ")
    ]
    assert len(set(named)) > 15
    for code in named:
        words = code.split()[1:]
        found = command([word for word in words if re.fullmatch(r"[a-z][a-z-]*", word)])
        assert found is not None, code
        assert not isinstance(found, click.Group), code
        options = {option for parameter in found.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, code


def test_every_target_page_setting_and_file_is_there(repository: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (repository / "Makefile").read_text(encoding="utf-8"), re.M)
    titles = {page.title for page in PAGES}
    for answer in answers(repository):
        for title in re.findall(r"page \*\*([^*]+)\*\*", answer):
            assert title in titles, title
        for code in CODE.findall(answer):
            if code.startswith("make "):
                assert code.removeprefix("make ") in targets, code
            elif SETTING.fullmatch(code.split("=")[0]):
                assert code.split("=")[0] in keys(), code
            elif PATH.fullmatch(code):
                assert (repository / code).exists(), code
            else:
                assert code.startswith("radikal ") or FOREIGN.fullmatch(code), code
