"""Removing what interrupted uploads left in the folder of originals."""

import itertools
import logging

from core.store.blobs import Blobs
from core.store.condition import knows_images
from core.store.unit_of_work import Store

log = logging.getLogger(__name__)
#: An upload that takes longer was interrupted.
_STALE_S = 3600.0
_AT_ONCE = 500


def sweep_originals(blobs: Blobs, store: Store, *, older_than_s: float = _STALE_S) -> int:
    """Remove half-written files and originals without a row; returns the number removed.

    A process that is killed during an upload leaves one or the other. Call it at a start.

    Args:
        blobs: the originals.
        store: the rows that point to them.
        older_than_s: younger files are left to whoever may still be writing them.

    Raises:
        DatabaseUnavailableError: others wrote all the time; what was removed until then is removed.
    """
    n_removed = blobs.sweep(older_than_s=older_than_s)
    n_removed += remove_orphans(blobs, store, older_than_s=older_than_s)
    if n_removed:
        log.info("removed %d files that interrupted uploads left behind", n_removed)
    return n_removed


def remove_orphans(blobs: Blobs, store: Store, *, older_than_s: float = _STALE_S) -> int:
    """Remove originals that neither a row nor the audit log names; returns the number removed.

    What only the log names lost its row outside of the program: `radikal audit verify` tells of it, and the
    film is kept, so that the row can be restored from a backup.

    Safe beside uploads, whatever their age: a file goes only while nobody can add its row, and an upload
    looks for its file after it added the row. A database that knows no image at all may be the wrong one, or
    an empty one in place of one that was lost: then nothing is removed.

    Raises:
        DatabaseUnavailableError: others wrote all the time.
    """
    n_removed, n_kept = 0, 0
    if not knows_images(store.engine):
        return n_removed
    digests = blobs.digests(older_than_s=older_than_s)
    while some := list(itertools.islice(digests, _AT_ONCE)):
        with store.write() as work:
            orphans = work.images.without_row(some)
            kept = work.images.named_by_log(orphans)
            for sha256 in orphans - kept:
                blobs.remove(sha256)
            n_removed += len(orphans - kept)
            n_kept += len(kept)
    if n_kept:
        log.warning("films that only the audit log names were kept: %d; run `radikal audit verify`", n_kept)
    return n_removed
