"""Streamlit's choosers of files over our store."""

import inspect
from dataclasses import fields
from pathlib import Path

import pytest
from streamlit.runtime import Runtime, RuntimeConfig

from app.shared.resources import Resources
from app.shared.uploads import MIB, UploadLimits, UploadStore
from app.web.uploaded_files import StoredUploads, WorkbenchApp
from core.domain.accounts import Identity, Role

ANN = Identity("u-ann", "ann", Role.INSPECTOR)


@pytest.fixture
def store(tmp_path: Path) -> UploadStore:
    return UploadStore(tmp_path, UploadLimits(person=9 * MIB, address=9 * MIB, reserve=0))


def keep(store: UploadStore, session_id: str, file_id: str) -> None:
    file = store.expect(ANN, "192.0.2.7", 4)
    with file.open_to_write() as target:
        target.write(b"film")
    file.name, file.media_type = f"{file_id}.png", "image/png"
    store.keep(session_id, file_id, ANN.user_id, file)


def test_a_chooser_is_told_names_without_bytes(store: UploadStore) -> None:
    manager = StoredUploads(store)
    for file_id in ("a", "b"):
        keep(store, "page", file_id)
    found = manager.get_files("page", ["b", "gone", "a"])
    assert [(one.file_id, one.name, one.type, one.data) for one in found] == [
        ("b", "b.png", "image/png", b""),
        ("a", "a.png", "image/png", b""),
    ]
    assert manager.get_files("another", ["a"]) == []


def test_what_is_taken_out_of_a_chooser_or_goes_with_its_page_is_gone(store: UploadStore) -> None:
    manager = StoredUploads(store)
    for session_id, file_id in (("page", "a"), ("page", "b"), ("other", "c")):
        keep(store, session_id, file_id)
    manager.remove_file("page", "a")
    manager.remove_file("page", "gone")
    assert [one.file_id for one in manager.get_files("page", ["a", "b"])] == ["b"]
    manager.remove_session_files("page")
    assert store.sessions() == ["other"]
    assert store.n_bytes("person", ANN.user_id) == 4


def test_every_file_gets_an_address_of_its_own(store: UploadStore) -> None:
    one, two = StoredUploads(store).get_upload_urls("page", ["a", "b"])
    assert one.upload_url == one.delete_url == f"/_stcore/upload_file/page/{one.file_id}"
    assert one.file_id != two.file_id


def test_the_app_runs_with_our_store_and_is_made_like_streamlits_own(
    workplace: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Runtime, "_instance", None)
    runtime = WorkbenchApp(Path(inspect.getfile(WorkbenchApp)))._create_runtime()
    assert isinstance(runtime.uploaded_file_mgr, StoredUploads)
    # a Streamlit that knows another option has to be looked at again
    assert {field.name for field in fields(RuntimeConfig)} == {
        "script_path",
        "media_file_storage",
        "uploaded_file_manager",
        "cache_storage_manager",
        "component_registry",
        "bidi_component_registry",
        "session_manager_class",
        "session_storage",
        "is_hello",
        "on_script_error",
    }
