"""The generated Python client: as the API is, and working."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from app.api.application import create_api
from clients.write_client import TARGET, render
from core.config import Settings


@pytest.fixture(scope="module")
def client_module() -> ModuleType:
    """The client, loaded from its file as a program does that copied it."""
    spec = importlib.util.spec_from_file_location("radikal_client", TARGET)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_is_as_the_api_is() -> None:
    document = create_api(Settings(_env_file=None)).openapi()
    assert TARGET.read_text(encoding="utf-8") == render(document), "run: python -m clients.write_client"


def test_it_hands_in_a_radiograph_and_gets_its_report(
    client_module: ModuleType, environment: dict[str, str], tmp_path: Path
) -> None:
    radikal = client_module.RadiKal(environment["RADIKAL_URL"], environment["RADIKAL_KEY"])
    odd = tmp_path / 'film "7" \u00f6.png'
    odd.write_bytes((tmp_path / "film.png").read_bytes())
    (found,) = radikal.detect([odd], "weld", polarity="film", as_job=False, part="K\u00f6rper")["results"]
    assert found["image"]["name"] == "film _7_ \u00f6.png"
    page = radikal.list_inspections(text="K\u00f6rper", is_undecided=True)
    assert [one["inspection_id"] for one in page["inspections"]] == [found["inspection_id"]]
    assert radikal.get_report(found["inspection_id"]).startswith(b"%PDF")
    with pytest.raises(client_module.RefusedError, match="404 There is nothing here") as refused:
        radikal.get_inspection("0" * 32)
    assert refused.value.problem["type"] == "/api/docs#not-found"
    with pytest.raises(client_module.RefusedError, match="403"):
        radikal.get_model("weld")
