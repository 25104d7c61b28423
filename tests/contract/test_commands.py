import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

if importlib.util.find_spec("core.cli") is None:
    pytest.skip("the command line is not written yet", allow_module_level=True)

import click

from core.cli import main
from core.config import keys


def script(repository: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, repository / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def writer(repository: Path) -> ModuleType:
    return script(repository, "write_commands")


def commands(command: click.Command) -> list[click.Command]:
    children = command.commands.values() if isinstance(command, click.Group) else ()
    return [command, *(grandchild for child in children for grandchild in commands(child))]


def test_every_command_is_documented(repository: Path, writer: ModuleType) -> None:
    page = (repository / "docs" / "commands.md").read_text(encoding="utf-8")
    assert page == writer.render(main), "docs/commands.md is out of date: make docs"


def test_every_command_and_option_says_what_it_does() -> None:
    silent = [c.name for c in commands(main) if not c.get_short_help_str() and not c.hidden]
    assert silent == []
    options = [p for c in commands(main) for p in c.params if isinstance(p, click.Option)]
    assert [option.name for option in options if not option.help] == []


def test_every_setting_is_in_the_table(repository: Path) -> None:
    page = (repository / "docs" / "settings.md").read_text(encoding="utf-8")
    example = (repository / ".env.example").read_text(encoding="utf-8")
    assert page == script(repository, "write_settings").render(example), "docs/settings.md: make docs"
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", page, re.M)) == set(keys())


def test_every_command_that_the_manuals_name_is_there(repository: Path) -> None:
    pages = [repository / "README.md", *(repository / "docs").rglob("*.md")]
    assert len(pages) > 30
    gone = set()
    named = re.compile(r"`radikal(?! inspection report)((?: [a-z][a-z-]*)+)")
    for page in pages:
        for words in named.findall(page.read_text(encoding="utf-8")):
            found: click.Command = main
            for word in words.split():
                if isinstance(found, click.Group):
                    if word not in found.commands:
                        gone.add(f"{page.name}: radikal{words}")
                        break
                    found = found.commands[word]
    assert gone == set()
