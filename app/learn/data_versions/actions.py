"""The action of the page of data versions. Only from callbacks."""

from app.learn.data_versions import state
from app.shared.access import acting, current_identity
from app.shared.resources import resources


@acting
def make() -> None:
    """Start the job that makes a version of the labels."""
    resources().services.data.start(current_identity(), state.wanted())
    state.was_asked()
