"""One transaction an act: all of it is kept, or nothing is; and what is written once stays."""

import threading

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from core.domain.errors import StaleVersionError
from core.domain.records import LABELS, Annotation, AnnotationSource
from core.store.unit_of_work import Store, Work
from tests.records import START, add_user, new_store, radiograph, store_image


@pytest.fixture
def store(engine: Engine) -> Store:
    return new_store(engine)


def annotation(image: str, author: str, version: int) -> Annotation:
    return Annotation(
        annotation_id=f"{image[:4]}-{author}-{version}",
        image_sha256=image,
        track=LABELS,
        inspection_id=None,
        version=version,
        source=AnnotationSource.HUMAN,
        author_id=author,
        boxes=({"bbox": [1, 2, 3, 4], "class": "crack"},),
        note="",
        created_at=START,
    )


def test_an_error_leaves_nothing_of_the_transaction(store: Store) -> None:
    author = add_user(store)
    with pytest.raises(RuntimeError, match="the power went"):
        act_until_the_power_goes(store, author.user_id)
    with store.read() as work:
        assert work.images.find("a" * 64) is None
        assert work.annotations.latest("a" * 64, LABELS) is None


def act_until_the_power_goes(store: Store, user_id: str) -> None:
    with store.write() as work:
        store_image_in(work)
        work.annotations.append(annotation("a" * 64, user_id, 1))
        raise RuntimeError("the power went")


def store_image_in(work: Work) -> None:
    work.images.add(radiograph(), "film.png", 1, at=START)


def test_reading_changes_nothing(store: Store) -> None:
    with store.read() as work:
        store_image_in(work)
    with store.read() as work:
        assert work.images.find("a" * 64) is None


def test_what_follows_a_commit_is_told_after_it(engine: Engine) -> None:
    seen: list[bool] = []
    store = Store(
        engine,
        open_audit=new_store(engine)._open_audit,
        after_write=lambda: seen.append(is_stored(engine)),
    )
    store_image(store)
    assert seen == [True]


def is_stored(engine: Engine) -> bool:
    with new_store(engine).read() as work:
        return work.images.find("a" * 64) is not None


@pytest.mark.parametrize("version", [1, 2, 4])
def test_a_version_that_does_not_follow_is_refused_with_both_numbers(store: Store, version: int) -> None:
    author, image = add_user(store), store_image(store)
    with store.write() as work:
        work.annotations.append(annotation(image, author.user_id, 1))
        work.annotations.append(annotation(image, author.user_id, 2))
    with pytest.raises(StaleVersionError) as caught, store.write() as work:
        work.annotations.append(annotation(image, author.user_id, version))
    assert (caught.value.yours, caught.value.stored) == (version - 1, 2)
    assert f"version {version - 1}" in str(caught.value)
    assert "version 2" in str(caught.value)


def test_of_many_who_save_at_once_one_wins_and_the_others_are_told(store: Store) -> None:
    image = store_image(store)
    authors = [add_user(store) for _ in range(6)]
    barrier, outcomes = threading.Barrier(len(authors)), []

    def save(user_id: str) -> None:
        barrier.wait()
        try:
            with store.write() as work:
                work.annotations.append(annotation(image, user_id, 1))
            outcomes.append(user_id)
        except StaleVersionError as error:
            outcomes.append((error.yours, error.stored))

    threads = [threading.Thread(target=save, args=(author.user_id,)) for author in authors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert len(winners) == 1
    assert [outcome for outcome in outcomes if outcome not in winners] == [(0, 1)] * 5
    with store.read() as work:
        assert [one.author_id for one in work.annotations.history(image, LABELS)] == winners


@pytest.mark.parametrize("statement", ["UPDATE annotations SET note = 'x'", "DELETE FROM annotations"])
def test_the_database_itself_keeps_what_is_written_once(store: Store, engine: Engine, statement: str) -> None:
    author, image = add_user(store), store_image(store)
    with store.write() as work:
        work.annotations.append(annotation(image, author.user_id, 1))
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE images SET uploaded_by = 'u-nobody'",
        "DELETE FROM users WHERE user_id = '{user}'",
        "DELETE FROM images",
    ],
)
def test_no_row_points_to_one_that_is_not_there(store: Store, engine: Engine, statement: str) -> None:
    author, image = add_user(store), store_image(store)
    with store.write() as work:
        work.annotations.append(annotation(image, author.user_id, 1))
    with pytest.raises(DBAPIError, match="(?i)foreign key"), engine.begin() as connection:
        connection.execute(text(statement.format(user=author.user_id)))
