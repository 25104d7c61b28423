"""Moving the originals of an installation between its folder and an object store, each compared."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from core.store.blobs import BlobDamagedError, BlobNotFoundError, Blobs


@dataclass(frozen=True, slots=True)
class MovedOriginals:
    """Originals that now lie in the other place, each read there and compared with its digest.

    Attributes:
        n_copied: that were not there before.
        n_bytes: of these.
        n_there: that were there before, and are whole.
        n_removed: that were removed where they came from.
        problems: a sentence for each that is missing or damaged where it should come from.
    """

    n_copied: int
    n_bytes: int
    n_there: int
    n_removed: int
    problems: tuple[str, ...]


def copy_originals(
    source: Blobs,
    target: Blobs,
    known: Collection[str],
    *,
    removes: bool,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> MovedOriginals:
    """Copy what `source` holds to `target`; cut off, it goes on where it was when it is run again.

    Args:
        source: has the originals.
        target: gets them; what it holds already is read and compared, and replaced where it is damaged.
        known: digests that the database needs.
        removes: remove the originals from `source` when all of them are whole in `target`.
        progress: told how many of how many are done.

    Raises:
        StorageError: the object store or the disk does not take or give one; nothing was removed.
    """
    held = sorted(source.digests())
    problems, n_copied, n_bytes, n_there = [], 0, 0, 0
    for number, sha256 in enumerate(held, 1):
        if _is_whole(target, sha256):
            n_there += 1
        else:
            try:
                data = source.get(sha256)
            except (BlobDamagedError, BlobNotFoundError) as error:
                problems.append(str(error))
                continue
            target.put(data)
            n_copied, n_bytes = n_copied + 1, n_bytes + len(data)
        progress(number, len(held))
    missing = (sha256 for sha256 in sorted(set(known) - set(held)) if not _is_whole(target, sha256))
    problems += [
        f"the original {one[:12]} is in neither place, though the database knows it" for one in missing
    ]
    n_removed = 0
    if removes and not problems:
        for sha256 in held:
            source.remove(sha256)
            n_removed += 1
    return MovedOriginals(n_copied, n_bytes, n_there, n_removed, tuple(problems))


def _is_whole(blobs: Blobs, sha256: str) -> bool:
    try:
        return blobs.is_whole(sha256)
    except BlobNotFoundError:
        return False
