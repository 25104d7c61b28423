"""The JavaScript of the components: served whole, under an address that changes with it, and linted."""

import gzip
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.applications import Starlette

from app.shared.components import scripts as module
from app.shared.components.scripts import component, routes, scripts
from tests.asgi import Answer, ask
from tests.conftest import REPOSITORY

FOLDER = REPOSITORY / "app" / "shared" / "components"
EXPORT = re.compile(r"^export (?:async )?(?:function\*?|class|const) (\w+)", re.MULTILINE)
IMPORT = re.compile(r'^import \{ ([^}]+) \} from "[^"]+";$', re.MULTILINE)


def answer_to(path: str) -> Answer:
    return ask(Starlette(routes=routes()), path)


def test_a_module_is_served_whole_and_kept_by_the_browser() -> None:
    answer = answer_to(scripts().address_of("radiograph/stage.js"))
    assert gzip.decompress(answer.body) == (FOLDER / "radiograph" / "stage.js").read_bytes()
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    "path", ["none.js", "scripts.py", "../middleware.py", "radiograph/", "radiograph/radiograph.css"]
)
def test_nothing_else_is_served(path: str) -> None:
    assert answer_to(scripts().address_of(path)).status == 404


def test_modules_of_another_version_are_not_there_and_that_is_not_kept() -> None:
    answer = answer_to(f"/scripts/{0:016}/element.js")
    assert (answer.status, answer.headers["cache-control"]) == (404, "no-store")


def test_the_address_changes_with_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = scripts().version
    shutil.copytree(FOLDER, tmp_path / "components")
    monkeypatch.setattr(module, "_FOLDER", tmp_path / "components")
    assert scripts.__wrapped__().version == before
    (tmp_path / "components" / "element.js").write_text("export {};\n", encoding="utf-8")
    assert scripts.__wrapped__().version != before


def test_every_module_is_served() -> None:
    files = {file.relative_to(FOLDER).as_posix() for file in FOLDER.rglob("*.js")}
    assert files == set(scripts().bodies)
    assert all(gzip.decompress(body) for body in scripts().bodies.values())


def test_every_export_is_imported_somewhere() -> None:
    texts = [file.read_text(encoding="utf-8") for file in FOLDER.rglob("*.js")]
    exported = [name for text in texts for name in EXPORT.findall(text)]
    imported = {name for text in texts for names in IMPORT.findall(text) for name in names.split(", ")}
    tested = (REPOSITORY / "tests" / "e2e").glob("test_*.py")
    in_tests = "\n".join(file.read_text(encoding="utf-8") for file in tested)
    assert len(exported) > 50
    assert [name for name in exported if name not in imported and name not in in_tests] == []
    assert len(exported) == len(set(exported))


def test_every_class_and_attribute_of_a_style_sheet_is_used() -> None:
    sheets = [re.sub(r"\{[^{}]*\}|/\*.*?\*/", " ", file.read_text("utf-8")) for file in FOLDER.rglob("*.css")]
    named = {name for sheet in sheets for name in re.findall(r"[.#]([a-z][\w-]*)|\[data-([\w-]+)", sheet)}
    sources = [file for kind in ("js", "html", "py") for file in (REPOSITORY / "app").rglob(f"*.{kind}")]
    words = set(re.findall(r"[\w-]+", "\n".join(file.read_text("utf-8") for file in sources)))
    wanted = {css_class or f"data-{attribute}" for css_class, attribute in named}
    set_by_script = {f"data-{name}" for name in ("state", "mode")}  # as `dataset.state`
    assert len(wanted) > 100
    assert wanted - set_by_script - words == set()


@pytest.mark.parametrize(
    "code", ["missing();", "const unused = 1;", 'import { none } from "./element.js";\nnone();']
)
def test_the_linter_finds_undeclared_unused_and_missing_names(tmp_path: Path, code: str) -> None:
    shutil.copy(FOLDER / "element.js", tmp_path)
    (tmp_path / "new.js").write_text(code + "\n", encoding="utf-8")
    oxlint = Path(sys.executable).with_name("oxlint")
    config = REPOSITORY / ".oxlintrc.json"
    found = subprocess.run([oxlint, "-c", config, tmp_path], capture_output=True, text=True, check=False)
    assert found.returncode == 1, found.stdout
    assert "Found 0 warnings and 1 error" in found.stdout


def test_a_component_sends_the_address_of_its_code_and_not_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    declared: dict[str, str] = {}
    monkeypatch.setattr(
        module.st.components.v2, "component", lambda name, **parts: declared.update(name=name, **parts)
    )
    component.__wrapped__("record_table", "radiograph/radiograph.css")
    assert declared["name"] == "radikal_record_table"
    assert scripts().address_of("record_table/record_table.js") in declared["js"]
    assert len(declared["js"]) < 300
    assert ".records" in declared["css"]
    assert ".stage" in declared["css"]
    assert 'class="records"' in declared["html"]
