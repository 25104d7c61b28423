"""The images that the label page walks along, one after the other."""

from functools import partial

from app.label.browse import state
from app.label.state import image_in_address
from app.shared.resources import resources
from core.domain.accounts import Identity
from core.store.image_browse import BrowseFilter

_MOST_WALKED = 5_000


def walk(identity: Identity, wanted: BrowseFilter) -> None:
    """Let the label page go along the images that the filter lets through."""
    state.walk_from(_digests(identity, wanted))


def walk_on(identity: Identity) -> None:
    """Go on along the images that the address names, as after a reload of the label page."""
    wanted = state.filter_in_address(partial(digests_of, identity))
    if wanted is not None:
        here, digests = image_in_address(), _digests(identity, wanted)
        # whoever changed the image on show may have taken it out of the filter
        state.walk_from([here, *digests] if here and here not in digests else digests)


def _digests(identity: Identity, wanted: BrowseFilter) -> list[str]:
    browsing = resources().services.workspace_of(identity).browsing
    return browsing.digests(identity, wanted, limit=_MOST_WALKED)


def digests_of(identity: Identity, number: str) -> frozenset[str]:
    """The images of a data version.

    Raises:
        ValueError: that is no number.
    """
    data = resources().services.data
    manifest = data.manifest(identity, data.numbered(identity, int(number)))
    return frozenset(image.sha256 for image in manifest.images)
