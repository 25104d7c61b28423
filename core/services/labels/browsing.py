"""Looking through all images of a workspace with their labels."""

from dataclasses import dataclass

from core.domain.accounts import Identity
from core.domain.errors import BadInputError
from core.domain.permissions import Action, require
from core.services.inspections.correction_queue import names_of
from core.store.image_browse import BrowsedImage, BrowseFilter, Place
from core.store.unit_of_work import Store

#: More digests than a database takes in one question.
_MOST_DIGESTS = 30_000


@dataclass(frozen=True, slots=True, eq=False)
class ImagePage:
    """Some of the images that a filter lets through.

    Attributes:
        n_found: how many there are in all.
        next_place: where the next page begins, None when this is the last one.
        names: of those who labelled, by id.
    """

    images: tuple[BrowsedImage, ...]
    n_found: int
    next_place: Place | None
    names: dict[str, str]


class ImageBrowsing:
    """The images of one workspace."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def page(
        self,
        identity: Identity,
        wanted: BrowseFilter,
        *,
        limit: int,
        before: Place | None = None,
    ) -> ImagePage:
        """At most `limit` images, the newest first.

        Raises:
            NotAllowedError: the role may not look at annotations.
            BadInputError: the filter names too many images.
        """
        require(identity, Action.ANNOTATIONS_READ)
        _require_few(wanted)
        with self._store.read() as work:
            found = work.image_browse.page(wanted, limit + 1, before=before)
            shown = found[:limit]
            return ImagePage(
                images=tuple(shown),
                n_found=work.image_browse.count(wanted),
                next_place=shown[-1].place if len(found) > limit else None,
                names=names_of(work, set(work.image_browse.author_ids())),
            )

    def authors(self, identity: Identity) -> dict[str, str]:
        """Names of everybody who ever saved labels, by id.

        Raises:
            NotAllowedError: the role may not look at annotations.
        """
        require(identity, Action.ANNOTATIONS_READ)
        with self._store.read() as work:
            return names_of(work, set(work.image_browse.author_ids()))

    def digests(self, identity: Identity, wanted: BrowseFilter, *, limit: int) -> list[str]:
        """Digests of at most `limit` images, in the order of the pages.

        Raises:
            NotAllowedError: the role may not look at annotations.
            BadInputError: the filter names too many images.
        """
        require(identity, Action.ANNOTATIONS_READ)
        _require_few(wanted)
        with self._store.read() as work:
            return work.image_browse.digests(wanted, limit)


def _require_few(wanted: BrowseFilter) -> None:
    if wanted.digests is not None and len(wanted.digests) > _MOST_DIGESTS:
        raise BadInputError(f"data version: expected at most {_MOST_DIGESTS} images to browse")
