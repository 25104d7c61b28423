"""Originals in an object store: the promises of the folder, and a bounded folder of copies."""

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest

from core.domain.errors import ConfigurationError
from core.store.blobs import BlobDamagedError, BlobNotFoundError
from core.store.object_blobs import ObjectBlobs
from core.store.objects import Objects, ObjectStoreError
from tests.s3 import S3Server, run_s3

MIB = 2**20


@pytest.fixture
def url(s3: str) -> str:
    return f"{s3}/originals"


@pytest.fixture
def blobs(url: str, tmp_path: Path) -> ObjectBlobs:
    return ObjectBlobs(Objects(url, "ORIGINALS_URL"), tmp_path / "cache", cache_bytes=MIB)


def emptied(blobs: ObjectBlobs, tmp_path: Path) -> ObjectBlobs:
    """The same with no copies here."""
    for path in (tmp_path / "cache").glob("??/*"):
        path.unlink()
    return blobs


def test_what_was_put_comes_back_from_the_store_and_from_the_copy(
    blobs: ObjectBlobs, url: str, tmp_path: Path
) -> None:
    sha256 = blobs.put(b"film")
    assert sha256 == hashlib.sha256(b"film").hexdigest() == blobs.put(b"film")
    assert [entry.name for entry in Objects(url, "a test").entries()] == [f"{sha256[:2]}/{sha256}"]
    assert emptied(blobs, tmp_path).get(sha256) == b"film"
    Objects(url, "a test").remove(f"{sha256[:2]}/{sha256}")
    assert blobs.get(sha256) == b"film", "from the copy"
    assert not blobs.has(sha256), "a copy here is no original"
    with pytest.raises(BlobNotFoundError):
        blobs.is_whole(sha256)
    with pytest.raises(BlobNotFoundError):
        emptied(blobs, tmp_path).get(sha256)


def test_damage_in_the_store_or_in_a_copy_is_found(blobs: ObjectBlobs, url: str, tmp_path: Path) -> None:
    sha256 = blobs.put(b"film")
    (tmp_path / "cache" / sha256[:2] / sha256).write_bytes(b"fiLm")
    assert blobs.get(sha256) == b"film", "the copy was damaged, the original is not"
    Objects(url, "a test").write(f"{sha256[:2]}/{sha256}", b"fiLm")
    assert not blobs.is_whole(sha256)
    with pytest.raises(BlobDamagedError, match="hand in the original again"):
        emptied(blobs, tmp_path).get(sha256)
    blobs.put(b"film")
    assert blobs.is_whole(sha256), "handed in again it is whole"


def test_what_reads_back_as_something_else_is_not_acknowledged(url: str, tmp_path: Path) -> None:
    class Failing(Objects):
        def write(self, name: str, data: bytes) -> None:
            super().write(name, data[:-1])

    blobs = ObjectBlobs(Failing(url, "ORIGINALS_URL"), tmp_path / "cache", cache_bytes=MIB)
    with pytest.raises(ObjectStoreError, match="reads back as something else; nothing was stored"):
        blobs.put(b"film")
    assert list(blobs.digests()) == []
    assert not list((tmp_path / "cache").glob("??/*"))


def test_the_copies_stay_within_their_bound_and_the_latest_used_stay(
    blobs: ObjectBlobs, tmp_path: Path
) -> None:
    films = [bytes([number]) * (MIB // 8) for number in range(12)]
    digests = [blobs.put(film) for film in films]
    kept = {path.name for path in (tmp_path / "cache").glob("??/*")}
    assert sum(path.stat().st_size for path in (tmp_path / "cache").glob("??/*")) <= MIB
    assert digests[-1] in kept
    assert digests[0] not in kept
    assert [blobs.get(digest) for digest in digests] == films, "the others come from the store"


def test_only_old_originals_are_offered_to_a_sweep(blobs: ObjectBlobs) -> None:
    sha256 = blobs.put(b"film")
    assert list(blobs.digests()) == [sha256]
    assert list(blobs.digests(older_than_s=timedelta(hours=1).total_seconds())) == []
    assert blobs.sizes() == {sha256: 4}
    blobs.remove(sha256)
    blobs.remove(sha256)
    assert list(blobs.digests()) == []


@pytest.mark.parametrize("name", ["", "../../secret", "A" * 64])
def test_only_digests_are_names(blobs: ObjectBlobs, name: str) -> None:
    with pytest.raises(BlobNotFoundError):
        blobs.has(name)


def test_a_store_that_goes_away_is_one_error_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with run_s3(tmp_path) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        url = f"s3://{server.new_bucket()}/originals"
        blobs = ObjectBlobs(Objects(url, "ORIGINALS_URL"), tmp_path / "cache", cache_bytes=MIB)
        sha256 = blobs.put(b"film")
        server.kill()
        with pytest.raises(
            ObjectStoreError, match=r"^ORIGINALS_URL: the object store s3://\S+ does not do it"
        ):
            blobs.put(b"another")
        with pytest.raises(ObjectStoreError):
            blobs.has(sha256)
        assert blobs.get(sha256) == b"film", "copies can be looked at meanwhile"
        assert not (tmp_path / "cache" / "another").exists()


def test_a_wrong_bucket_is_told_from_one_that_is_away(blobs: ObjectBlobs, s3_server: S3Server) -> None:
    assert blobs.problem(None) is None
    sha256 = blobs.put(b"film")
    assert blobs.problem(sha256) is None
    assert "does not hold the films that the database knows" in str(blobs.problem("a" * 64))


def test_a_url_without_a_folder_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="^ORIGINALS_URL: expected a URL such as s3://bucket/folder"):
        Objects("s3://", "ORIGINALS_URL")
