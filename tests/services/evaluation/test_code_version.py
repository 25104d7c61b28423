import ast
from pathlib import Path

from core.services.evaluation.code_version import ASKED_LATER, code_version, stored_sources

CORE = Path(__file__).resolve().parents[3] / "core"


def test_the_version_is_a_digest_of_what_detects_merges_calibrates_and_counts() -> None:
    names = {file.relative_to(CORE).as_posix() for file in stored_sources()}
    assert {
        "engine/merging.py",
        "calibrate/isotonic.py",
        "evaluate/matching.py",
        "imaging/normalise.py",
    } <= names
    assert "evaluate/comparison.py" not in names
    assert len(code_version()) == 64


def test_nothing_that_is_stored_rests_on_a_module_that_is_left_out() -> None:
    left_out = {f"core.evaluate.{name.removesuffix('.py')}" for name in ASKED_LATER}
    for file in stored_sources():
        imported = {
            node.module
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
        }
        assert not imported & left_out, file.name


def test_every_module_that_is_left_out_is_there() -> None:
    assert all((CORE / "evaluate" / name).is_file() for name in ASKED_LATER)
