"""Only `state.py` of a feature touches Streamlit's session state."""

import ast
from pathlib import Path

import pytest


def scripts(repository: Path) -> list[Path]:
    return sorted(path for folder in ("app", "pages") for path in (repository / folder).rglob("*.py"))


def touches_session_state(source: str) -> bool:
    """True when the source names `session_state`, as an attribute, a name or an import."""
    for node in ast.walk(ast.parse(source)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom | ast.Import) else []
        if "session_state" in (*names, getattr(node, "attr", None), getattr(node, "id", None)):
            return True
    return False


def test_session_state_is_touched_in_state_modules_only(repository: Path) -> None:
    touching = [
        path.relative_to(repository).as_posix()
        for path in scripts(repository)
        if touches_session_state(path.read_text(encoding="utf-8"))
    ]
    assert touching, "the search finds nothing any more"
    assert [path for path in touching if Path(path).name != "state.py"] == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import streamlit as st\nst.session_state['a'] = 1", True),
        ("from streamlit import session_state", True),
        ("from streamlit import session_state as kept\nkept['a'] = 1", True),
        ("'''st.session_state'''  # st.session_state", False),
    ],
)
def test_the_search_reads_code_not_words(source: str, expected: bool) -> None:
    assert touches_session_state(source) is expected
