import subprocess
import sys
from pathlib import Path

import pytest

from core.domain.errors import ModelArtefactError
from core.registry.artefact import read_artefact
from core.registry.mlflow_registry import MlflowRegistry
from core.services.lifecycle.registering import register_shipped, shipped_folders
from tests.artefacts import write_artefact
from tests.empty_stores import copy_empty_mlflow

REPOSITORY = Path(__file__).resolve().parents[3]
SCRIPT = REPOSITORY / "core" / "services" / "lifecycle" / "pyfunc_model.py"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shipped")


def _open(root: Path) -> MlflowRegistry:
    return MlflowRegistry(copy_empty_mlflow(root / "mlflow.db"), root / "cache", pyfunc_script=SCRIPT)


@pytest.fixture(scope="module")
def registry(root: Path) -> MlflowRegistry:
    for k in (1, 2, 10):
        write_artefact(root / "checkpoints" / f"weld-v{k}", seed=k)
    write_artefact(root / "checkpoints" / "casting-v1", name="casting", seed=20)
    write_artefact(root / "checkpoints" / "casting-v2", name="casting", seed=21, card={"alias": "challenger"})
    (root / "checkpoints" / "notes").mkdir()
    opened = _open(root)
    assert register_shipped(root / "checkpoints", opened) == {"casting": (1, 2), "weld": (1, 2, 10)}
    return opened


def test_folders_are_ordered_by_version_not_by_text(registry: MlflowRegistry, root: Path) -> None:
    folders = shipped_folders(root / "checkpoints")["weld"]
    assert [(k, folder.name) for k, folder in folders] == [(1, "weld-v1"), (2, "weld-v2"), (10, "weld-v10")]


def test_a_name_of_two_words_has_versions_too(tmp_path: Path) -> None:
    (tmp_path / "casting-any-v3").mkdir()
    (tmp_path / "casting-v2").mkdir()
    assert {name: [k for k, _ in folders] for name, folders in shipped_folders(tmp_path).items()} == {
        "casting": [2],
        "casting-any": [3],
    }


def test_the_highest_version_becomes_champion_and_a_challenger_says_so(registry: MlflowRegistry) -> None:
    assert registry.aliases("weld") == {"champion": 10}
    assert registry.aliases("casting") == {"champion": 1, "challenger": 2}


def test_what_a_person_promoted_stays(registry: MlflowRegistry, root: Path) -> None:
    registry.set_alias("weld", "champion", 1)
    assert register_shipped(root / "checkpoints", registry)["weld"] == (1, 2, 10)
    assert registry.aliases("weld") == {"champion": 1}


def test_an_update_registers_its_versions_and_leaves_the_champion_to_people(tmp_path: Path) -> None:
    registry = _open(tmp_path)
    write_artefact(tmp_path / "checkpoints" / "weld-v1", seed=1)
    assert register_shipped(tmp_path / "checkpoints", registry) == {"weld": (1,)}
    write_artefact(tmp_path / "checkpoints" / "weld-v2", seed=2)
    assert register_shipped(tmp_path / "checkpoints", registry) == {"weld": (1, 2)}
    assert registry.aliases("weld") == {"champion": 1}


def test_a_fresh_installation_has_the_numbers_of_the_folders_though_some_ship_no_more(tmp_path: Path) -> None:
    registry = _open(tmp_path)
    for k in (1, 3):
        write_artefact(tmp_path / "checkpoints" / f"weld-v{k}", seed=k)
    assert register_shipped(tmp_path / "checkpoints", registry) == {"weld": (1, 3)}
    assert register_shipped(tmp_path / "checkpoints", registry) == {"weld": (1, 3)}
    registry.refresh()
    assert [version.version for version in registry.versions("weld")] == [1, 3]
    assert registry.aliases("weld") == {"champion": 3}
    assert [entry.about.shipped_as for entry in registry.entries("weld")] == [3, 1]
    assert not any(entry.is_renumbered for entry in registry.entries("weld"))
    assert registry.register(write_artefact(tmp_path / "trained", seed=9)) == 4


