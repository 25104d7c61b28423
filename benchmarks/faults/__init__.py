"""Campaigns of faults, each bounded and ending by itself; see docs/reliability.md."""


class NotPossibleHereError(RuntimeError):
    """This machine, or whoever runs this, cannot have that fault."""
