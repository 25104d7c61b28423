"""The page on model quality is what the cards say."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    path = REPOSITORY / "docs" / "write_model_quality.py"
    spec = importlib.util.spec_from_file_location("write_model_quality", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(writer: ModuleType) -> None:
    assert writer.TARGET.read_text(encoding="utf-8") == writer.render(
        writer.shipped_cards(), writer.stored_ablations()
    ), "run `make docs`"


def test_every_shipped_version_is_told_with_its_licence(writer: ModuleType) -> None:
    page = writer.render(writer.shipped_cards(), writer.stored_ablations())
    for folder in (REPOSITORY / "models" / "checkpoints").iterdir():
        assert f"## {' '.join(folder.name.rsplit('-', 1))}" in page
    for _, card in writer.shipped_cards():
        assert card["data_notice"] in page


def test_what_was_not_measured_is_a_dash_never_a_zero(writer: ModuleType) -> None:
    title, card = writer.shipped_cards()[0]
    without = {**card, "evaluation": [{**card["evaluation"][0], "ap50": None, "ap50_ci": None}]}
    assert "| AP50 | - |" in writer.render([(title, without)], {})


def test_every_arm_of_the_ablations_is_told_with_its_interval(writer: ModuleType) -> None:
    page = writer.render([], writer.stored_ablations())
    for table in writer.stored_ablations().values():
        assert f"### {table['title']}" in page
        for arm in table["arms"]:
            (row,) = (line for line in page.splitlines() if line.startswith(f"| {arm['name']} "))
            assert f"{arm['ap50']:.2f} (" in row
            assert row.endswith("| reference |") == (arm["name"] == table["against"])
