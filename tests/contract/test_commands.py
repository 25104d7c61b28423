import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

if importlib.util.find_spec("core.cli") is None:
    pytest.skip("the command line is not written yet", allow_module_level=True)

import click

from core.cli import main


@pytest.fixture
def writer(repository: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("write_commands", repository / "docs" / "write_commands.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
