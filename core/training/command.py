"""The common ending of the training commands."""

import sys
from collections.abc import Callable
from pathlib import Path

from core.domain.errors import WorkbenchError


def exit_code(work: Callable[[], Path]) -> int:
    """Do the work and print the path that it wrote: 0; or one line that says why there is none: 2."""
    try:
        path = work()
    except WorkbenchError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stdout.write(f"{path}\n")
    return 0
