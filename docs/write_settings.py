"""Writes docs/settings.md from the settings and the comments of .env.example. `make docs` runs it."""

import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from core.config import ROOT, Settings

TARGET = Path(__file__).with_name("settings.md")
HEADER = """# Settings

Written by `make docs` from the program and `.env.example`; a test fails when it is out of date.
Each is an environment variable or a line of `.env`; the environment wins. A value that cannot be is refused
at the start, in one line that names the key.

| key | default | may be | for |
|---|---|---|---|
"""


def render(example: str) -> str:
    """The whole page: one row a setting, in the order of .env.example."""
    rows = [
        f"| `{key}` | {_default(field)} | {_range(field)} | {why} |\n"
        for key, why in _described(example).items()
        for field in (Settings.model_fields[key.lower()],)
    ]
    return HEADER + "".join(rows)


def _described(example: str) -> dict[str, str]:
    """The comment above each key; keys below one comment share it."""
    found: dict[str, str] = {}
    comment: list[str] = []
    is_new = True
    for line in example.splitlines():
        if line.startswith("#"):
            comment = [*([] if is_new else comment), line.removeprefix("#").strip()]
            is_new = False
        elif key := re.match(r"([A-Z_]+)=", line):
            found[key[1]] = " ".join(comment).replace("|", "\\|")
            is_new = True
        else:
            comment = []
    return found


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    return "none" if value in (None, "", ()) else f"`{value}`"


def _range(field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(field.annotation))
    known = [(one, name) for one in field.metadata for name in ("ge", "le") if hasattr(one, name)]
    bounds = {name: getattr(one, name) for one, name in known}
    if bounds:
        return f"{bounds['ge']} to {bounds['le']}" if "le" in bounds else f"{bounds['ge']} or more"
    return "several, comma-separated" if "tuple" in str(field.annotation) else "text"


if __name__ == "__main__":
    TARGET.write_text(render((ROOT / ".env.example").read_text(encoding="utf-8")), encoding="utf-8")
