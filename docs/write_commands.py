"""Writes docs/commands.md from the help texts of the command line. `make docs` runs it."""

from pathlib import Path

import click

from core.cli import main

TARGET = Path(__file__).with_name("commands.md")
HEADER = """# Commands

Written by `make docs` from the help of each command; a test fails when it is out of date.
Exit codes: 0 done, 1 the work failed, 2 bad input (one line on stderr).
"""


def render(root: click.Command) -> str:
    """The whole page: one section per command, in the order of `radikal --help`."""
    return HEADER + "".join(
        _sections(root, root.make_context("radikal", [], resilient_parsing=True, terminal_width=100))
    )


def _sections(command: click.Command, context: click.Context) -> list[str]:
    help_text = command.get_help(context).rstrip()
    sections = [f"\n## {context.command_path}\n\n```text\n{help_text}\n```\n"]
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None and not child.hidden:
                sections += _sections(child, child.make_context(name, [], context, resilient_parsing=True))
    return sections


if __name__ == "__main__":
    TARGET.write_text(render(main), encoding="utf-8")