def test_an_installation_keeps_a_version_that_ships_no_more_and_its_champion(tmp_path: Path) -> None:
    registry = _open(tmp_path)
    for k in (1, 2):
        write_artefact(tmp_path / "checkpoints" / f"weld-v{k}", seed=k)
    assert register_shipped(tmp_path / "checkpoints", registry) == {"weld": (1, 2)}
    (tmp_path / "checkpoints" / "weld-v2").rename(tmp_path / "gone")
    write_artefact(tmp_path / "checkpoints" / "weld-v3", seed=3)
    assert register_shipped(tmp_path / "checkpoints", registry) == {"weld": (1, 3)}
    registry.refresh()
    assert [version.version for version in registry.versions("weld")] == [1, 2, 3]
    assert registry.resolve("weld", version=2)[0].sha256 == read_artefact(tmp_path / "gone").sha256
    assert registry.aliases("weld") == {"champion": 2}


class InUse:
    """Says that these files changed of a version in use."""

    def __init__(self, *names: str) -> None:
        self._changed = frozenset(names)
        self.renewed: list[tuple[str, int]] = []

    def changed(self, model: str, version: int, folder: Path) -> frozenset[str]:
        return self._changed

    def renew_card(self, model: str, version: int, folder: Path) -> None:
        self.renewed.append((model, version))


@pytest.mark.parametrize("names", [("card.yaml",), ("calibration.json", "card.yaml")])
def test_of_a_version_in_use_a_release_renews_the_card_alone(
    tmp_path: Path, names: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    registry, in_use = _open(tmp_path), InUse(*names)
    shipped = write_artefact(tmp_path / "checkpoints" / "weld-v1", seed=1)
    register_shipped(tmp_path / "checkpoints", registry)
    before = registry.resolve("weld")[0].calibration.operating_probability
    write_artefact(shipped, seed=1, card={"limits": "new"}, calibration={"operating_probability": 0.7})
    assert register_shipped(tmp_path / "checkpoints", registry, in_use) == {"weld": (1,)}
    registry.refresh()
    is_renewed = names == ("card.yaml",)
    assert in_use.renewed == ([("weld", 1)] if is_renewed else [])
    now = registry.resolve("weld")[0]
    assert now.calibration.operating_probability == (0.7 if is_renewed else before)
    assert ("stays as it is; not taken from this release: calibration.json" in caplog.text) is not is_renewed


def test_a_number_that_was_trained_here_is_not_taken_and_the_shipped_number_is_kept_beside(
    tmp_path: Path,
) -> None:
    registry = _open(tmp_path)
    write_artefact(tmp_path / "checkpoints" / "weld-v1", seed=1)
    register_shipped(tmp_path / "checkpoints", registry)
    assert registry.register(write_artefact(tmp_path / "trained", seed=8)) == 2
    write_artefact(tmp_path / "checkpoints" / "weld-v2", seed=2)
    assert register_shipped(tmp_path / "checkpoints", registry) == {"weld": (1, 3)}
    registry.refresh()
    newest, trained, first = registry.entries("weld")
    assert (newest.about.shipped_as, newest.is_renumbered) == (2, True)
    assert (trained.about.shipped_as, trained.is_renumbered) == (None, False)
    assert (first.about.shipped_as, first.is_renumbered) == (1, False)


def test_a_second_setup_is_quick_and_never_loads_mlflow(registry: MlflowRegistry, root: Path) -> None:
    program = (
        "import sys, time; started = time.process_time()\n"
        "from pathlib import Path; from core.registry.mlflow_registry import MlflowRegistry\n"
        "from core.services.lifecycle.registering import register_shipped\n"
        f"root = Path({str(root)!r})\n"
        "r = MlflowRegistry(f'sqlite:///{root}/mlflow.db', root / 'cache', pyfunc_script=Path('x'))\n"
        "register_shipped(root / 'checkpoints', r)\n"
        "print('mlflow' in sys.modules, time.process_time() - started < 1)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    assert done.stdout.split() == ["False", "True"]


def test_a_folder_whose_card_names_another_model_is_refused(registry: MlflowRegistry, root: Path) -> None:
    write_artefact(root / "wrong" / "weld-v1", name="casting", seed=40)
    with pytest.raises(ModelArtefactError, match="the card names the model 'casting'"):
        register_shipped(root / "wrong", registry)


def test_nothing_shipped_registers_nothing(registry: MlflowRegistry, tmp_path: Path) -> None:
    assert register_shipped(tmp_path / "missing", registry) == {}
