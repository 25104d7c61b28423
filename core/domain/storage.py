"""Disks that are full, read-only or broken, in words for users."""

import errno

from core.domain.errors import WorkbenchError

_WORDS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "no more may be written to this disk: its quota is used up",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "the folder or file may not be written by the user that runs RadiKal",
    errno.EPERM: "the folder or file may not be written by the user that runs RadiKal",
    errno.EIO: "the disk is failing",
}
_SAFE = "nothing was stored, what was stored before is safe"
_REMEDY = {
    errno.ENOSPC: "make room, then try again",
    errno.EDQUOT: "make room, then try again",
    errno.EIO: "tell an administrator: it has to be replaced",
}


class StorageError(WorkbenchError):
    """Something could not be written to the disk; nothing of it was stored."""


def storage_problem(error: BaseException | None) -> str | None:
    """What a failed write means, what is safe and what to do; None for an error of another kind."""
    number = error.errno if isinstance(error, OSError) else None
    if number not in _WORDS:
        return None
    remedy = _REMEDY.get(number, "an administrator has to give it the right to write")
    return f"{_WORDS[number]}; {_SAFE}. Please {remedy}"
