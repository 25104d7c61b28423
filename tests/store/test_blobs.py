import hashlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.domain.storage import StorageError
from core.store.blobs import BlobDamagedError, BlobNotFoundError, BlobStore

DATA = b"original bytes of a radiograph" * 1000


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "originals")


def files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.binary(max_size=2000))
def test_bytes_come_back_under_their_digest(store: BlobStore, data: bytes) -> None:
    sha256 = store.put(data)
    assert sha256 == hashlib.sha256(data).hexdigest()
    assert store.get(sha256) == data
    assert store.has(sha256)


def test_blobs_are_spread_over_folders_by_digest(store: BlobStore, tmp_path: Path) -> None:
    sha256 = store.put(DATA)
    assert files(tmp_path) == [tmp_path / "originals" / sha256[:2] / sha256]


def test_the_same_bytes_again_are_not_written_again(store: BlobStore) -> None:
    path = store.path(store.put(DATA))
    before = path.stat()
    store.put(DATA)
    assert path.stat().st_ino == before.st_ino


def test_a_damaged_blob_is_found_and_healed_by_the_original(store: BlobStore) -> None:
    sha256 = store.put(DATA)
    store.path(sha256).write_bytes(DATA[:-1] + b"X")
    with pytest.raises(BlobDamagedError, match=f"the stored image {sha256[:12]} is damaged"):
        store.get(sha256)
    store.put(DATA)
    assert store.get(sha256) == DATA


def test_an_unknown_digest_is_an_error(store: BlobStore) -> None:
    assert not store.has("0" * 64)
    with pytest.raises(BlobNotFoundError, match="no image 000000000000 is stored"):
        store.get("0" * 64)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64 + "\n", "g" * 64])
def test_only_a_digest_names_a_blob(store: BlobStore, name: str) -> None:
    with pytest.raises(BlobNotFoundError, match="64 lower-case hex digits"):
        store.path(name)


@pytest.mark.parametrize("call", ["fsync", "rename"])
def test_a_write_that_is_killed_leaves_no_half_blob(tmp_path: Path, call: str) -> None:
    script = f"""
import os, pathlib, signal, sys
from core.store.blobs import BlobStore
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
if {call!r} == "fsync":
    os.fsync = die
else:
    pathlib.Path.replace = die
BlobStore(pathlib.Path(sys.argv[1])).put({DATA[:30]!r} * 1000)
"""
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    store = BlobStore(tmp_path)
    sha256 = hashlib.sha256(DATA).hexdigest()
    assert not store.has(sha256)
    assert [path.name[:10] for path in files(tmp_path)] == [".incoming-"]
    assert store.put(DATA) == sha256
    assert store.get(sha256) == DATA
    assert store.sweep(older_than_s=0) == 1
    assert files(tmp_path) == [store.path(sha256)]


def test_sweeping_leaves_what_is_young_and_what_is_stored(store: BlobStore, tmp_path: Path) -> None:
    assert store.sweep() == 0  # there is no folder yet
    path = store.path(store.put(DATA))
    young, stale = path.parent / ".incoming-young", path.parent / ".incoming-stale"
    for temporary in (young, stale):
        temporary.write_bytes(b"half")
    for old in (stale, path):
        os.utime(old, (0, 0))
    assert store.sweep() == 1
    assert sorted(files(tmp_path)) == sorted([young, path])


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def disk_is_full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", disk_is_full)
    with pytest.raises(StorageError, match="the disk is full; nothing was stored, what was .* is safe"):
        BlobStore(tmp_path).put(DATA)
    assert files(tmp_path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel which file a handle is")
def test_bytes_are_flushed_before_the_name_and_the_folders_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    flush, rename = os.fsync, Path.replace

    def note_flush(handle: int) -> None:
        calls.append(Path(f"/proc/self/fd/{handle}").readlink().name[:9])
        flush(handle)

    def note_rename(self: Path, target: Path) -> Path:
        calls.append("rename")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", note_flush)
    monkeypatch.setattr(Path, "replace", note_rename)
    store = BlobStore(tmp_path / "originals")
    sha256 = store.put(DATA)
    assert calls == [".incoming", "rename", sha256[:2], "originals", tmp_path.name[:9]]
    calls.clear()
    store.put(DATA)
    assert calls == [sha256[:2], "originals"]  # its first writer may not have come that far


def test_many_writers_of_the_same_bytes_agree(store: BlobStore, tmp_path: Path) -> None:
    threads = [threading.Thread(target=store.put, args=(DATA,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(files(tmp_path)) == 1
