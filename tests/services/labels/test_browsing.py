"""All images with their labels: every filter, and pages that hold with many images."""

from dataclasses import replace
from typing import Any

import pytest

from core.domain.accounts import Identity, Role
from core.domain.indication import IndicationClass
from core.domain.labels import Label
from core.domain.own_classes import OwnClass
from core.domain.reading import Setup
from core.services.inspections.inspecting import InspectionService
from core.services.labels.browsing import ImageBrowsing
from core.services.labels.labels import LabelService
from core.services.labels.own_classes import OwnClassService
from core.store.image_browse import BrowseFilter, LabelState
from core.store.unit_of_work import Store
from tests.records import add_user, detection_result, radiograph, store_image

CRACK = Label("h1", (1, 2, 30, 40), IndicationClass.CRACK)
SPLASH = Label("h2", (1, 2, 30, 40), IndicationClass.UNCLASSIFIED, own_class="TS")


@pytest.fixture
def people(store: Store) -> tuple[Identity, Identity]:
    return add_user(store, Role.ANNOTATOR), add_user(store, Role.ANNOTATOR)


@pytest.fixture
def digests(store: Store, people: tuple[Identity, Identity]) -> list[str]:
    """A cracked image, one with an own class, one that is clean, one that nobody labelled, of part P-17."""
    own = OwnClass("TS", "tungsten splash", "#e0a040")
    OwnClassService(store).save(add_user(store, Role.ADMIN), own, is_new=True)
    films = [replace(radiograph(), sha256=f"{n:064x}", file_sha256="") for n in range(4)]
    found = [store_image(store, film) for film in films]
    labels, (first, second) = LabelService(store), people
    labels.save(first, found[0], [CRACK], expected_version=0)
    labels.save(first, found[1], [CRACK], expected_version=0)
    labels.save(second, found[1], [SPLASH], expected_version=1)
    labels.save(first, found[2], [], expected_version=0)
    inspector = add_user(store)
    InspectionService(store).record(inspector, detection_result(films[3]), setup=Setup(part="P-17"))
    return found


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, [0, 1, 2, 3]),
        ({"name": "FILM"}, [0, 1, 2, 3]),
        ({"name": "film%"}, []),
        ({"part": "p-1"}, [3]),
        ({"label_class": "crack"}, [0]),  # the newest labels count
        ({"label_class": "TS"}, [1]),
        ({"author": 0}, [0, 2]),
        ({"state": LabelState.CLEAN}, [2]),
        ({"state": LabelState.LABELLED}, [0, 1]),
        ({"state": LabelState.UNLABELLED}, [3]),
        ({"state": LabelState.WAITING}, []),
        ({"digests": [1, 2]}, [1, 2]),
        ({"digests": []}, []),
    ],
)
def test_each_filter_lets_through_what_it_says(
    store: Store, people: tuple[Identity, Identity], digests: list[str], asked: dict[str, Any],
    expected: list[int],
) -> None:  # fmt: skip
    if (author := asked.pop("author", None)) is not None:
        asked["author_id"] = people[author].user_id
    if "digests" in asked:
        asked = {"digests": frozenset(digests[n] for n in asked["digests"])}
    page = ImageBrowsing(store).page(people[0], BrowseFilter(**asked), limit=10)
    assert sorted(one.sha256 for one in page.images) == [digests[n] for n in expected]
    assert (page.n_found, page.next_place) == (len(expected), None)


def test_pages_hold_every_image_once_in_the_order_of_the_walk(
    store: Store, people: tuple[Identity, Identity]
) -> None:
    for n in range(25):
        store_image(store, replace(radiograph(), sha256=f"{n:064x}", file_sha256=""))
    browsing, seen, place = ImageBrowsing(store), [], None
    while True:
        page = browsing.page(people[0], BrowseFilter(), limit=10, before=place)
        seen += [one.sha256 for one in page.images]
        assert page.n_found == 25
        if (place := page.next_place) is None:
            break
    assert len(seen) == len(set(seen)) == 25
    assert browsing.digests(people[0], BrowseFilter(), limit=20) == seen[:20]


def test_images_that_came_together_stand_by_their_names_across_pages(
    store: Store, people: tuple[Identity, Identity]
) -> None:
    names = [f"frame-{n}.png" for n in range(7)]
    with store.write() as work:
        for n, name in enumerate(reversed(names)):
            film = replace(radiograph(), sha256=f"{n * 5 % 7:064x}", file_sha256="")
            work.images.add(film, name, 100, at=work.now)
    browsing = ImageBrowsing(store)
    first = browsing.page(people[0], BrowseFilter(), limit=4)
    rest = browsing.page(people[0], BrowseFilter(), limit=4, before=first.next_place)
    assert [one.name for one in (*first.images, *rest.images)] == names
